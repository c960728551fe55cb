// Runs one job from its start to its end, whatever becomes of the agent.
// SPDX-License-Identifier: Apache-2.0
#include "agent/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "agent/boot_clock.h"
#include "agent/process_tree.h"
#include "agent/stop_signal.h"
#include "scheduler/base/failpoint.h"

namespace ccsched {
namespace {

// What is copied from the job's pipe before other events are looked at.
constexpr uint64_t kCopyBytes = 1 << 20;
// Output still in the pipe after the last process is gone.
constexpr uint64_t kDrainBytes = 1 << 22;

// The shortest and the longest time between two marks.
constexpr int64_t kSayAliveMinNs = kNanosPerSecond / 10;
constexpr int64_t kSayAliveMaxNs = 2 * kNanosPerSecond;

// What removes a container takes part of a second; a disk may be slow.
constexpr int64_t kCleanUpNs = 30 * kNanosPerSecond;

// For all jobs of the same user that start at once, one after the other.
constexpr int64_t kPreludeNs = 120 * kNanosPerSecond;

// What podman exits with if it could not run the container.
constexpr int kContainerFailedExit = 125;

// A node that goes down does not wait for long.
constexpr int64_t kShutdownGraceNs = 5 * kNanosPerSecond;

// What the job names (its command, folder, output, user) is its own affair.
EndKind KindOf(StartStep failed) {
  switch (failed) {
    case StartStep::kExec:
      return EndKind::kNotFound;
    case StartStep::kFork:
    case StartStep::kCgroup:
      return EndKind::kBroken;
    default:
      return EndKind::kRefused;
  }
}

int64_t CpuNanosOfChildren() {
  rusage use{};
  getrusage(RUSAGE_CHILDREN, &use);
  return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * kNanosPerSecond +
         (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

}  // namespace

int64_t NextAliveNs(int64_t elapsed_ns) {
  return elapsed_ns + std::clamp(elapsed_ns, kSayAliveMinNs, kSayAliveMaxNs);
}

pid_t Supervisor::getppid_at_start() { return getppid(); }

bool Supervisor::Run() {
  if (Prepare()) Loop();
  Finish();
  const bool recorded = Record();
  CleanUp();
  return recorded;
}

void Supervisor::Refuse(EndKind kind, int value, const std::string& message) {
  end_.kind = kind;
  end_.value = value;
  end_.message = message;
}

// False if the job was not started; the end then says why.
bool Supervisor::Prepare() {
  Failpoint("supervisor.born");
  if (!PrepareFds()) {
    Refuse(EndKind::kBroken, 0, std::string("supervisor: ") + strerror(errno));
    return false;
  }
  Failpoint("supervisor.known");
  if (!lease_.Open(spec_.lease_path, false)) {
    Refuse(EndKind::kBroken, 0,
           "lease file " + spec_.lease_path + ": " + strerror(errno));
    return false;
  }
  lease_seen_ = lease_.deadline();
  if (lease_seen_ != 0 && BootNanos() >= lease_seen_) {
    end_.cause = EndCause::kLease;
    Refuse(EndKind::kRefused, 0, "the node's lease ran out before the start");
    return false;
  }
  if (!RunPrelude()) return false;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  alive_at_ = spec_.began_ns + NextAliveNs(BootNanos() - spec_.began_ns);
  return StartJob();
}

bool Supervisor::PrepareFds() {
  sigset_t signals;
  sigfillset(&signals);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  sigemptyset(&signals);
  for (const int s : {SIGCHLD, SIGTERM, StopSignalNumber()}) {
    sigaddset(&signals, s);
  }
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  timer_fd_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  const auto self = IdentifyProcess(getpid());
  return signal_fd_ >= 0 && timer_fd_ >= 0 && self &&
         run_.WriteSupervisor(*self);
}

// False if the job is not to be started any more; the end then says why.
bool Supervisor::RunPrelude() {
  if (spec_.prelude.empty()) return true;
  if (!prelude_.Begin(spec_)) {
    Refuse(EndKind::kBroken, 0, std::string("prelude: ") + strerror(errno));
    return false;
  }
  const int64_t until = BootNanos() + kPreludeNs;
  const auto told_to_end = [this] {
    return end_.cause != EndCause::kOwn && end_.cause != EndCause::kSuspend;
  };
  while (prelude_.pid() != 0 && !told_to_end()) {
    lease_seen_ = lease_.deadline();
    const int64_t end = lease_seen_ == 0 ? until : std::min(until, lease_seen_);
    const int64_t left_ms = (end - BootNanos()) / 1'000'000;
    if (left_ms <= 0) break;
    pollfd wake{signal_fd_, POLLIN, 0};
    poll(&wake, 1, static_cast<int>(left_ms));
    OnSignals();
  }
  const bool by_lease = lease_seen_ != 0 && lease_seen_ < until;
  if (prelude_.pid() != 0 && !told_to_end() && by_lease) {
    EndFor(EndCause::kLease, "the node's lease ran out before the start");
  }
  prelude_.Kill();
  if (told_to_end()) {
    Refuse(EndKind::kRefused, 0, end_.message);
  } else if (const std::string why = prelude_.Failure(); !why.empty()) {
    Refuse(EndKind::kRefused, 0, why);
  } else {
    return true;
  }
  return false;
}

bool Supervisor::StartJob() {
  if (cgroup_.valid() && !cgroup_.Make(spec_.memory_max, spec_.accelerators)) {
    Refuse(EndKind::kBroken, 0,
           "cgroup " + spec_.cgroup + ": " + strerror(errno));
    return false;
  }
  if (spec_.output_limit > 0 &&
      !output_.Open(spec_.output, spec_.output_limit, spec_.append)) {
    Refuse(EndKind::kBroken, 0,
           "output " + spec_.output + ": " + strerror(errno));
    return false;
  }
  if (!spec_.control.empty()) desk_.Open(spec_.control, spec_.run_as);
  if (spec_.init_notes && !init_.Open()) {
    Refuse(EndKind::kBroken, 0, std::string("sockets: ") + strerror(errno));
    return false;
  }
  const JobStart start =
      StartJobProcess(spec_, &lease_, output_.write_end(), init_.far_end());
  output_.CloseWriteEnd();
  init_.CloseFarEnd();
  if (start.pid == 0) {
    if (start.failed == StartStep::kLease) end_.cause = EndCause::kLease;
    Refuse(KindOf(start.failed), start.error == ENOENT ? 127 : 126,
           start.Message(spec_));
    return false;
  }
  Failpoint("supervisor.started");
  job_ = start.pid;
  if (spec_.time_limit_ns) limit_at_ = spec_.began_ns + *spec_.time_limit_ns;
  if (const auto job = IdentifyProcess(job_)) run_.WriteJob(*job);
  return true;
}

int64_t Supervisor::NextDeadline() const {
  int64_t next = alive_at_;
  // With no lease yet, one may come: it is looked for whenever this is.
  if (lease_seen_ != 0) next = std::min(next, lease_seen_);
  for (const auto& at : {limit_at_, kill_at_, suspend_until_}) {
    if (at) next = std::min(next, *at);
  }
  return next;
}

void Supervisor::ArmTimer() {
  const int64_t next = std::max<int64_t>(1, NextDeadline());
  itimerspec at{};
  at.it_value.tv_sec = next / kNanosPerSecond;
  at.it_value.tv_nsec = next % kNanosPerSecond;
  timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &at, nullptr);
}

void Supervisor::Loop() {
  bool output_open = output_.read_end() >= 0;
  std::vector<pollfd> fds;
  while (!job_ended_) {
    ArmTimer();
    fds = {{signal_fd_, POLLIN, 0},
           {timer_fd_, POLLIN, 0},
           {output_open ? output_.read_end() : -1, POLLIN, 0},
           {init_.fd(), POLLIN, 0}};
    desk_.AddTo(fds);
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
    if (fds[2].revents != 0) output_open = output_.Copy(kCopyBytes);
    // Before the job's end: what it said last is heard.
    desk_.Handle(&fds[4]);
    OnCheckpoint();
    if (fds[3].revents != 0) OnInitNotes();
    if (fds[0].revents != 0) OnSignals();
    if (fds[1].revents != 0) OnTime();
  }
}

void Supervisor::OnTime() {
  uint64_t count;
  if (read(timer_fd_, &count, sizeof(count)) < 0) return;
  const bool ended = HasEnded();
  if (job_ended_) return;  // before it was late for anything
  const int64_t now = BootNanos();
  if (now >= alive_at_) {
    run_.WriteAlive(now - spec_.began_ns);
    alive_at_ = spec_.began_ns + NextAliveNs(now - spec_.began_ns);
  }
  lease_seen_ = lease_.deadline();
  if (lease_seen_ != 0 && now >= lease_seen_) {
    EndFor(EndCause::kLease, "the node's lease ran out");
    lease_seen_ = now + kNanosPerSecond;  // once more, should it survive
    KillGroup();
  }
  if (suspend_until_ && now >= *suspend_until_) {
    desk_.ReadFile();
    if (desk_.saved()) {
      suspend_until_ = now + kNanosPerSecond;
      KillGroup();  // its state is safe: nothing is lost
    } else if (!ended) {
      GiveUpSuspend();
    } else {
      suspend_until_.reset();
    }
  }
  if (limit_at_ && now >= *limit_at_) {
    limit_at_.reset();
    if (end_.cause == EndCause::kOwn || end_.cause == EndCause::kSuspend) {
      EndFor(EndCause::kLimit, "");
    }
    suspend_until_.reset();
    Warn();
    kill_at_ = std::min(kill_at_.value_or(INT64_MAX), now + spec_.grace_ns);
  }
  if (kill_at_ && BootNanos() >= *kill_at_) {
    kill_at_ = now + kNanosPerSecond;
    KillGroup();
  }
}

void Supervisor::OnSignals() {
  signalfd_siginfo info;
  while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == StopSignalNumber()) {
      OnStop(info.ssi_int);
    } else if (number == SIGTERM) {
      EndFor(EndCause::kShutdown, "the node is shutting down");
      Warn();
      kill_at_ = BootNanos() + std::min(spec_.grace_ns, kShutdownGraceNs);
    }
  }
  ReapChildren();
}

// Whether the job's own end is on hand, seen or not yet. All that a container
// may still do then is to be tidied up.
bool Supervisor::HasEnded() {
  ReapChildren();
  init_.Read();
  return job_ended_ || init_.ended();
}

// The job is to be ended. If it came to its end before, it ended by itself: it
// has done what it would be started for again.
void Supervisor::EndFor(EndCause cause, const char* message) {
  if (HasEnded()) return;
  end_.cause = cause;
  end_.message = message;
}

void Supervisor::OnStop(int value) {
  const int64_t until = BootNanos() + StopGraceMs(value) * 1'000'000;
  const StopKind kind = StopKindOf(value);
  if (kind == StopKind::kSuspend || kind == StopKind::kResize) {
    if (end_.cause == EndCause::kOwn && !HasEnded()) {
      OnSuspend(until, kind == StopKind::kResize ? "resize" : "suspend");
    }
    return;  // else it is being ended already
  }
  suspend_until_.reset();
  const bool warned = end_.cause == EndCause::kStop;
  if (end_.cause == EndCause::kOwn || end_.cause == EndCause::kSuspend) {
    EndFor(EndCause::kStop, "");
  }
  if (!warned && StopGraceMs(value) > 0) Warn();
  kill_at_ = std::min(kill_at_.value_or(INT64_MAX), until);
  if (StopGraceMs(value) == 0) KillGroup();
}

void Supervisor::OnSuspend(int64_t until, const char* reason) {
  end_.cause = EndCause::kSuspend;
  suspend_until_ = until;
  told_by_socket_ = desk_.Ask(until, reason);
  if (!told_by_socket_) Warn();
}

// Not acknowledged: the job goes on.
void Supervisor::GiveUpSuspend() {
  suspend_until_.reset();
  told_ = 0;
  desk_.Withdraw();
  run_.WriteDeclined(++declined_);
  if (end_.cause == EndCause::kSuspend) end_.cause = EndCause::kOwn;
}

void Supervisor::OnCheckpoint() {
  if (suspend_until_ && desk_.refused()) GiveUpSuspend();
}

// One that was told to end before it ran is told again.
void Supervisor::OnInitNotes() {
  const bool ran = init_.runs();
  init_.Read();
  if (!ran && init_.runs() && told_ != 0) init_.Signal(told_);
}

// A container's first process hands signals on. Before it runs there is only
// its runtime to be told: it ends, or starts the container nevertheless.
void Supervisor::Warn() {
  if (job_ <= 0 || job_ended_) return;
  told_ = spec_.warn_signal;
  if (init_.runs()) {
    init_.Signal(told_);
  } else {
    kill(-job_, told_);
  }
}

void Supervisor::KillGroup() {
  if (job_ <= 0 || job_ended_) return;
  told_ = SIGKILL;
  kill(-job_, SIGKILL);
}

void Supervisor::ReapChildren() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    OnReaped(pid, status);
  }
}

void Supervisor::OnReaped(pid_t pid, int status) {
  if (pid == prelude_.pid()) return prelude_.OnReaped(status);
  if (pid != job_ || job_ended_) return;
  job_ended_ = true;
  exited_ = WIFEXITED(status);
  end_.elapsed_ns = BootNanos() - spec_.began_ns;
  TakeStatus(status);
  if (end_.cause == EndCause::kSuspend) JudgeSuspend();
}

// Of a container it is the runtime's: how the command ended says its first
// process. If that could not, and was told to end, it was ended so.
void Supervisor::TakeStatus(int status) {
  init_.Read();
  const bool ran = init_.ended().has_value();
  if (ran) {
    status = *init_.ended();
  } else if (spec_.init_notes && exited_ && told_ != 0 &&
             end_.cause != EndCause::kOwn) {
    status = told_;  // as wait says it of a signal
  }
  if (WIFEXITED(status)) {
    end_.kind = EndKind::kExited;
    end_.value = WEXITSTATUS(status);
    if (!spec_.cleanup.empty() && !ran && end_.value == kContainerFailedExit &&
        end_.message.empty()) {
      end_.message = "its container could not be run: see its output";
    }
  } else {
    end_.kind = EndKind::kKilled;
    end_.value = WTERMSIG(status);
    end_.core_dumped = WCOREDUMP(status);
  }
}

// Asked to save its state it said that it did; or it ended by our signal, or
// with 85 (what scripts for Slurm use to be requeued), or with 0, unless it was
// told by its socket: then it knows how to say so, and has come to its end. Any
// other end is its own, too.
void Supervisor::JudgeSuspend() {
  desk_.Drain();
  desk_.ReadFile();
  if (desk_.saved()) return;
  const bool by_us = end_.kind == EndKind::kKilled
                         ? end_.value == spec_.warn_signal
                         : (end_.value == 0 && !told_by_socket_) ||
                               end_.value == 85 ||
                               end_.value == 128 + spec_.warn_signal;
  if (!by_us) end_.cause = EndCause::kOwn;
}

// What the job forked ends with it: nothing may outlive its attempt.
void Supervisor::Finish() {
  cgroup_.KillAll();
  KillDescendants([this](pid_t pid, int status) { OnReaped(pid, status); });
  output_.Copy(kDrainBytes);
  output_.NoteGap();  // what has no room yet stays in the run file
  end_.cpu_ns = CpuNanosOfChildren();
  end_.checkpoint = desk_.id();
  end_.checkpoint_cost_ns = desk_.cost_ns();
  end_.out_of_memory = cgroup_.OutOfMemoryKills() > 0;
  cgroup_.Remove();
}

// One that ended by itself was removed by its runtime. Not so one that was told
// to end: a runtime that is still starting it leaves it there, and exits.
void Supervisor::CleanUp() {
  const bool by_itself = exited_ && end_.cause == EndCause::kOwn;
  if (spec_.cleanup.empty() || job_ == 0 || by_itself) return;
  LaunchSpec spec = spec_;
  spec.argv = spec_.cleanup;
  spec.output = "/dev/null";
  spec.workdir = "/";
  spec.cgroup.clear();
  const JobStart start = StartJobProcess(spec, nullptr, -1, -1);
  if (start.pid == 0) return;
  const int64_t until = BootNanos() + kCleanUpNs;
  bool ended = false;
  while (!ended) {
    // Signals are blocked and read here: SIGCHLD wakes it up.
    const int64_t left_ms = (until - BootNanos()) / 1'000'000;
    pollfd wake{signal_fd_, POLLIN, 0};
    if (left_ms <= 0) break;
    poll(&wake, 1, static_cast<int>(left_ms));
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
    }
    pid_t pid;
    while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) {
      ended = ended || pid == start.pid;
    }
  }
  KillDescendants([](pid_t, int) {});
}

bool Supervisor::Record() {
  Failpoint("supervisor.ended");
  if (!run_.WriteEnd(end_)) return false;
  Failpoint("supervisor.recorded");
  // A live agent puts the end on disk together with others'.
  return getppid() == agent_ || fdatasync(run_fd_) == 0;
}

}  // namespace ccsched
