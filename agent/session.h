// The agent's side of the stream: registration, lease, heartbeats, commands.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SESSION_H_
#define CCSCHED_AGENT_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/attempt_meter.h"
#include "agent/attempt_store.h"
#include "agent/event_loop.h"
#include "agent/job_runner.h"
#include "agent/lease_file.h"
#include "agent/log_keeper.h"
#include "agent/log_server.h"
#include "agent/scheduler_link.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/base/random.h"

namespace ccsched {

struct SessionOptions {
  // All of Register but its attempts.
  v1::Register identity;
  RunnerOptions runner;
  // Asked at the start, and while the supervisor was seen not to run: OK once
  // it would.
  std::function<absl::Status()> check;
  absl::Duration sample_interval = absl::Seconds(5);  // real time
  uint64_t seed = 0;  // of the jitter between attempts to connect
};

class Session {
 public:
  // REQUIRES: `loop`, `store`, `meter` and `lease` outlive this.
  Session(EventLoop& loop, AttemptStore& store, AttemptMeter& meter,
          LeaseFile& lease, Dial dial, SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes up what is left, connects, and goes on until it is destroyed.
  void Begin();
  // Ends all jobs, as lost, and then, that being on record, calls `done`.
  void EndJobs(std::function<void()> done);
  bool registered() const { return registered_; }
  JobRunner& runner() { return runner_; }

 private:
  struct Sent {
    uint64_t sequence;
    int64_t at_ns;
  };

  void Connect();
  void OnMessages(const std::vector<v1::SchedulerMessage>& messages);
  void OnMessage(const v1::SchedulerMessage& message);
  void OnRegistered(const v1::Registered& registered);
  void OnLease(uint64_t sequence);
  void OnClosed(const absl::Status& status);
  void Disconnect();
  void Extend(int64_t sent_ns);
  void Heartbeat();
  void OnEnded(AttemptId id);
  void OnUnfit(Obstacle obstacle, const std::string& why);
  void CheckSoon(int64_t after_ns);
  void TryAgainSoon(int64_t after_ns);
  void TryAgain();
  void OnResume();
  void JudgeHealth();
  void SayHealth();
  void SampleSoon();
  void PollSoon();
  void Send(v1::AgentMessage message);
  uint64_t SendNow(v1::AgentMessage message);

  EventLoop& loop_;
  AttemptStore& store_;
  AttemptMeter& meter_;
  LeaseFile& lease_;
  const Dial dial_;
  const SessionOptions options_;
  Random random_;
  std::unique_ptr<SchedulerLink> link_;
  bool registered_ = false;
  uint64_t sequence_ = 0;
  int failures_ = 0;
  std::string last_error_;
  int64_t register_sent_ns_ = 0;
  int64_t lease_ns_ = 0;
  int64_t heartbeat_ns_ = 0;
  std::deque<Sent> heartbeats_;  // not answered yet
  std::optional<EventLoop::Timer> heartbeat_timer_;
  std::optional<EventLoop::Timer> connect_timer_;
  std::optional<EventLoop::Timer> sample_timer_;
  std::optional<EventLoop::Timer> poll_timer_;
  std::optional<EventLoop::Timer> check_timer_;
  std::optional<EventLoop::Timer> try_timer_;
  int failed_starts_ = 0;  // in a row, but for those while unfit
  std::map<Obstacle, std::string> obstacles_;
  std::string unfit_;  // all of them, in words
  std::string said_;   // as the scheduler was told, or is about to be
  std::function<void()> all_ended_;
  JobRunner runner_;
  LogServer logs_;
  LogKeeper log_keeper_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SESSION_H_
