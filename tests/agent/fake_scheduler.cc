// A scheduler of the agents' stream that does what a test tells it.
// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/fake_scheduler.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

FakeScheduler::FakeScheduler(std::string address) {
  *registered.mutable_lease() = ToProto(absl::Seconds(60));
  // An agent ends a connection on which three are not answered in time: not
  // for want of processor time on a busy machine, please.
  *registered.mutable_heartbeat() = ToProto(absl::Seconds(2));
  registered.set_clock_rate(1);
  registered.set_idle_watts(100);
  registered.set_active_watts(300);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeScheduler::~FakeScheduler() {
  Disconnect();
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeScheduler::SetLease(absl::Duration lease) {
  *registered.mutable_lease() = ToProto(lease);
  *registered.mutable_heartbeat() = ToProto(lease / 8);
}

void FakeScheduler::set_answer(bool answer) {
  std::lock_guard lock(mutex_);
  answer_ = answer;
}

void FakeScheduler::Disconnect() {
  std::lock_guard lock(mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

grpc::Status FakeScheduler::Connect(grpc::ServerContext* context,
                                    Stream* stream) {
  {
    std::lock_guard lock(mutex_);
    stream_ = stream;
    context_ = context;
  }
  v1::AgentMessage message;
  while (stream->Read(&message)) OnMessage(message, *stream);
  std::lock_guard write_lock(write_mutex_);
  std::lock_guard lock(mutex_);
  if (stream_ == stream) {
    stream_ = nullptr;
    context_ = nullptr;
  }
  return grpc::Status::OK;
}

std::vector<v1::SchedulerMessage> FakeScheduler::Welcome(
    const v1::Register& hello) const {
  std::vector<v1::SchedulerMessage> answers(1);
  *answers[0].mutable_registered() = registered;
  for (const v1::AttemptStatus& status : hello.attempts()) {
    const auto asked = asked_.find(FromProto(status.key()));
    if (asked != asked_.end()) {
      *answers.emplace_back().mutable_stop() = asked->second;
    }
  }
  return answers;
}

void FakeScheduler::OnMessage(const v1::AgentMessage& message, Stream& stream) {
  v1::SchedulerMessage answer;
  std::vector<v1::SchedulerMessage> welcome;
  {
    std::lock_guard lock(mutex_);
    messages_.push_back(message);
    if (message.status().has_ended() || message.status().goes_on()) {
      asked_.erase(FromProto(message.status().key()));
    }
    if (message.has_register_()) {
      registrations_.push_back(message.register_());
      if (answer_) welcome = Welcome(message.register_());
    } else if (message.has_heartbeat() && answer_) {
      answer.mutable_lease()->set_sequence(message.sequence());
    } else if (message.has_status() && message.status().has_ended()) {
      ++ended_total_;
      if (acknowledge) {
        *answer.mutable_acknowledge()->add_ended() = message.status().key();
      }
    } else if (message.has_telemetry() && acknowledge) {
      for (const v1::EnergySample& sample : message.telemetry().samples()) {
        v1::SampleTaken& taken = *answer.mutable_acknowledge()->add_sampled();
        *taken.mutable_key() = sample.key();
        *taken.mutable_until() = sample.end();
      }
    } else if (message.has_log()) {
      LogSoFar& log = logs_[message.log().request_id()];
      // What is missing shows as a gap, of as many bytes.
      if (message.log().has_offset() &&
          message.log().offset() > log.data.size()) {
        log.data.resize(message.log().offset(), '?');
      }
      log.unwritten += message.log().unwritten();
      log.data += message.log().data();
      log.error += message.log().error();
      log.end |= message.log().end();
    }
  }
  if (answer.kind_case() != v1::SchedulerMessage::KIND_NOT_SET) {
    welcome.push_back(std::move(answer));
  }
  for (const v1::SchedulerMessage& m : welcome) {
    std::lock_guard lock(write_mutex_);
    stream.Write(m);
  }
  changed_.notify_all();
}

bool FakeScheduler::Send(const v1::SchedulerMessage& message) {
  std::lock_guard write_lock(write_mutex_);
  Stream* stream;
  {
    std::lock_guard lock(mutex_);
    stream = stream_;
  }
  return stream != nullptr && stream->Write(message);
}

bool FakeScheduler::Start(const v1::StartAttempt& start) {
  v1::SchedulerMessage message;
  *message.mutable_start() = start;
  return Send(message);
}

bool FakeScheduler::Stop(AttemptId id, v1::StopAttempt::Why why,
                         absl::Duration grace) {
  v1::SchedulerMessage message;
  *message.mutable_stop()->mutable_key() = ToProto(id);
  message.mutable_stop()->set_why(why);
  *message.mutable_stop()->mutable_grace() = ToProto(grace);
  {
    std::lock_guard lock(mutex_);
    asked_[id] = message.stop();
  }
  return Send(message);
}

bool FakeScheduler::Acknowledge(AttemptId id) {
  v1::SchedulerMessage message;
  *message.mutable_acknowledge()->add_ended() = ToProto(id);
  return Send(message);
}

bool FakeScheduler::ReadLog(uint64_t request, AttemptId id, bool follow) {
  v1::SchedulerMessage message;
  message.mutable_read_log()->set_request_id(request);
  *message.mutable_read_log()->mutable_key() = ToProto(id);
  message.mutable_read_log()->set_follow(follow);
  return Send(message);
}

bool FakeScheduler::WaitFor(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, condition);
}

std::optional<v1::Register> FakeScheduler::WaitRegistered(size_t n) {
  if (!WaitFor([&] { return registrations_.size() >= n; })) return std::nullopt;
  std::lock_guard lock(mutex_);
  return registrations_[n - 1];
}

std::optional<v1::AttemptStatus> FakeScheduler::WaitStatus(
    AttemptId id, const std::function<bool(const v1::AttemptStatus&)>& wanted) {
  std::optional<v1::AttemptStatus> found;
  WaitFor([&] {
    for (const v1::AgentMessage& m : messages_) {
      if (m.has_status() && FromProto(m.status().key()) == id &&
          wanted(m.status())) {
        found = m.status();
        return true;
      }
    }
    return false;
  });
  return found;
}

std::optional<v1::AttemptStatus> FakeScheduler::WaitRunning(AttemptId id) {
  return WaitStatus(id, [](const auto& s) { return !s.has_ended(); });
}

std::optional<v1::AttemptStatus> FakeScheduler::WaitEnded(AttemptId id) {
  return WaitStatus(id, [](const auto& s) { return s.has_ended(); });
}

bool FakeScheduler::WaitLog(
    uint64_t request,
    const std::function<bool(const std::string&, bool)>& wanted) {
  return WaitFor([&] {
    const LogSoFar& log = logs_[request];
    return wanted(log.data, log.end);
  });
}

bool FakeScheduler::WaitEndedTotal(size_t count) {
  return WaitFor([&] { return ended_total_ >= count; });
}

bool FakeScheduler::WaitSamples(AttemptId id, size_t count) {
  return WaitFor([&] {
    size_t have = 0;
    for (const v1::AgentMessage& m : messages_) {
      for (const v1::EnergySample& s : m.telemetry().samples()) {
        have += FromProto(s.key()) == id;
      }
    }
    return have >= count;
  });
}

bool FakeScheduler::WaitHealth(size_t count) {
  return WaitFor([&] {
    return std::count_if(messages_.begin(), messages_.end(), [](const auto& m) {
             return m.has_health();
           }) >= static_cast<std::ptrdiff_t>(count);
  });
}

bool FakeScheduler::WaitHeartbeats(size_t count) {
  const auto heard = [&] {
    return static_cast<size_t>(
        std::count_if(messages_.begin(), messages_.end(),
                      [](const auto& m) { return m.has_heartbeat(); }));
  };
  std::optional<size_t> before;
  return WaitFor([&] {
    if (!before) before = heard();
    return heard() >= *before + count;
  });
}

std::vector<std::string> FakeScheduler::Health() {
  std::vector<std::string> health;
  for (const v1::AgentMessage& m : Messages()) {
    if (m.has_health()) health.push_back(m.health().unfit());
  }
  return health;
}

std::vector<v1::AgentMessage> FakeScheduler::Messages() {
  std::lock_guard lock(mutex_);
  return messages_;
}

std::vector<v1::EnergySample> FakeScheduler::Samples(AttemptId id) {
  std::vector<v1::EnergySample> samples;
  for (const v1::AgentMessage& m : Messages()) {
    for (const v1::EnergySample& s : m.telemetry().samples()) {
      if (FromProto(s.key()) == id) samples.push_back(s);
    }
  }
  return samples;
}

size_t FakeScheduler::EndedCount(AttemptId id) {
  size_t count = 0;
  for (const v1::AgentMessage& m : Messages()) {
    count += m.has_status() && m.status().has_ended() &&
             FromProto(m.status().key()) == id;
  }
  return count;
}

size_t FakeScheduler::ended_total() {
  std::lock_guard lock(mutex_);
  return ended_total_;
}

std::string FakeScheduler::Log(uint64_t request) {
  std::lock_guard lock(mutex_);
  return logs_[request].data;
}

uint64_t FakeScheduler::LogUnwritten(uint64_t request) {
  std::lock_guard lock(mutex_);
  return logs_[request].unwritten;
}

std::string FakeScheduler::LogError(uint64_t request) {
  std::lock_guard lock(mutex_);
  return logs_[request].error;
}

}  // namespace ccsched
