// What another program prints, within a time and a size.
// SPDX-License-Identifier: Apache-2.0
#include "agent/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "agent/boot_clock.h"
#include "agent/spawn.h"

namespace ccsched {
namespace {

std::string ReadWithin(int fd, absl::Duration patience, size_t bytes_max) {
  std::string text;
  const int64_t until = BootNanos() + absl::ToInt64Nanoseconds(patience);
  for (;;) {
    const int64_t left_ms = (until - BootNanos()) / 1'000'000;
    pollfd readable{fd, POLLIN, 0};
    char bytes[4096];
    if (left_ms <= 0 || poll(&readable, 1, static_cast<int>(left_ms)) <= 0) {
      return text;
    }
    const ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n <= 0 || text.size() > bytes_max) return text;
    text.append(bytes, n);
  }
}

}  // namespace

std::string OutputOf(ProgramCall call) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  const Fd in(ends[0]);
  Fd out(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& word : call.words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* nothing[] = {nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, call.program.c_str(), &actions, nullptr, argv.data(),
                   call.environment ? environ : nothing);
  posix_spawn_file_actions_destroy(&actions);
  out = Fd();
  if (error != 0) return "";
  std::string text = ReadWithin(in.get(), call.patience, call.bytes_max);
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return text;
}

}  // namespace ccsched
