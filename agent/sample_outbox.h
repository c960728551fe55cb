// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SAMPLE_OUTBOX_H_
#define CCSCHED_AGENT_SAMPLE_OUTBOX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "agent/attempt_store.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// Sends to the scheduler, or drops it if there is no connection.
using Send = std::function<void(v1::AgentMessage)>;

// Each sample is sent at once and kept until it is on record: a minute of them
// in memory, what is older in the journal. So the scheduler and the agent may
// both be killed, and a minute's energy is all that has to be estimated (of an
// attempt) or is unknown (of the node). A sample may reach the scheduler twice
// when a connection breaks: it counts a stretch of time once.
class SampleOutbox {
 public:
  SampleOutbox(AttemptStore& store, Send send)
      : store_(store), send_(std::move(send)) {}

  // `cpu_ns`: the attempt's CPU time up to the sample's end; `counters`: what
  // its accelerators' showed then, if that is known.
  void Put(const v1::EnergySample& sample, int64_t cpu_ns,
           const std::optional<v1::CountersSeen>& counters = {});
  // The scheduler has the attempt's energy up to `until` on record.
  void Taken(AttemptId id, absl::Time until);
  // The node's own energy, as AttemptMeter::Node gives it.
  void PutNode(v1::Telemetry node);
  void NodeTaken(absl::Time until);
  // The attempt has ended: what is in memory of it goes to the journal, too.
  void Close(AttemptId id);
  // The same of all that is in memory: the agent stops.
  void CloseAll();
  // After a connection was made: all that may have been lost with the last.
  void Resend();

 private:
  void SendOne(const v1::EnergySample& sample);
  void CloseNode();

  AttemptStore& store_;
  const Send send_;
  // What follows at once is one.
  std::map<AttemptId, v1::SampleKept> open_;
  std::optional<v1::Telemetry> node_open_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SAMPLE_OUTBOX_H_
