// Starts and stops background processes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace ccsched {
namespace {

struct Stat {
  char state = 0;
  uint64_t start_ticks = 0;
};

std::optional<Stat> ReadStat(pid_t pid) {
  std::ifstream in(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  // The name is in brackets and may hold anything: go on after the last one.
  const size_t close = line.rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(close + 1));
  Stat stat;
  std::string skipped;
  fields >> stat.state;  // field 3
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> stat.start_ticks;
  return fields ? std::optional(stat) : std::nullopt;
}

bool IsProgram(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

}  // namespace

absl::StatusOr<ProcessKey> SpawnDetached(
    const std::vector<std::string>& command, const std::string& log_file) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);  // We ignore it; they should not.
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  ProcessKey process;
  const int error = posix_spawn(&process.pid, argv[0], &actions, &attributes,
                                argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return absl::InternalError(
        absl::StrCat(command[0], ": can't be started: ", std::strerror(error)));
  }
  if (const auto stat = ReadStat(process.pid)) {
    process.start_ticks = stat->start_ticks;
  }
  return process;
}

bool IsAlive(const ProcessKey& process) {
  if (process.pid <= 0) return false;
  waitpid(process.pid, nullptr, WNOHANG);  // in case it is our own child
  const auto stat = ReadStat(process.pid);
  return stat && stat->start_ticks == process.start_ticks &&
         stat->state != 'Z' && stat->state != 'X';
}

std::optional<int> TakeExitStatus(const ProcessKey& process) {
  int status = 0;
  if (process.pid <= 0 ||
      waitpid(process.pid, &status, WNOHANG) != process.pid) {
    return std::nullopt;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Terminate(const ProcessKey& process, absl::Duration patience) {
  if (!IsAlive(process)) return true;
  kill(process.pid, SIGTERM);
  const absl::Time end = absl::Now() + patience;
  while (absl::Now() < end) {
    if (!IsAlive(process)) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  if (!IsAlive(process)) return true;
  kill(process.pid, SIGKILL);
  return false;
}

absl::Status WritePidFile(const std::string& path, const ProcessKey& process) {
  std::ofstream out(path, std::ios::trunc);
  out << process.pid << " " << process.start_ticks << "\n";
  out.close();
  return out ? absl::OkStatus()
             : absl::InternalError(absl::StrCat(path, ": can't be written"));
}

std::optional<ProcessKey> ReadPidFile(const std::string& path) {
  std::ifstream in(path);
  ProcessKey process;
  if (!(in >> process.pid >> process.start_ticks)) return std::nullopt;
  if (!IsAlive(process)) return std::nullopt;
  return process;
}

std::string OwnFolder() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
  if (size <= 0) return ".";
  const std::string self(path, size);
  return self.substr(0, self.rfind('/'));
}

absl::StatusOr<std::string> FindProgram(const std::string& name,
                                        const std::string& tree_path) {
  const std::string own = OwnFolder();
  for (const std::string& path :
       {absl::StrCat(own, "/", name), absl::StrCat(own, "/", tree_path)}) {
    if (IsProgram(path)) return path;
  }
  if (const char* folders = std::getenv("PATH"); folders != nullptr) {
    for (absl::string_view folder : absl::StrSplit(folders, ':')) {
      const std::string path = absl::StrCat(folder, "/", name);
      if (!folder.empty() && IsProgram(path)) return path;
    }
  }
  return absl::NotFoundError(
      absl::StrCat(name, ": not found beside ", own, "/ccsched or on PATH"));
}

std::string Tail(const std::string& path, int lines) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - 65536);
  in.seekg(from);
  std::ostringstream rest;
  rest << in.rdbuf();
  const std::string text = rest.str();
  size_t at = text.size();
  for (int i = 0; i <= lines && at != std::string::npos && at > 0; ++i) {
    at = text.rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

}  // namespace ccsched
