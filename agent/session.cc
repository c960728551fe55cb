// The agent's side of the stream: registration, lease, heartbeats, commands.
// SPDX-License-Identifier: Apache-2.0
#include "agent/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "scheduler/base/log.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr int64_t kBackoffMinNs = kNanosPerSecond / 10;
constexpr int64_t kBackoffMaxNs = 15 * kNanosPerSecond;
// A scheduler that accepts the connection must answer within this.
constexpr int64_t kRegisterWaitNs = 20 * kNanosPerSecond;
constexpr int64_t kCheckNs = 10 * kNanosPerSecond;
// After starts that failed one after another.
constexpr int64_t kTryAgainNsMax = 600 * kNanosPerSecond;
constexpr absl::Duration kDefaultLease = absl::Minutes(10);
constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(5);

int64_t Nanos(const google::protobuf::Duration& d, absl::Duration absent) {
  const absl::Duration value = FromProto(d);
  return absl::ToInt64Nanoseconds(value > absl::ZeroDuration() ? value
                                                               : absent);
}

}  // namespace

Session::Session(EventLoop& loop, AttemptStore& store, AttemptMeter& meter,
                 LeaseFile& lease, Dial dial, SessionOptions options)
    : loop_(loop),
      store_(store),
      meter_(meter),
      lease_(lease),
      dial_(std::move(dial)),
      options_(std::move(options)),
      random_(options_.seed),
      runner_(loop, store, meter, options_.runner,
              [this](v1::AgentMessage m) { Send(std::move(m)); }),
      logs_(
          loop, options_.runner.launch.state,
          {.running = [this](AttemptId id) { return runner_.IsRunning(id); },
           .known =
               [this](AttemptId id) {
                 return runner_.IsRunning(id) ||
                        store_.book().fence(id.job) >= id.epoch;
               }},
          [this](v1::LogData data) {
            v1::AgentMessage message;
            *message.mutable_log() = std::move(data);
            Send(std::move(message));
          },
          [this] {
            return link_ != nullptr &&
                   link_->queued() < SchedulerLink::kQueuedMany;
          }),
      log_keeper_(loop, options_.runner.launch.state + "/logs", {},
                  [this](AttemptId id) { return runner_.IsRunning(id); }) {
  runner_.set_ended([this](AttemptId id) { OnEnded(id); });
  runner_.set_unfit([this](Obstacle obstacle, const std::string& why) {
    OnUnfit(obstacle, why);
  });
}

Session::~Session() {
  loop_.set_after_batch(nullptr);
  for (const auto& timer : {heartbeat_timer_, connect_timer_, sample_timer_,
                            poll_timer_, check_timer_, try_timer_}) {
    if (timer) loop_.Cancel(*timer);
  }
}

void Session::Begin() {
  loop_.set_after_batch([this] {
    runner_.Settle();
    if (all_ended_ && runner_.idle()) std::exchange(all_ended_, nullptr)();
  });
  if (options_.check) {
    const absl::Status fit = options_.check();
    if (!fit.ok()) OnUnfit(Obstacle::kSupervisor, std::string(fit.message()));
  }
  runner_.Adopt();
  // Without jobs an old lease means nothing; its time may be of another boot.
  if (runner_.running_count() == 0) lease_.set_deadline(0);
  runner_.Settle();
  if (meter_.polls()) PollSoon();
  log_keeper_.Begin();
  Connect();
}

// Running jobs go on; the scheduler sends no new ones.
void Session::OnUnfit(Obstacle obstacle, const std::string& why) {
  const bool news = !why.empty() && !obstacles_.contains(obstacle);
  if (why.empty()) {
    obstacles_.erase(obstacle);
  } else {
    obstacles_[obstacle] = why;
  }
  if (obstacle == Obstacle::kStart) {
    if (why.empty()) failed_starts_ = 0;
    // Each try may cost a job its way here: ever more seldom.
    if (news) {
      TryAgainSoon(
          std::min(kTryAgainNsMax, kCheckNs << std::min(failed_starts_++, 8)));
    }
  }
  // A disk with room again may have been all that was wrong.
  const bool room = obstacle == Obstacle::kJournal && why.empty();
  if (room && obstacles_.contains(Obstacle::kStart)) TryAgainSoon(0);
  if (obstacles_.contains(Obstacle::kSupervisor)) {
    CheckSoon(room ? 0 : kCheckNs);
  }
  JudgeHealth();
}

void Session::JudgeHealth() {
  std::string all;
  for (const auto& [which, text] : obstacles_) {
    absl::StrAppend(&all, all.empty() ? "" : "; ", text);
  }
  if (all == unfit_) return;
  unfit_ = all;
  Log(all.empty() ? LogLevel::kInfo : LogLevel::kError,
      all.empty() ? "fit for new jobs again" : "unfit for new jobs",
      {{"node", options_.identity.node()}, {"reason", all}});
  SayHealth();
}

// What changes while the scheduler has not answered the registration, which
// said how it was then, is said after it.
void Session::SayHealth() {
  if (!registered_ || said_ == unfit_) return;
  said_ = unfit_;
  v1::AgentMessage message;
  message.mutable_health()->set_unfit(unfit_);
  SendNow(std::move(message));
}

void Session::CheckSoon(int64_t after_ns) {
  if (!options_.check || (check_timer_ && after_ns > 0)) return;
  if (check_timer_) loop_.Cancel(*check_timer_);
  check_timer_ = loop_.At(BootNanos() + after_ns, [this] {
    check_timer_.reset();
    const absl::Status fit = options_.check();
    OnUnfit(Obstacle::kSupervisor, std::string(fit.message()));
  });
}

void Session::TryAgainSoon(int64_t after_ns) {
  if (try_timer_) loop_.Cancel(*try_timer_);
  try_timer_ = loop_.At(BootNanos() + after_ns, [this] {
    try_timer_.reset();
    TryAgain();
  });
}

// The next start shows whether the node can be used; not without a supervisor.
void Session::TryAgain() {
  obstacles_.erase(Obstacle::kStart);
  const absl::Status fit = options_.check ? options_.check() : absl::OkStatus();
  OnUnfit(Obstacle::kSupervisor, std::string(fit.message()));
}

// What was wrong has been mended, an operator says.
void Session::OnResume() {
  failed_starts_ = 0;
  if (try_timer_) loop_.Cancel(*try_timer_);
  try_timer_.reset();
  if (!obstacles_.empty()) TryAgain();
}

void Session::OnEnded(AttemptId id) { logs_.OnEnded(id); }

void Session::EndJobs(std::function<void()> done) {
  all_ended_ = std::move(done);
  // First: so that what is refused is not sent here again.
  OnUnfit(Obstacle::kEnding, "its agent ends its jobs, and itself");
  runner_.EndAll();
}

// Power sensors have no memory, so they are looked at every second.
void Session::PollSoon() {
  meter_.Poll(BootNanos());
  poll_timer_ = loop_.At(BootNanos() + kNanosPerSecond, [this] {
    poll_timer_.reset();
    PollSoon();
  });
}

void Session::Connect() {
  connect_timer_.reset();
  link_ = dial_({.messages = [this](const auto& m) { OnMessages(m); },
                 .closed = [this](const absl::Status& s) { OnClosed(s); },
                 .drained = [this] { logs_.Pump(); }});
  v1::AgentMessage message;
  v1::Register& hello = *message.mutable_register_();
  hello = options_.identity;
  hello.set_unfit(unfit_);
  said_ = unfit_;
  for (v1::AttemptStatus& known : runner_.Known()) {
    *hello.add_attempts() = std::move(known);
  }
  register_sent_ns_ = BootNanos();
  SendNow(std::move(message));
  heartbeat_timer_ = loop_.At(register_sent_ns_ + kRegisterWaitNs, [this] {
    OnClosed(absl::DeadlineExceededError("the scheduler did not answer"));
  });
}

// Drops it where nobody who could use it is there: what must not get lost is
// sent again after the next registration.
void Session::Send(v1::AgentMessage message) {
  if (registered_) SendNow(std::move(message));
}

uint64_t Session::SendNow(v1::AgentMessage message) {
  message.set_sequence(++sequence_);
  link_->Send(std::move(message));
  return sequence_;
}

void Session::OnMessages(const std::vector<v1::SchedulerMessage>& messages) {
  for (const v1::SchedulerMessage& message : messages) {
    if (link_ == nullptr) return;  // closed by one of them
    OnMessage(message);
  }
}

void Session::OnMessage(const v1::SchedulerMessage& message) {
  if (message.has_registered()) return OnRegistered(message.registered());
  if (message.has_refused()) {
    failures_ = std::max(failures_, 8);  // no use in asking again soon
    return OnClosed(absl::PermissionDeniedError(message.refused().message()));
  }
  if (!registered_) return;
  switch (message.kind_case()) {
    case v1::SchedulerMessage::kStart:
      return runner_.Start(message.start());
    case v1::SchedulerMessage::kStop:
      return runner_.Stop(message.stop());
    case v1::SchedulerMessage::kAcknowledge:
      return runner_.Acknowledge(message.acknowledge());
    case v1::SchedulerMessage::kLease:
      return OnLease(message.lease().sequence());
    case v1::SchedulerMessage::kReadLog:
      return logs_.Handle(message.read_log());
    case v1::SchedulerMessage::kResume:
      return OnResume();
    default:
      return;  // of a later version
  }
}

void Session::OnRegistered(const v1::Registered& registered) {
  registered_ = true;
  failures_ = 0;
  last_error_.clear();
  lease_ns_ = Nanos(registered.lease(), kDefaultLease);
  heartbeat_ns_ = Nanos(registered.heartbeat(), kDefaultHeartbeat);
  Log(LogLevel::kInfo, "registered",
      {{"node", options_.identity.node()},
       {"lease_s", static_cast<double>(lease_ns_) / kNanosPerSecond},
       {"running", runner_.running_count()}});
  Extend(register_sent_ns_);
  runner_.SetClock(registered,
                   absl::Nanoseconds(BootNanos() - register_sent_ns_));
  SayHealth();
  runner_.samples().Resend();
  runner_.ReportEnded();
  Heartbeat();
  if (!sample_timer_) SampleSoon();
}

// The lease counts from when the scheduler was asked, not from its answer: so
// it ends here before it ends there.
void Session::Extend(int64_t sent_ns) {
  const int64_t margin = std::min(kNanosPerSecond, lease_ns_ / 20);
  lease_.set_deadline(
      std::max(lease_.deadline(), sent_ns + lease_ns_ - margin));
}

void Session::OnLease(uint64_t sequence) {
  for (; !heartbeats_.empty() && heartbeats_.front().sequence <= sequence;
       heartbeats_.pop_front()) {
    if (heartbeats_.front().sequence == sequence) {
      Extend(heartbeats_.front().at_ns);
    }
  }
}

void Session::Heartbeat() {
  const int64_t now = BootNanos();
  if (heartbeat_timer_) loop_.Cancel(*heartbeat_timer_);
  if (!heartbeats_.empty() &&
      now - heartbeats_.front().at_ns > 3 * heartbeat_ns_) {
    return OnClosed(absl::DeadlineExceededError("no heartbeat was answered"));
  }
  v1::AgentMessage message;
  message.mutable_heartbeat();
  heartbeats_.push_back(
      {.sequence = SendNow(std::move(message)), .at_ns = now});
  heartbeat_timer_ = loop_.At(now + heartbeat_ns_, [this] {
    heartbeat_timer_.reset();
    Heartbeat();
  });
}

void Session::SampleSoon() {
  const int64_t interval = absl::ToInt64Nanoseconds(options_.sample_interval);
  sample_timer_ = loop_.At(BootNanos() + interval, [this] {
    sample_timer_.reset();
    // Else the next sample covers this time too.
    if (registered_ && link_->queued() < SchedulerLink::kQueuedMany) {
      runner_.Sample();
    }
    SampleSoon();
  });
}

void Session::Disconnect() {
  registered_ = false;
  heartbeats_.clear();
  logs_.Clear();
  if (heartbeat_timer_) loop_.Cancel(*heartbeat_timer_);
  heartbeat_timer_.reset();
  link_.reset();
}

void Session::OnClosed(const absl::Status& status) {
  Disconnect();
  const std::string error = status.ToString();
  if (error != last_error_) {
    Log(LogLevel::kWarning, "no connection to the scheduler",
        {{"status", status}});
    last_error_ = error;
  }
  const int64_t backoff =
      std::min(kBackoffMaxNs, kBackoffMinNs << std::min(failures_, 8));
  ++failures_;
  // Between half and all of it, so that a cluster does not come back at once.
  const auto wait =
      static_cast<int64_t>(backoff * (0.5 + 0.5 * random_.Uniform()));
  connect_timer_ = loop_.At(BootNanos() + wait, [this] { Connect(); });
}

}  // namespace ccsched
