// One agent's stream: reads its messages, sends it commands, keeps its lease.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_AGENT_SESSION_H_
#define CCSCHED_SCHEDULER_RPC_AGENT_SESSION_H_

#include <grpcpp/support/server_callback.h>

#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "ccsched/v1/agents.pb.h"
#include "scheduler/rpc/agent_directory.h"
#include "scheduler/rpc/agent_link.h"
#include "scheduler/rpc/inbox.h"

namespace ccsched {

// Owns itself until the stream is done. When the inbox is full (the disk may
// be, too), what the agent reports waits here, bounded, while its heartbeats
// are read and answered on: its lease does not run out for the scheduler's
// trouble.
class AgentSession
    : public grpc::ServerBidiReactor<v1::AgentMessage, v1::SchedulerMessage>,
      public AgentLink,
      public std::enable_shared_from_this<AgentSession> {
 public:
  // Messages to the agent that may wait; one more ends the stream.
  static constexpr size_t kQueueMax = 65536;
  // Reports of the agent that may wait for the inbox; then the stream waits.
  // Energy samples make way long before: the agent has them still.
  static constexpr size_t kReportsMax = 4096;
  static constexpr size_t kSamplesMax = 64;

  // `inbox` and `directory` must outlive the server.
  static AgentSession* Begin(Inbox* inbox, AgentDirectory* directory,
                             std::string certificate_name);
  ~AgentSession() override = default;

  bool Send(v1::SchedulerMessage message) override;
  void Accept(std::shared_ptr<NodeLease> lease) override;
  void Close(absl::Status why) override;
  const std::string& certificate_name() const override {
    return certificate_name_;
  }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  AgentSession(Inbox* inbox, AgentDirectory* directory,
               std::string certificate_name)
      : inbox_(inbox),
        directory_(directory),
        certificate_name_(std::move(certificate_name)) {}

  // What comes of a message: read on, or wait for somebody to call ReadNext.
  bool Handle();
  bool Forward(Input input, bool is_sample);
  void WaitForRoom();
  void Drain();
  void ReadNext();
  void WriteNextLocked();
  void FinishLocked();
  void End(absl::Status why);

  Inbox* const inbox_;
  AgentDirectory* const directory_;
  const std::string certificate_name_;
  std::shared_ptr<AgentSession> self_;

  v1::AgentMessage incoming_;
  bool introduced_ = false;  // the first message was a Register

  std::mutex mutex_;
  std::shared_ptr<NodeLease> lease_;
  // Lists: empty, as they mostly are, they hold no memory; there is one session
  // for each of ten thousand nodes.
  std::list<Input> reports_;  // wait for the inbox
  bool read_waits_ = false;   // until there are fewer
  std::list<v1::SchedulerMessage> queue_;
  v1::SchedulerMessage outgoing_;
  bool writing_ = false;
  bool finished_ = false;
  std::optional<absl::Status> closing_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AGENT_SESSION_H_
