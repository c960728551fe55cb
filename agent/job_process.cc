// Starts a job's first process in a session of its own.
// SPDX-License-Identifier: Apache-2.0
#include "agent/job_process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "agent/boot_clock.h"
#include "agent/init_notes.h"
#include "scheduler/base/failpoint.h"

namespace ccsched {
namespace {

struct Failure {
  StartStep step;
  int error;
};

[[noreturn]] void Fail(int report, StartStep step) {
  const Failure failure{step, errno};
  // The pipe is empty and the other end reads: this can't be cut short.
  if (write(report, &failure, sizeof(failure)) < 0) _exit(126);
  _exit(step == StartStep::kExec && failure.error == ENOENT ? 127 : 126);
}

bool BecomeUser(const RunAs& user) {
  return setgroups(user.groups.size(), user.groups.data()) == 0 &&
         setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

bool EnterCgroup(const std::string& folder) {
  const int fd = open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = write(fd, "0", 1) == 1;
  close(fd);
  return done;
}

// A pipe that nobody reads would be waited for, and so would this process by
// its supervisor: that is an error here.
int OpenOutput(const LaunchSpec& spec) {
  const int truncate = spec.append ? 0 : O_TRUNC;
  const int fd = open(
      spec.output.c_str(),
      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | truncate, 0666);
  if (fd >= 0) fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

void DefaultSignals() {
  for (int s = 1; s < NSIG; ++s) signal(s, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The agent has raised its own.
void LimitOpenFiles(uint64_t count) {
  rlimit files;
  if (count == 0 || getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::min<rlim_t>(count, files.rlim_max);
  setrlimit(RLIMIT_NOFILE, &files);
}

bool IsOver(const LeaseFile* lease) {
  return lease != nullptr && lease->deadline() != 0 &&
         BootNanos() >= lease->deadline();
}

[[noreturn]] void RunChild(const LaunchSpec& spec, const LeaseFile* lease,
                           int output, int notes, int report,
                           pid_t supervisor) {
  // Until it is the job's program, nobody takes it for the supervisor.
  prctl(PR_SET_NAME, "ccsched-job");
  setsid();
  if (!spec.cgroup.empty() && !EnterCgroup(spec.cgroup)) {
    Fail(report, StartStep::kCgroup);
  }
  umask(022);
  LimitOpenFiles(spec.open_files);
  if (spec.run_as && !BecomeUser(*spec.run_as)) Fail(report, StartStep::kUser);
  // After the change of user, which would clear it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(126);
  if (chdir(spec.workdir.c_str()) != 0) Fail(report, StartStep::kWorkdir);
  if (output < 0) output = OpenOutput(spec);
  if (output < 0) Fail(report, StartStep::kOutput);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0) Fail(report, StartStep::kOutput);
  // The supervisor has 0, 1 and 2 open, so neither fd is one of them.
  dup2(input, 0);
  dup2(output, 1);
  dup2(output, 2);
  // What has that number is the supervisor's own, and none of these.
  if (notes >= 0) dup2(notes, kInitNotesFd);

  std::vector<char*> argv;
  for (const std::string& a : spec.argv) {
    argv.push_back(const_cast<char*>(a.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> env;
  for (const std::string& e : spec.env) {
    env.push_back(const_cast<char*>(e.c_str()));
  }
  env.push_back(nullptr);
  environ = env.data();
  DefaultSignals();
  Failpoint("supervisor.starting");
  if (IsOver(lease)) Fail(report, StartStep::kLease);
  execvp(argv[0], argv.data());
  const int error = errno;
  dprintf(2, "ccsched: %s: %s\n", argv[0],
          error == ENOENT ? "command not found" : strerror(error));
  errno = error;
  Fail(report, StartStep::kExec);
}

}  // namespace

JobStart StartJobProcess(const LaunchSpec& spec, const LeaseFile* lease,
                         int output, int notes) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    return {.failed = StartStep::kFork, .error = errno};
  }
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid == 0) RunChild(spec, lease, output, notes, report[1], supervisor);
  const int fork_error = errno;
  close(report[1]);
  if (pid < 0) {
    close(report[0]);
    return {.failed = StartStep::kFork, .error = fork_error};
  }
  Failure failure{};
  ssize_t n;
  do {
    n = read(report[0], &failure, sizeof(failure));
  } while (n < 0 && errno == EINTR);
  close(report[0]);
  if (n != sizeof(failure)) return {.pid = pid};
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {.failed = failure.step, .error = failure.error};
}

std::string JobStart::Message(const LaunchSpec& spec) const {
  std::string why = strerror(error);
  switch (failed) {
    case StartStep::kNone:
      return "";
    case StartStep::kFork:
      return "fork: " + why;
    case StartStep::kCgroup:
      return "cgroup " + spec.cgroup + ": " + why;
    case StartStep::kUser:
      return "user " + std::to_string(spec.run_as->uid) + ": " + why;
    case StartStep::kWorkdir:
      return "workdir " + spec.workdir + ": " + why;
    case StartStep::kOutput:
      return "output " + spec.output + ": " + why;
    case StartStep::kLease:
      return "the node's lease ran out before the start";
    case StartStep::kExec:
      return spec.argv[0] + ": " +
             (error == ENOENT ? "command not found" : why);
  }
  return why;
}

}  // namespace ccsched
