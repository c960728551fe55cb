// Starts supervisors, and finds those of an earlier agent again.
// SPDX-License-Identifier: Apache-2.0
#include "agent/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "agent/pidfd.h"
#include "agent/run_file.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// Above the numbers that the supervisor finds its fds at.
constexpr int kLowestFd = 10;
constexpr size_t kSpareMax = 256;
constexpr size_t kSpareTmpsMax = 32;

absl::Status SystemError(const std::string& what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(error)));
}

absl::StatusOr<Fd> Raise(int fd, const std::string& what) {
  if (fd < 0) return SystemError(what, errno);
  if (fd >= kLowestFd) return Fd(fd);
  const Fd low(fd);
  const int raised = fcntl(fd, F_DUPFD_CLOEXEC, kLowestFd);
  if (raised < 0) return SystemError(what, errno);
  return Fd(raised);
}

bool WriteAll(int fd, const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += n;
  }
  return true;
}

// The attempt's own folder, if it needs one, with its script in it.
absl::Status MakeFolder(const LaunchSpec& spec, const std::string& script,
                        const AttemptPaths& paths) {
  if (script.empty() && spec.control.empty()) return absl::OkStatus();
  std::error_code ignored;
  std::filesystem::remove_all(paths.folder, ignored);
  if (mkdir(paths.folder.c_str(), 0755) != 0) {
    return SystemError("mkdir " + paths.folder, errno);
  }
  if (!script.empty()) {
    const std::string path = paths.folder + "/script";
    const Fd fd(
        open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    if (!fd.valid() || !WriteAll(fd.get(), script)) {
      return SystemError("write " + path, errno);
    }
  }
  // Last: from now on its user may put links to other files in it.
  if (spec.run_as &&
      chown(paths.folder.c_str(), spec.run_as->uid, spec.run_as->gid) != 0) {
    return SystemError("chown " + paths.folder, errno);
  }
  return absl::OkStatus();
}

// Its user's alone. The image of a container may have users of its own, so in
// it is one that is open to whoever gets to see it.
absl::Status MakeTmp(const LaunchSpec& spec, TmpPool& tmps) {
  const uid_t user = spec.run_as ? spec.run_as->uid : geteuid();
  if (spec.tmp.empty()) return absl::OkStatus();
  if (spec.tmp_inside.empty() && tmps.Take(user, spec.tmp)) {
    return absl::OkStatus();
  }
  if (mkdir(spec.tmp.c_str(), 0700) != 0) {
    return SystemError("mkdir " + spec.tmp, errno);
  }
  // Before its user may put links there.
  if (!spec.tmp_inside.empty() &&
      (mkdir(spec.tmp_inside.c_str(), 0700) != 0 ||
       chmod(spec.tmp_inside.c_str(), 01777) != 0 ||
       (spec.run_as && lchown(spec.tmp_inside.c_str(), spec.run_as->uid,
                              spec.run_as->gid) != 0))) {
    return SystemError("mkdir " + spec.tmp_inside, errno);
  }
  if (spec.run_as &&
      lchown(spec.tmp.c_str(), spec.run_as->uid, spec.run_as->gid) != 0) {
    return SystemError("chown " + spec.tmp, errno);
  }
  return absl::OkStatus();
}

// From the name under which output is looked for to where the user wants it.
// It belongs to who may read that.
absl::Status LinkOutput(const LaunchSpec& spec, const AttemptPaths& paths) {
  if (spec.output == paths.log) return absl::OkStatus();
  unlink(paths.log.c_str());
  if (symlink(spec.output.c_str(), paths.log.c_str()) != 0 ||
      (spec.run_as &&
       lchown(paths.log.c_str(), spec.run_as->uid, spec.run_as->gid) != 0)) {
    return SystemError("link " + paths.log, errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<Fd> MakeRunFile(const std::string& path, RunFilePool& pool) {
  const std::string spare = pool.Take();
  const std::string& first = spare.empty() ? path : spare;
  ASSIGN_OR_RETURN(
      Fd fd, Raise(open(first.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                   "open " + first));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return SystemError("lock " + first, errno);
  }
  if (!RunFile(fd.get()).Create()) return SystemError("write " + first, errno);
  // Only now: under its new name it must not show an end of another attempt.
  if (!spare.empty() && std::rename(first.c_str(), path.c_str()) != 0) {
    return SystemError("rename " + first, errno);
  }
  return fd;
}

absl::StatusOr<Fd> MakeLaunchFd(const LaunchSpec& spec) {
  ASSIGN_OR_RETURN(Fd fd,
                   Raise(memfd_create("ccsched-launch", MFD_CLOEXEC), "memfd"));
  if (!WriteAll(fd.get(), EncodeLaunchSpec(spec))) {
    return SystemError("memfd", errno);
  }
  return fd;
}

absl::StatusOr<pid_t> Spawn(const std::string& program, AttemptId id,
                            int launch, int run) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, launch, kLaunchFd);
  posix_spawn_file_actions_adddup2(&actions, run, kRunFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A session of its own: what is sent to the agent's terminal is not for it.
  // Signals stay blocked until the supervisor can take them.
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETSIGMASK);
  std::string name = "ccsched-supervise";
  std::string attempt = id.ToString();
  char* argv[] = {name.data(), attempt.data(), nullptr};
  // Nothing of the agent's environment but what fault tests arm.
  const char* armed = std::getenv(kFailpointsVariable);
  std::string failpoints =
      absl::StrCat(kFailpointsVariable, "=", armed != nullptr ? armed : "");
  char* env[] = {armed != nullptr ? failpoints.data() : nullptr, nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, program.c_str(), &actions, &attributes, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return SystemError("start " + program, error);
  return pid;
}

// True if no live process holds the file's lock; it is then ours.
bool LockIsFree(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0; }

// "ccsched-12-1-0123456789abcdef", of TmpOf, or "12-1", of PathsOf. The folder
// may be somebody else's as well: an operator has chosen it.
bool IsOurs(const std::string& name) {
  unsigned long job = 0;
  unsigned epoch = 0;
  int used = 0;
  std::sscanf(name.c_str(), "ccsched-%lu-%u-%n", &job, &epoch, &used);
  if (used > 0) return true;
  std::sscanf(name.c_str(), "%lu-%u%n", &job, &epoch, &used);
  return used > 0 && static_cast<size_t>(used) == name.size();
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Supervised> SpawnSupervisor(const std::string& program,
                                           AttemptId id, const LaunchSpec& spec,
                                           const std::string& script,
                                           const AttemptPaths& paths,
                                           RunFilePool& pool, TmpPool& tmps) {
  Failpoint("agent.files");
  RETURN_IF_ERROR(MakeFolder(spec, script, paths));
  RETURN_IF_ERROR(MakeTmp(spec, tmps));
  RETURN_IF_ERROR(LinkOutput(spec, paths));
  ASSIGN_OR_RETURN(const Fd launch, MakeLaunchFd(spec));
  ASSIGN_OR_RETURN(const Fd locked, MakeRunFile(paths.run, pool));
  Supervised supervised;
  supervised.run = Fd(open(paths.run.c_str(), O_RDONLY | O_CLOEXEC));
  if (!supervised.run.valid()) return SystemError("open " + paths.run, errno);
  ASSIGN_OR_RETURN(supervised.pid,
                   Spawn(program, id, launch.get(), locked.get()));
  supervised.process = Fd(pidfd_open(supervised.pid, 0));
  if (!supervised.process.valid()) {
    const int error = errno;
    kill(supervised.pid, SIGKILL);
    waitpid(supervised.pid, nullptr, 0);
    return SystemError("pidfd_open", error);
  }
  return supervised;
}

Adopted FindSupervisor(const AttemptPaths& paths) {
  Adopted adopted;
  Fd fd(open(paths.run.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return adopted;
  Supervised& supervised = adopted.supervised;
  if (!LockIsFree(fd.get())) {
    adopted.remains = Remains::kNascent;
    const auto id = RunFile(fd.get()).supervisor();
    if (id) {
      supervised.pid = id->pid;
      supervised.process = Fd(pidfd_open(id->pid, 0));
    }
    if (LockIsFree(fd.get())) {
      adopted.remains = Remains::kGone;
      supervised.process = Fd();
    } else if (supervised.process.valid()) {
      // Still locked after the pidfd was got: so it is that process.
      adopted.remains = Remains::kAlive;
    }
  }
  // The lock, if it was free, goes with this descriptor; nobody wants it.
  supervised.run = std::move(fd);
  return adopted;
}

RunFilePool::RunFilePool(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_, error)) {
    uint64_t number = 0;
    const std::string name = entry.path().filename();
    if (sscanf(name.c_str(), "spare.%lu", &number) != 1) continue;
    spare_.push_back(number);
    last_ = std::max(last_, number);
  }
}

std::string RunFilePool::NameOf(uint64_t number) const {
  return absl::StrCat(folder_, "/spare.", number);
}

std::string RunFilePool::Take() {
  if (spare_.empty()) return "";
  std::string path = NameOf(spare_.back());
  spare_.pop_back();
  return path;
}

void RunFilePool::Give(const std::string& path) {
  if (spare_.size() >= kSpareMax) {
    unlink(path.c_str());
  } else if (std::rename(path.c_str(), NameOf(last_ + 1).c_str()) == 0) {
    spare_.push_back(++last_);
  }
}

bool NoteGapLeft(const AttemptPaths& paths) {
  const Fd run(open(paths.run.c_str(), O_RDONLY | O_CLOEXEC));
  const std::optional<LogPart> gap = RunFile(run.get()).gap();
  if (!gap) return true;
  std::vector<LogPart> parts = ReadLogParts(paths.log);
  if (parts.empty() && gap->inode != 0) parts.push_back({.inode = gap->inode});
  if (!parts.empty() && parts.back().start >= gap->start) return true;
  parts.push_back(*gap);
  return WriteLogParts(paths.log, parts);
}

void RemoveLeftOvers(const std::string& folder,
                     const std::set<std::string>& needed, Trash& trash) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string path = entry.path();
    if (!IsOurs(entry.path().filename()) || needed.contains(path)) continue;
    trash.Take(path);
  }
}

TmpPool::~TmpPool() {
  for (const auto& [user, path] : spare_) rmdir(path.c_str());
}

bool TmpPool::Take(uid_t user, const std::string& path) {
  const auto found =
      std::find_if(spare_.begin(), spare_.end(),
                   [user](const auto& spare) { return spare.first == user; });
  if (found == spare_.end()) return false;
  const std::string spare = std::move(found->second);
  spare_.erase(found);
  return std::rename(spare.c_str(), path.c_str()) == 0;
}

void TmpPool::Give(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return;
  std::error_code ignored;
  // As it was made: what its user let others do there ends with the job.
  const bool as_made = S_ISDIR(status.st_mode) &&
                       (status.st_mode & 07777) == 0700 &&
                       std::filesystem::is_empty(path, ignored);
  std::string aside;
  if (as_made && spare_.size() < kSpareTmpsMax) aside = trash_.PutAside(path);
  if (aside.empty()) return trash_.Take(path);
  spare_.emplace_back(status.st_uid, std::move(aside));
}

void RemoveTraces(const AttemptPaths& paths, const std::string& tmp,
                  RunFilePool& pool, TmpPool& tmps, Trash& trash) {
  Failpoint("agent.files");
  pool.Give(paths.run);
  if (!tmp.empty()) tmps.Give(tmp);
  trash.Take(paths.folder);
}

}  // namespace ccsched
