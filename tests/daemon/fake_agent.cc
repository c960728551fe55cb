// An agent without processes: a test says what it reports, and when.
// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/fake_agent.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

v1::AttemptStatus StatusOf(const v1::AttemptKey& key,
                           std::optional<v1::Outcome> outcome) {
  v1::AttemptStatus status;
  *status.mutable_key() = key;
  *status.mutable_started() = ToProto(absl::Now());
  if (outcome) {
    *status.mutable_ended() = ToProto(absl::Now());
    status.set_outcome(*outcome);
  }
  return status;
}

FakeAgent::FakeAgent(const std::string& address, const FakeNode& node)
    : stub_(v1::Agents::NewStub(
          grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
  stream_ = stub_->Connect(&context_);
  v1::AgentMessage message;
  v1::Register& hello = *message.mutable_register_();
  hello.set_node(node.node);
  hello.set_site(node.site);
  hello.set_accelerator(node.accelerator);
  hello.set_count(node.count);
  hello.set_state_id(node.state_id);
  hello.set_meter("modelled");
  hello.set_container_runtime(node.container_runtime);
  for (const v1::AttemptStatus& status : node.attempts) {
    *hello.add_attempts() = status;
  }
  Send(std::move(message));
  reader_ = std::thread([this] { Read(); });
}

FakeAgent::~FakeAgent() {
  Break();
  reader_.join();
}

void FakeAgent::Break() { context_.TryCancel(); }

void FakeAgent::Read() {
  v1::SchedulerMessage message;
  while (stream_->Read(&message)) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(message));
    message.Clear();
    changed_.notify_all();
  }
  const grpc::Status status = stream_->Finish();
  const std::lock_guard lock(mutex_);
  status_ = status;
  ended_ = true;
  changed_.notify_all();
}

grpc::Status FakeAgent::WaitEnd() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return ended_; })) {
    return {grpc::StatusCode::UNKNOWN, "the stream did not end"};
  }
  return status_;
}

std::optional<v1::SchedulerMessage> FakeAgent::Wait(
    const std::function<bool(const v1::SchedulerMessage&)>& wanted) {
  std::unique_lock lock(mutex_);
  auto found = queue_.end();
  changed_.wait_for(lock, kPatience, [&] {
    found = std::find_if(queue_.begin(), queue_.end(), wanted);
    return found != queue_.end() || ended_;
  });
  if (found == queue_.end()) return std::nullopt;
  v1::SchedulerMessage message = std::move(*found);
  queue_.erase(found);
  return message;
}

std::optional<v1::StartAttempt> FakeAgent::WaitStart() {
  auto m = Wait([](const auto& x) { return x.has_start(); });
  if (!m) return std::nullopt;
  return m->start();
}
std::optional<v1::StopAttempt> FakeAgent::WaitStop() {
  auto m = Wait([](const auto& x) { return x.has_stop(); });
  if (!m) return std::nullopt;
  return m->stop();
}
std::optional<v1::Acknowledge> FakeAgent::WaitAcknowledge() {
  auto m = Wait([](const auto& x) {
    return x.has_acknowledge() && x.acknowledge().ended_size() > 0;
  });
  if (!m) return std::nullopt;
  return m->acknowledge();
}
std::optional<v1::Acknowledge> FakeAgent::WaitNodeTaken() {
  auto m = Wait([](const auto& x) {
    return x.has_acknowledge() && x.acknowledge().has_node_until();
  });
  if (!m) return std::nullopt;
  return m->acknowledge();
}
std::optional<v1::Registered> FakeAgent::WaitRegistered() {
  auto m = Wait([](const auto& x) { return x.has_registered(); });
  if (!m) return std::nullopt;
  return m->registered();
}
std::optional<v1::LeaseRenewed> FakeAgent::WaitLease() {
  auto m = Wait([](const auto& x) { return x.has_lease(); });
  if (!m) return std::nullopt;
  return m->lease();
}
std::optional<v1::ReadLog> FakeAgent::WaitReadLog() {
  auto m = Wait([](const auto& x) { return x.has_read_log(); });
  if (!m) return std::nullopt;
  return m->read_log();
}
std::optional<std::string> FakeAgent::WaitRefused() {
  auto m = Wait([](const auto& x) { return x.has_refused(); });
  if (!m) return std::nullopt;
  return m->refused().message();
}

bool FakeAgent::WaitResume() {
  return Wait([](const auto& x) { return x.has_resume(); }).has_value();
}

bool FakeAgent::Has(v1::SchedulerMessage::KindCase kind) {
  const std::lock_guard lock(mutex_);
  return std::any_of(queue_.begin(), queue_.end(),
                     [&](const auto& m) { return m.kind_case() == kind; });
}

void FakeAgent::Send(v1::AgentMessage message) {
  const std::lock_guard lock(write_mutex_);
  stream_->Write(message);
}

void FakeAgent::Heartbeat(uint64_t sequence) {
  v1::AgentMessage message;
  message.set_sequence(sequence);
  message.mutable_heartbeat();
  Send(std::move(message));
}

void FakeAgent::Started(const v1::AttemptKey& key) {
  v1::AgentMessage message;
  *message.mutable_status() = StatusOf(key);
  Send(std::move(message));
}

void FakeAgent::Ended(const v1::AttemptKey& key, v1::Outcome outcome,
                      int exit_code) {
  v1::AgentMessage message;
  *message.mutable_status() = StatusOf(key, outcome);
  message.mutable_status()->set_exit_code(exit_code);
  Send(std::move(message));
}

}  // namespace ccsched
