// How attempts end: seen, found after a restart, measured and recorded.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/boot_clock.h"
#include "agent/cgroup.h"
#include "agent/job_runner.h"
#include "agent/launch_spec.h"
#include "agent/left_overs.h"
#include "agent/process_cpu.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// So many supervisors that died of themselves, and none between them that came
// to its job's end: another would fare no better.
constexpr int kDeathsMax = 3;

// What a supervisor says that never came to life: it could not be executed
// (127), what it should run was not for it, or it died of itself.
std::string NeverLived(const siginfo_t& info) {
  if (info.si_pid == 0) return "";
  if (info.si_code != CLD_EXITED) {
    // From outside: as in the middle of a job.
    if (info.si_status == SIGKILL || info.si_status == SIGTERM) return "";
    return absl::StrCat("ccsched-supervise does not run here: signal ",
                        info.si_status);
  }
  if (info.si_status == kOtherVersionExit) {
    return "ccsched-supervise is of another build than the agent";
  }
  return absl::StrCat("ccsched-supervise does not run here: exit status ",
                      info.si_status);
}

// What is said of one that lived and left no end behind.
std::string DiedMidway(const siginfo_t& info) {
  if (info.si_pid == 0) return "its supervisor was killed";
  if (info.si_code == CLD_EXITED) {
    return absl::StrCat("its supervisor could not record the end: exit status ",
                        info.si_status);
  }
  return absl::StrCat("its supervisor was killed by signal ", info.si_status);
}

// Not killed from outside: of such deaths in a row something is the cause.
bool DiedOfItself(const siginfo_t& info) {
  if (info.si_pid == 0) return false;
  return info.si_code == CLD_EXITED ||
         (info.si_status != SIGKILL && info.si_status != SIGTERM);
}

v1::Outcome OutcomeOf(const RunEnd& end) {
  switch (end.cause) {
    case EndCause::kLease:
    case EndCause::kShutdown:
      return v1::OUTCOME_LOST;
    case EndCause::kLimit:
      return v1::OUTCOME_TIMED_OUT;
    case EndCause::kStop:
      return v1::OUTCOME_STOPPED;
    case EndCause::kSuspend:
      return v1::OUTCOME_SUSPENDED;
    case EndCause::kOwn:
      break;
  }
  if (end.kind == EndKind::kRefused || end.kind == EndKind::kBroken) {
    return v1::OUTCOME_REFUSED;
  }
  return end.kind == EndKind::kExited && end.value == 0 ? v1::OUTCOME_SUCCEEDED
                                                        : v1::OUTCOME_FAILED;
}

std::string MessageOf(const RunEnd& end) {
  if (end.out_of_memory) return "out of memory: killed by the kernel";
  if (!end.message.empty()) return end.message;
  if (end.core_dumped) return "dumped core";
  if (end.kind == EndKind::kKilled && end.value == SIGKILL &&
      end.cause == EndCause::kOwn) {
    return "killed by a signal that nobody here sent, as for want of memory";
  }
  return "";
}

void FillEnd(const RunEnd& end, const ClusterTime& time,
             v1::AttemptStatus& status) {
  status.set_checkpoint(end.checkpoint);
  if (!end.checkpoint.empty()) {
    *status.mutable_checkpoint_cost() =
        ToProto(time.ToCluster(absl::Nanoseconds(end.checkpoint_cost_ns)));
  }
  status.set_outcome(OutcomeOf(end));
  status.set_message(MessageOf(end));
  status.set_node_at_fault(end.kind == EndKind::kBroken);
  if (end.kind == EndKind::kExited || end.kind == EndKind::kNotFound) {
    status.set_exit_code(end.value);
  } else if (end.kind == EndKind::kKilled) {
    status.set_signal(end.value);
  }
}

}  // namespace

std::string JobRunner::NewTag(AttemptId id) const {
  uint64_t random = 0;
  [[maybe_unused]] const ssize_t n = getrandom(&random, sizeof(random), 0);
  return absl::StrFormat("%s-%016x", id.ToString(), random);
}

void JobRunner::Adopt() {
  std::vector<AttemptId> open;
  for (const auto& [id, attempt] : store_.book().attempts()) {
    if (!attempt.ended) open.push_back(id);
  }
  for (const AttemptId id : open) AdoptOne(id);
  if (!open.empty()) {
    Log(LogLevel::kInfo, "took up attempts",
        {{"on record", open.size()}, {"running", running_.size()}});
  }
}

void JobRunner::AdoptOne(AttemptId id) {
  const KnownAttempt& known = *store_.book().Find(id);
  Adopted adopted = FindSupervisor(PathsOf(options_.launch.state, id));
  Running running;
  running.supervised = std::move(adopted.supervised);
  running.use.counted = {.until = known.sampled_until,
                         .cpu_ns = known.sampled_cpu_ns};
  std::optional<v1::CountersSeen> counters = known.sampled_counters;
  if (!known.kept.empty()) {
    const v1::SampleKept& last = known.kept.back();
    counters.reset();
    if (last.has_counters()) counters = last.counters();
    running.use.counted = {.until = FromProto(last.sample().end()),
                           .cpu_ns = last.cpu_ns()};
    running.use.utilisation = last.sample().utilisation();
  }
  running.use.counted_at_ns =
      known.began_ns + absl::ToInt64Nanoseconds(time_->ToReal(
                           running.use.counted.until - known.started));
  if (const auto before = running_.find(id); before != running_.end()) {
    running.stop = before->second.stop;
  }
  // What ended meanwhile left its accelerators idle: its counters say too much.
  if (adopted.remains == Remains::kAlive) {
    meter_.TakeUp(known, counters, BootNanos(), running.use);
  }
  Track(id, std::move(running));
  switch (adopted.remains) {
    case Remains::kAlive:
      return;
    case Remains::kNascent:
      // It has its lock and will say its number as the first thing it does.
      loop_.At(BootNanos() + kNanosPerSecond / 100, [this, id] {
        if (running_.contains(id)) AdoptOne(id);
      });
      return;
    case Remains::kGone:
      OnGone(id);
      return;
  }
}

void JobRunner::KillAllOf(AttemptId id, const std::string& tag) {
  const std::string& root = options_.launch.cgroup_root;
  const std::string group = PathsOf(options_.launch.state, id).cgroup;
  const Cgroup cgroup(root.empty() ? "" : absl::StrCat(root, "/", group));
  cgroup.KillAll();
  const bool clean = KillLeftOvers(tag);
  cgroup.Remove();
  if (clean) return;
  Log(LogLevel::kError, "processes of a lost attempt can't be killed",
      {{"attempt", id.ToString()}});
}

// A supervisor that left no end behind: one that `lived` may have run its job.
void JobRunner::JudgeDeath(const siginfo_t& info, bool lived,
                           v1::AttemptStatus& status) {
  if (info.si_pid != 0) {
    Log(LogLevel::kError, "a supervisor died",
        {{"attempt", FromProto(status.key()).ToString()},
         {"pid", info.si_pid},
         {info.si_code == CLD_EXITED ? "exit_status" : "signal",
          info.si_status}});
  }
  const std::string why = lived ? "" : NeverLived(info);
  if (!why.empty()) {
    status.set_outcome(v1::OUTCOME_REFUSED);
    status.set_message(why);
    status.set_node_at_fault(true);
    return OnStartFailed(why);
  }
  status.set_outcome(v1::OUTCOME_LOST);
  status.set_message(DiedMidway(info));
  if (!DiedOfItself(info)) return;
  status.set_supervisor_died(true);
  if (++deaths_ < kDeathsMax) return;
  OnStartFailed(absl::StrCat(
      deaths_, " jobs lost in a row, at last: ", DiedMidway(info)));
}

// The supervisor is gone, and with it, unless it was killed, all of the job.
void JobRunner::OnGone(AttemptId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  const Running running = std::move(found->second);
  running_.erase(found);
  if (running.suspend_look) loop_.Cancel(*running.suspend_look);
  const bool watched = running.supervised.process.valid();
  Failpoint("agent.ended");
  siginfo_t info{};  // stays so if it is no child of ours: ECHILD
  if (watched) {
    loop_.Forget(running.supervised.process.get());
    waitid(P_PIDFD, running.supervised.process.get(), &info, WEXITED | WNOHANG);
  }
  const KnownAttempt& known = *store_.book().Find(id);
  v1::AttemptStatus status;
  *status.mutable_key() = ToProto(id);
  *status.mutable_started() = ToProto(known.started);
  std::optional<RunEnd> end;
  bool lived = true;
  absl::Duration alive;  // as long as its supervisor has said
  if (running.supervised.run.valid()) {
    const RunFile run(running.supervised.run.get());
    end = run.end();
    lived = run.supervisor().has_value();
    alive = time_->ToCluster(absl::Nanoseconds(run.alive_ns()));
  }
  absl::Time ended;
  if (end) {
    deaths_ = 0;
    ended =
        known.started + time_->ToCluster(absl::Nanoseconds(end->elapsed_ns));
    FillEnd(*end, *time_, status);
    if (status.node_at_fault()) {
      OnStartFailed(status.message());
    } else if (failed_at_ns_ && known.began_ns > *failed_at_ns_ &&
               status.outcome() != v1::OUTCOME_REFUSED) {
      failed_at_ns_.reset();
      SetUnfit(Obstacle::kStart, "");
    }
  } else {
    KillAllOf(id, known.tag);
    // Seen to go: now. Otherwise: when it was last known to run.
    ended = std::max(running.use.counted.until, known.started + alive);
    if (watched) {
      ended = running.use.counted.until;
      ended += time_->ToCluster(
          absl::Nanoseconds(BootNanos() - running.use.counted_at_ns));
    }
    JudgeDeath(info, lived, status);
  }
  ended = std::max(ended, running.use.counted.until);
  *status.mutable_ended() = ToProto(ended);
  std::optional<int64_t> cpu_ns;
  if (end) cpu_ns = end->cpu_ns;
  Finish(status,
         meter_.Last(id, known, running.use, ended, cpu_ns, BootNanos()));
}

void JobRunner::Finish(const v1::AttemptStatus& status,
                       const std::optional<v1::EnergySample>& sample) {
  const AttemptId id = FromProto(status.key());
  samples_.Close(id);
  v1::AttemptFinished finished;
  *finished.mutable_status() = status;
  if (sample) *finished.mutable_sample() = *sample;
  store_.Finish(finished);
  batch_.finished.push_back(id);
  LetNext(id.job);
  if (ended_) ended_(id);
}

void JobRunner::Sample() {
  std::vector<pid_t> roots;
  for (const auto& [id, running] : running_) {
    roots.push_back(running.supervised.pid);
  }
  const auto cpu = CpuNanosOfTrees(roots);
  std::vector<AttemptMeter::Running> attempts;
  std::map<AttemptId, int64_t> cpu_of;
  for (auto& [id, running] : running_) {
    AttemptMeter::Running& attempt = attempts.emplace_back();
    attempt.id = id;
    attempt.attempt = store_.book().Find(id);
    attempt.state = &running.use;
    const auto found = cpu.find(running.supervised.pid);
    if (found == cpu.end()) continue;
    attempt.cpu_ns = found->second;
    cpu_of[id] = found->second;
  }
  const int64_t now_ns = BootNanos();
  for (const v1::EnergySample& sample : meter_.Sample(attempts, now_ns)) {
    const AttemptId id = FromProto(sample.key());
    samples_.Put(sample, cpu_of[id], running_.at(id).use.counters);
  }
  samples_.PutNode(meter_.Node(now_ns));
}

}  // namespace ccsched
