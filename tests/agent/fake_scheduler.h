// A scheduler of the agents' stream that does what a test tells it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_FAKE_SCHEDULER_H_
#define CCSCHED_TESTS_AGENT_FAKE_SCHEDULER_H_

#include <grpcpp/server.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/attempt_book.h"
#include "ccsched/v1/agents.grpc.pb.h"

namespace ccsched {

// Thread safe. What waits does so for at most ten seconds, then fails. As the
// real one, it asks an agent that registers again for what it had asked of an
// attempt before, and that was not answered.
class FakeScheduler : public v1::Agents::Service {
 public:
  explicit FakeScheduler(std::string address);
  ~FakeScheduler() override;

  // To be set before an agent connects.
  v1::Registered registered;
  bool acknowledge = true;
  // A lease of less than some seconds, with heartbeats to match.
  void SetLease(absl::Duration lease);

  // Whether registrations and heartbeats are answered.
  void set_answer(bool answer);
  // Ends the stream, if there is one, and refuses new ones while `down`.
  void Disconnect();

  bool Send(const v1::SchedulerMessage& message);
  bool Start(const v1::StartAttempt& start);
  bool Stop(AttemptId id, v1::StopAttempt::Why why, absl::Duration grace);
  bool Acknowledge(AttemptId id);
  bool ReadLog(uint64_t request, AttemptId id, bool follow);

  // The nth registration, from 1.
  std::optional<v1::Register> WaitRegistered(size_t n);
  // The first status of the attempt for which `wanted` holds.
  std::optional<v1::AttemptStatus> WaitStatus(
      AttemptId id,
      const std::function<bool(const v1::AttemptStatus&)>& wanted);
  std::optional<v1::AttemptStatus> WaitRunning(AttemptId id);
  std::optional<v1::AttemptStatus> WaitEnded(AttemptId id);
  bool WaitLog(uint64_t request,
               const std::function<bool(const std::string&, bool)>& wanted);
  bool WaitEndedTotal(size_t count);
  bool WaitSamples(AttemptId id, size_t count);
  // Until the agent has said so often how its health is.
  bool WaitHealth(size_t count);
  // Until so many heartbeats have come since this was called.
  bool WaitHeartbeats(size_t count);
  bool WaitFor(const std::function<bool()>& condition);

  // All that came, in order.
  std::vector<v1::AgentMessage> Messages();
  std::vector<v1::EnergySample> Samples(AttemptId id);
  std::vector<std::string> Health();  // each time, why it was unfit
  size_t EndedCount(AttemptId id);
  size_t ended_total();
  std::string Log(uint64_t request);
  std::string LogError(uint64_t request);
  uint64_t LogUnwritten(uint64_t request);

 private:
  using Stream =
      grpc::ServerReaderWriter<v1::SchedulerMessage, v1::AgentMessage>;

  grpc::Status Connect(grpc::ServerContext* context, Stream* stream) override;
  void OnMessage(const v1::AgentMessage& message, Stream& stream);
  // What to answer a registration with. REQUIRES: mutex_ held.
  std::vector<v1::SchedulerMessage> Welcome(const v1::Register& hello) const;

  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::mutex write_mutex_;
  std::condition_variable changed_;
  bool answer_ = true;
  std::map<AttemptId, v1::StopAttempt> asked_;
  Stream* stream_ = nullptr;
  grpc::ServerContext* context_ = nullptr;
  std::vector<v1::Register> registrations_;
  std::vector<v1::AgentMessage> messages_;
  size_t ended_total_ = 0;
  struct LogSoFar {
    std::string data;
    std::string error;
    uint64_t unwritten = 0;
    bool end = false;
  };
  std::map<uint64_t, LogSoFar> logs_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_FAKE_SCHEDULER_H_
