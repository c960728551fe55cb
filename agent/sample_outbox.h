// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SAMPLE_OUTBOX_H_
#define CCSCHED_AGENT_SAMPLE_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "agent/attempt_store.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// Sends to the scheduler, or drops it if there is no connection.
using Send = std::function<void(v1::AgentMessage)>;

// A sample may reach the scheduler twice when a connection breaks: it counts a
// stretch of time once. None gets lost but with the agent itself, and then the
// next agent counts from the last sample that was taken. The node's own energy
// gets lost only where agent and scheduler are killed within half an hour.
class SampleOutbox {
 public:
  SampleOutbox(AttemptStore& store, Send send)
      : store_(store), send_(std::move(send)) {}

  // `cpu_ns`: the attempt's CPU time up to the sample's end.
  void Put(const v1::EnergySample& sample, int64_t cpu_ns);
  // The scheduler has the attempt's energy up to `until` on record.
  void Taken(AttemptId id, absl::Time until);
  // The node's own energy, as AttemptMeter::Node gives it.
  void PutNode(v1::Telemetry node);
  void NodeTaken(absl::Time until);
  // The attempt's end was taken, and all before it.
  void Forget(AttemptId id) { waiting_.erase(id); }
  // After a connection was made: all that may have been lost with the last.
  void Resend();

 private:
  struct Waiting {
    v1::EnergySample sample;
    int64_t cpu_ns = 0;
  };
  void SendOne(const v1::EnergySample& sample);

  AttemptStore& store_;
  const Send send_;
  std::map<AttemptId, std::deque<Waiting>> waiting_;
  std::deque<v1::Telemetry> node_;  // what follows at once is one
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SAMPLE_OUTBOX_H_
