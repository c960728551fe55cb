// One agent's stream: reads its messages, sends it commands, keeps its lease.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/agent_session.h"

#include <chrono>
#include <utility>

#include "scheduler/rpc/grpc_status.h"

namespace ccsched {

AgentSession* AgentSession::Begin(Inbox* inbox, AgentDirectory* directory,
                                  std::string certificate_name) {
  const std::shared_ptr<AgentSession> session(
      new AgentSession(inbox, directory, std::move(certificate_name)));
  session->self_ = session;
  session->StartRead(&session->incoming_);
  return session.get();
}

bool AgentSession::Send(v1::SchedulerMessage message) {
  const std::lock_guard lock(mutex_);
  if (finished_ || closing_.has_value()) return false;
  if (queue_.size() >= kQueueMax) {
    queue_.clear();
    closing_ = absl::ResourceExhaustedError("the agent reads too slowly");
    if (!writing_) FinishLocked();
    return false;
  }
  queue_.push_back(std::move(message));
  if (!writing_) WriteNextLocked();
  return true;
}

void AgentSession::Accept(std::shared_ptr<NodeLease> lease) {
  const std::lock_guard lock(mutex_);
  lease_ = std::move(lease);
}

void AgentSession::Close(absl::Status why) { End(std::move(why)); }

void AgentSession::End(absl::Status why) {
  const std::lock_guard lock(mutex_);
  if (finished_ || closing_.has_value()) return;
  closing_ = std::move(why);
  if (!writing_) WriteNextLocked();
}

// gRPC runs the callbacks of started operations later, never within the call,
// so they may be started under the lock.
void AgentSession::WriteNextLocked() {
  if (queue_.empty()) {
    writing_ = false;
    if (closing_.has_value()) FinishLocked();
    return;
  }
  writing_ = true;
  outgoing_ = std::move(queue_.front());
  queue_.pop_front();
  StartWrite(&outgoing_);
}

void AgentSession::FinishLocked() {
  if (finished_) return;
  finished_ = true;
  Finish(ToGrpc(closing_.value_or(absl::OkStatus())));
}

void AgentSession::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  if (!ok) {
    queue_.clear();
    if (!closing_.has_value()) {
      closing_ = absl::UnavailableError("the agent is gone");
    }
  }
  WriteNextLocked();
}

void AgentSession::OnReadDone(bool ok) {
  if (!ok) {
    End(absl::OkStatus());
    return;
  }
  if (Handle()) ReadNext();
}

void AgentSession::ReadNext() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  incoming_.Clear();
  StartRead(&incoming_);
}

bool AgentSession::Handle() {
  if (!introduced_) {
    if (!incoming_.has_register_()) {
      End(absl::InvalidArgumentError(
          "an agent's first message must be a Register"));
      return true;
    }
    introduced_ = true;
    return Forward(AgentHello{shared_from_this(),
                              std::move(*incoming_.mutable_register_())},
                   /*is_sample=*/false);
  }
  std::shared_ptr<NodeLease> lease;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  if (lease != nullptr && !lease->Renew(std::chrono::steady_clock::now())) {
    End(absl::FailedPreconditionError(
        "the node's lease is over: it must register again"));
    return true;
  }
  switch (incoming_.kind_case()) {
    case v1::AgentMessage::kHeartbeat:
      if (lease != nullptr) {
        v1::SchedulerMessage answer;
        answer.mutable_lease()->set_sequence(incoming_.sequence());
        Send(std::move(answer));
      }
      return true;
    case v1::AgentMessage::kStatus:
    case v1::AgentMessage::kHealth:
    case v1::AgentMessage::kTelemetry: {
      const bool is_sample = incoming_.has_telemetry();
      return Forward(AgentReport{shared_from_this(), std::move(incoming_)},
                     is_sample);
    }
    case v1::AgentMessage::kLog:
      return directory_->Route(
          std::move(*incoming_.mutable_log()),
          [self = shared_from_this()] { self->ReadNext(); });
    default:
      End(absl::InvalidArgumentError("a message of an unknown kind"));
      return true;
  }
}

bool AgentSession::Forward(Input input, bool is_sample) {
  {
    const std::lock_guard lock(mutex_);
    if (reports_.empty()) {
      const absl::Status pushed =
          inbox_->Push(input, Lane::kAgent, /*cost=*/1,
                       is_sample ? Urgency::kNextWake : Urgency::kNow);
      if (pushed.ok()) return true;
      if (!absl::IsResourceExhausted(pushed)) return true;  // it is stopping
    } else if (is_sample && reports_.size() >= kSamplesMax) {
      return true;
    }
    reports_.push_back(std::move(input));
    read_waits_ = reports_.size() >= kReportsMax;
    if (reports_.size() > 1) return !read_waits_;
  }
  WaitForRoom();
  return true;
}

void AgentSession::WaitForRoom() {
  inbox_->WhenRoom([self = shared_from_this()] { self->Drain(); });
}

void AgentSession::Drain() {
  bool read = false, full = false;
  {
    const std::lock_guard lock(mutex_);
    while (!reports_.empty() && !full) {
      const absl::Status pushed = inbox_->Push(reports_.front(), Lane::kAgent);
      full = absl::IsResourceExhausted(pushed);
      if (!full) reports_.pop_front();
    }
    if (read_waits_ && reports_.size() < kReportsMax) {
      read_waits_ = false;
      read = true;
    }
  }
  if (full) WaitForRoom();
  if (read) ReadNext();
}

void AgentSession::OnCancel() {
  End(absl::CancelledError("the agent's stream was cancelled"));
}

void AgentSession::OnDone() {
  // Told even when the inbox is full: as soon as there is room.
  const auto self = std::move(self_);
  if (!introduced_) return;
  Input gone = AgentGone{self};
  const absl::Status pushed = inbox_->Push(gone, Lane::kAgent);
  if (absl::IsResourceExhausted(pushed)) {
    auto waiting = std::make_shared<Input>(std::move(gone));
    inbox_->WhenRoom([inbox = inbox_, waiting] {
      // Lost only if it filled up again at once; the lease then tells.
      inbox->Push(*waiting, Lane::kAgent).IgnoreError();
    });
  }
}

}  // namespace ccsched
