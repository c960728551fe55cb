// An agent without processes: a test says what it reports, and when.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_DAEMON_FAKE_AGENT_H_
#define CCSCHED_TESTS_DAEMON_FAKE_AGENT_H_

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ccsched/v1/agents.grpc.pb.h"

namespace ccsched {

struct FakeNode {
  std::string node, site = "here", accelerator = "cpu";
  uint32_t count = 8;
  std::string state_id = "state";
  std::vector<v1::AttemptStatus> attempts;  // that it still knows
  std::string container_runtime;
};

// One stream. Messages of the scheduler queue up until the test takes them.
class FakeAgent {
 public:
  FakeAgent(const std::string& address, const FakeNode& node);
  ~FakeAgent();  // breaks the stream

  // The next message of this kind; those before it stay in the queue. None if
  // it does not come within ten seconds or the stream ends.
  std::optional<v1::StartAttempt> WaitStart();
  std::optional<v1::StopAttempt> WaitStop();
  std::optional<v1::Acknowledge> WaitAcknowledge();  // of an ending
  std::optional<v1::Acknowledge> WaitNodeTaken();    // the node's own energy
  std::optional<v1::Registered> WaitRegistered();
  std::optional<v1::LeaseRenewed> WaitLease();
  std::optional<v1::ReadLog> WaitReadLog();
  std::optional<std::string> WaitRefused();
  bool WaitResume();
  // Whether a message of this kind is there now.
  bool Has(v1::SchedulerMessage::KindCase kind);

  void Heartbeat(uint64_t sequence = 1);
  void Started(const v1::AttemptKey& key);
  void Ended(const v1::AttemptKey& key, v1::Outcome outcome, int exit_code = 0);
  void Send(v1::AgentMessage message);
  // Until the stream has ended: how.
  grpc::Status WaitEnd();
  void Break();

 private:
  std::optional<v1::SchedulerMessage> Wait(
      const std::function<bool(const v1::SchedulerMessage&)>& wanted);
  void Read();

  grpc::ClientContext context_;
  std::unique_ptr<v1::Agents::Stub> stub_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::AgentMessage, v1::SchedulerMessage>>
      stream_;
  std::mutex mutex_, write_mutex_;
  std::condition_variable changed_;
  std::deque<v1::SchedulerMessage> queue_;
  bool ended_ = false;
  grpc::Status status_;
  std::thread reader_;
};

v1::AttemptStatus StatusOf(const v1::AttemptKey& key,
                           std::optional<v1::Outcome> outcome = {});

}  // namespace ccsched

#endif  // CCSCHED_TESTS_DAEMON_FAKE_AGENT_H_
