// The first process in a job's container: hands signals on, reaps orphans.
// SPDX-License-Identifier: Apache-2.0
#include "agent/container_init.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "agent/init_notes.h"

namespace ccsched {
namespace {

[[noreturn]] void RunCommand(char** argv, const sigset_t& before) {
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  execvp(argv[0], argv);
  const int error = errno;
  std::fprintf(stderr, "ccsched: %s: %s\n", argv[0],
               error == ENOENT ? "command not found" : strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

}  // namespace

int RunContainerInit(char** argv) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  fcntl(kInitNotesFd, F_SETFD, FD_CLOEXEC);  // not the command's
  // Before the command begins: whoever has seen that it has may count on it.
  WriteInitNote({.kind = InitNote::kRuns});
  const pid_t command = fork();
  if (command < 0) {
    std::fprintf(stderr, "ccsched: fork: %s\n", strerror(errno));
    return 126;
  }
  if (command == 0) RunCommand(argv, before);
  setpgid(command, command);  // whoever of the two comes first
  for (;;) {
    int number = 0;
    if (sigwait(&all, &number) != 0) continue;
    if (number != SIGCHLD) {
      kill(-command, number);
      continue;
    }
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid != command) continue;
      WriteInitNote({.kind = InitNote::kEnded, .status = status});
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

}  // namespace ccsched
