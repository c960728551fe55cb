// Starts and stops the attempts of this node, each exactly once.
// SPDX-License-Identifier: Apache-2.0
#include "agent/job_runner.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/pidfd.h"
#include "agent/run_file.h"
#include "agent/stop_signal.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kClockOffMax = absl::Seconds(2);
constexpr int64_t kLookForDeclineNs = kNanosPerSecond / 4;

absl::Duration TimeLimit(const v1::StartAttempt& start) {
  return start.has_time_limit() ? FromProto(start.time_limit())
                                : absl::InfiniteDuration();
}

// The agent's own, in which jobs leave files.
std::vector<std::string> OwnFoldersOf(const LaunchSettings& settings) {
  return {settings.state + "/tmp", settings.state + "/work"};
}

// All in which they do, each once.
std::vector<std::string> TrashFoldersOf(const LaunchSettings& settings) {
  std::vector<std::string> folders = OwnFoldersOf(settings);
  if (settings.tmp != folders[0]) folders.push_back(settings.tmp);
  return folders;
}

}  // namespace

v1::AttemptStatus JobRunner::StatusOf(AttemptId id,
                                      const KnownAttempt& attempt) {
  v1::AttemptStatus status;
  *status.mutable_key() = ToProto(id);
  *status.mutable_started() = ToProto(attempt.started);
  return status;
}

JobRunner::JobRunner(EventLoop& loop, AttemptStore& store, AttemptMeter& meter,
                     RunnerOptions options, Send send)
    : loop_(loop),
      store_(store),
      meter_(meter),
      options_(std::move(options)),
      send_(std::move(send)),
      samples_(store, send_),
      users_(loop, options_.users),
      run_files_(options_.launch.state + "/run"),
      trash_(options_.launch.id, TrashFoldersOf(options_.launch)),
      tmps_(trash_) {
  std::set<std::string> needed;
  for (const auto& [id, attempt] : store_.book().attempts()) {
    needed.insert(TmpOf(options_.launch, attempt.tag));
    needed.insert(PathsOf(options_.launch.state, id).folder);
  }
  for (const std::string& own : OwnFoldersOf(options_.launch)) {
    RemoveLeftOvers(own, needed, trash_);
  }
  if (!store_.book().registered()) return;
  time_.emplace(*store_.book().registered());
  meter_.set_clock(*time_);
}

JobRunner::~JobRunner() {
  if (store_.committing()) store_.EndCommit().IgnoreError();
  for (const auto& [id, running] : running_) {
    if (running.supervised.process.valid()) {
      loop_.Forget(running.supervised.process.get());
    }
  }
}

// Where this machine's clock is wrong, the scheduler's stands in for it: the
// origin is moved by the difference, and kept so.
void JobRunner::SetClock(const v1::Registered& registered, absl::Duration age) {
  v1::Registered settled = registered;
  settled.clear_now();
  const auto off = [&](const ClusterTime& time) {
    return registered.has_now() ? FromProto(registered.now()) - time.Now()
                                : absl::ZeroDuration();
  };
  const auto right = [&](const ClusterTime& time) {
    return absl::AbsDuration(time.ToReal(off(time))) <= kClockOffMax + age;
  };
  if (const auto& known = store_.book().registered()) {
    v1::Registered like = settled;
    if (registered.has_now()) {
      *like.mutable_clock_origin() = known->clock_origin();
    }
    if (known->SerializeAsString() == like.SerializeAsString() &&
        right(*time_)) {
      return;
    }
  }
  const ClusterTime plain(settled);
  if (!right(plain)) {
    Log(LogLevel::kWarning, "this machine's clock is wrong",
        {{"seconds_behind", absl::ToDoubleSeconds(plain.ToReal(off(plain)))}});
    *settled.mutable_clock_origin() =
        ToProto(FromProto(settled.clock_origin()) + off(plain));
  }
  time_.emplace(settled);
  meter_.set_clock(*time_);
  store_.SetRegistered(settled);
}

void JobRunner::Start(const v1::StartAttempt& start) {
  const AttemptId id = FromProto(start.key());
  if (asked_.contains(id)) return;  // told once more
  const auto user = UserToFind(start.spec(), options_.launch);
  if (!user || no_starts_) {
    starts_.push_back({.start = start, .user = {}});
    return;
  }
  asked_[id] = start;
  users_.Look(*user, [this, id](absl::StatusOr<User> found) {
    OnUserFound(id, std::move(found));
  });
}

void JobRunner::OnUserFound(AttemptId id, absl::StatusOr<User> user) {
  const auto asked = asked_.find(id);
  if (asked == asked_.end()) return;  // it was stopped meanwhile
  starts_.push_back(
      {.start = std::move(asked->second), .user = std::move(user)});
  asked_.erase(asked);
}

// Takes the batch's starts one by one: each either becomes accepted, waits,
// has ended before it began, or is of the past.
void JobRunner::Accept(const Wanted& wanted) {
  const v1::StartAttempt& start = wanted.start;
  const AttemptId id = FromProto(start.key());
  switch (store_.book().Check(id)) {
    case FenceCheck::kSame:
      if (FindAccepted(id) != nullptr || (files_ && files_->start == id)) {
        return;  // told once it runs
      }
      if (const KnownAttempt* known = store_.book().Find(id)) {
        return Report(known->ended && IsRecorded(id) ? *known->ended
                                                     : StatusOf(id, *known));
      }
      // Its end is on record with the scheduler, which then does not mind; or
      // it could not be put on disk here, and word of that was lost.
      return ReportRefused(id, "refused before, or ended long ago");
    case FenceCheck::kStale:
      return ReportRefused(
          id, absl::StrCat("stale: attempt ", store_.book().fence(id.job),
                           " of this job was started here"));
    case FenceCheck::kNew:
      break;
  }
  if (no_starts_) return RefuseToStart(id);
  if (WaitsForOlder(wanted)) return;
  if (wanted.user && !wanted.user->ok()) {
    return RefuseFor(id, wanted.user->status());
  }
  const auto accelerators = store_.book().FreeAccelerators(start.count());
  if (!accelerators) {
    EndAtOnce(id, v1::OUTCOME_REFUSED,
              absl::StrCat(start.count(), " accelerators wanted, ",
                           store_.book().free_count(), " of ",
                           store_.book().count(), " are free"));
    return;
  }
  v1::AttemptAccepted record;
  *record.mutable_key() = start.key();
  record.mutable_accelerators()->Assign(accelerators->begin(),
                                        accelerators->end());
  *record.mutable_started() = ToProto(time_->Now());
  record.set_began_boot_ns(BootNanos());
  record.set_tag(NewTag(id));
  record.set_rank(start.rank());
  const User* const user = wanted.user ? &**wanted.user : nullptr;
  absl::StatusOr<LaunchSpec> spec =
      BuildLaunch(start, *accelerators, record.tag(),
                  time_->ToReal(TimeLimit(start)), user, options_.launch);
  if (!spec.ok()) return RefuseFor(id, spec.status());
  spec->began_ns = record.began_boot_ns();
  record.set_output(spec->output);
  record.set_grace_ms(spec->grace_ns / 1'000'000);
  store_.Accept(record);
  batch_.accepted.push_back({.id = id,
                             .spec = *std::move(spec),
                             .script = start.spec().script(),
                             .over = {}});
}

void JobRunner::RefuseFor(AttemptId id, const absl::Status& why) {
  const std::string message(why.message());
  // The next start would fare no better.
  const bool node_at_fault = absl::IsUnavailable(why);
  if (node_at_fault) OnStartFailed(message);
  EndAtOnce(id, v1::OUTCOME_REFUSED, message, node_at_fault);
}

// Without a record here: it may be told of again.
void JobRunner::ReportRefused(AttemptId id, const std::string& message) {
  v1::AttemptStatus status;
  *status.mutable_key() = ToProto(id);
  status.set_outcome(v1::OUTCOME_REFUSED);
  *status.mutable_started() = ToProto(time_->Now());
  *status.mutable_ended() = status.started();
  status.set_message(message);
  Report(status);
}

// No two attempts of a job at once: an older one that still runs here is
// killed, and the newer one starts when it is gone.
bool JobRunner::WaitsForOlder(const Wanted& wanted) {
  const AttemptId id = FromProto(wanted.start.key());
  bool waits = false;
  for (auto it = running_.lower_bound(AttemptId{id.job, 0});
       it != running_.end() && it->first.job == id.job; ++it) {
    SignalStop(it->first, it->second, EncodeStop(StopKind::kStop, 0));
    waits = true;
  }
  for (auto* const all :
       {&batch_.accepted, &committing_.accepted, &on_record_}) {
    for (Accepted& older : *all) {
      if (older.id.job != id.job) continue;
      older.over = v1::OUTCOME_STOPPED;
      waits = true;
    }
  }
  if (!waits) return false;
  Wanted& waiting = waiting_[id.job];
  if (waiting.start.key().epoch() < id.epoch) waiting = wanted;
  return true;
}

// An attempt that ends without having run: on record like any other.
void JobRunner::EndAtOnce(AttemptId id, v1::Outcome outcome,
                          const std::string& message, bool node_at_fault) {
  v1::AttemptAccepted accepted;
  *accepted.mutable_key() = ToProto(id);
  *accepted.mutable_started() = ToProto(time_->Now());
  if (store_.book().Find(id) == nullptr) store_.Accept(accepted);
  v1::AttemptStatus status = StatusOf(id, *store_.book().Find(id));
  *status.mutable_ended() = status.started();
  status.set_outcome(outcome);
  status.set_message(message);
  status.set_node_at_fault(node_at_fault);
  Finish(status, std::nullopt);
}

// It would outlive an agent that ends its jobs, and keep any other from ending.
void JobRunner::RefuseToStart(AttemptId id) {
  EndAtOnce(id, v1::OUTCOME_REFUSED, "the agent of its node is being stopped",
            /*node_at_fault=*/true);
}

void JobRunner::Track(AttemptId id, Running running) {
  running_[id] = std::move(running);
  Follow(id, running_[id]);
}

void JobRunner::Follow(AttemptId id, Running& running) {
  const int fd = running.supervised.process.get();
  if (fd < 0) return;
  loop_.Watch(fd, [this, id] { OnGone(id); });
  if (running.stop) SignalStop(id, running, *running.stop);
  if (ending_) pidfd_send_signal(fd, SIGTERM, nullptr, 0);
}

void JobRunner::Stop(const v1::StopAttempt& stop) {
  const AttemptId id = FromProto(stop.key());
  const bool resize = stop.why() == v1::StopAttempt::RESIZE;
  const bool suspend = resize || stop.why() == v1::StopAttempt::SUSPEND;
  const auto found = running_.find(id);
  if (found != running_.end()) {
    Running& running = found->second;
    const int64_t grace_ms =
        stop.has_grace() ? absl::ToInt64Milliseconds(FromProto(stop.grace()))
                         : store_.book().Find(id)->grace_ms;
    if (running.suspend_look) loop_.Cancel(*running.suspend_look);
    running.suspend_look.reset();
    if (suspend && running.supervised.run.valid()) {
      running.declined_before =
          RunFile(running.supervised.run.get()).declined();
    }
    SignalStop(id, running,
               EncodeStop(resize    ? StopKind::kResize
                          : suspend ? StopKind::kSuspend
                                    : StopKind::kStop,
                          grace_ms));
    if (suspend) {
      running.suspend_look = loop_.At(BootNanos() + kLookForDeclineNs,
                                      [this, id] { LookForDecline(id); });
    }
    return;
  }
  if (Accepted* const accepted = FindAccepted(id)) {
    accepted->over = v1::OUTCOME_STOPPED;
    return;
  }
  if (const KnownAttempt* known = store_.book().Find(id)) {
    if (known->ended && IsRecorded(id)) ReportFinished(id);
    return;
  }
  // Not started yet, or never heard of: from now on it can't be started.
  const auto waiting = waiting_.find(id.job);
  if (waiting != waiting_.end() &&
      FromProto(waiting->second.start.key()) == id) {
    waiting_.erase(waiting);
  }
  asked_.erase(id);
  std::erase_if(starts_, [&](const Wanted& wanted) {
    return FromProto(wanted.start.key()) == id;
  });
  EndAtOnce(id, v1::OUTCOME_STOPPED, "stopped before it was started here");
}

void JobRunner::SignalStop(AttemptId id, Running& running, int value) {
  running.stop = value;
  if (!running.supervised.process.valid()) return;  // sent when it is known
  siginfo_t info{};
  info.si_signo = StopSignalNumber();
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_int = value;
  if (pidfd_send_signal(running.supervised.process.get(), info.si_signo, &info,
                        0) != 0 &&
      errno != ESRCH) {
    Log(LogLevel::kError, "job not told to stop",
        {{"attempt", id.ToString()}, {"error", strerror(errno)}});
  }
}

void JobRunner::EndAll() {
  no_starts_ = ending_ = true;
  for (const auto& [id, running] : running_) {
    if (!running.supervised.process.valid()) continue;
    pidfd_send_signal(running.supervised.process.get(), SIGTERM, nullptr, 0);
  }
  while (!waiting_.empty()) LetNext(waiting_.begin()->first);
  for (auto& [id, start] : std::exchange(asked_, {})) {
    starts_.push_back({.start = std::move(start), .user = {}});
  }
}

// Its supervisor knows: until it has said no, or nothing by its deadline, the
// job may still be saving, or be about to be ended, its state saved.
void JobRunner::LookForDecline(AttemptId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  Running& running = found->second;
  running.suspend_look.reset();
  if (RunFile(running.supervised.run.get()).declined() ==
      running.declined_before) {
    running.suspend_look = loop_.At(BootNanos() + kLookForDeclineNs,
                                    [this, id] { LookForDecline(id); });
    return;
  }
  running.stop.reset();
  v1::AttemptStatus status = StatusOf(id, *store_.book().Find(id));
  status.set_goes_on(true);
  status.set_message("asked to save its state, it did not: the job goes on");
  Report(status);
}

void JobRunner::Acknowledge(const v1::Acknowledge& acknowledge) {
  for (const v1::AttemptKey& key : acknowledge.ended()) {
    const AttemptId id = FromProto(key);
    const KnownAttempt* known = store_.book().Find(id);
    // What is not on disk here yet was not told, and is told once it is.
    if (known == nullptr || !known->ended || !IsRecorded(id)) continue;
    to_remove_.insert(id);
  }
  NextFiles();
  for (const v1::SampleTaken& taken : acknowledge.sampled()) {
    samples_.Taken(FromProto(taken.key()), FromProto(taken.until()));
  }
  if (acknowledge.has_node_until()) {
    samples_.NodeTaken(FromProto(acknowledge.node_until()));
  }
}

std::vector<v1::AttemptStatus> JobRunner::Known() const {
  std::vector<v1::AttemptStatus> all;
  for (const auto& [id, attempt] : store_.book().attempts()) {
    all.push_back(StatusOf(id, attempt));
  }
  return all;
}

void JobRunner::ReportEnded() {
  for (const auto& [id, attempt] : store_.book().attempts()) {
    if (attempt.ended && IsRecorded(id)) ReportFinished(id);
  }
}

void JobRunner::SetUnfit(Obstacle obstacle, const std::string& why) {
  if (unfit_) unfit_(obstacle, why);
}

void JobRunner::OnStartFailed(const std::string& why) {
  failed_at_ns_ = BootNanos();
  SetUnfit(Obstacle::kStart, why);
}

void JobRunner::Report(const v1::AttemptStatus& status) {
  v1::AgentMessage message;
  *message.mutable_status() = status;
  send_(std::move(message));
}

void JobRunner::ReportFinished(AttemptId id) {
  const KnownAttempt* known = store_.book().Find(id);
  if (known == nullptr || !known->ended) return;
  if (known->last_sample) {
    v1::AgentMessage message;
    *message.mutable_telemetry()->add_samples() = *known->last_sample;
    send_(std::move(message));
  }
  Report(*known->ended);
}

}  // namespace ccsched
