// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SAMPLE_OUTBOX_H_
#define CCSCHED_AGENT_SAMPLE_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <functional>

#include "agent/attempt_store.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// Sends to the scheduler and returns the message's sequence number, or drops
// it and returns 0 if there is no connection.
using Send = std::function<uint64_t(v1::AgentMessage)>;

// A sample may reach the scheduler twice, with the same key and start, when a
// connection breaks; it never gets lost but with the agent itself, and then
// the next agent counts from the last sample that was taken.
class SampleOutbox {
 public:
  SampleOutbox(AttemptStore& store, Send send)
      : store_(store), send_(std::move(send)) {}

  // `cpu_ns`: the attempt's CPU time up to the sample's end.
  void Put(const v1::EnergySample& sample, int64_t cpu_ns);
  // The scheduler has all that was sent up to this sequence number.
  void Taken(uint64_t sequence);
  // After a connection was made: all that may have been lost with the last.
  void Resend();
  size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    uint64_t sequence = 0;
    v1::EnergySample sample;
    int64_t cpu_ns = 0;
  };
  uint64_t SendOne(const v1::EnergySample& sample);

  AttemptStore& store_;
  const Send send_;
  std::deque<Waiting> waiting_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SAMPLE_OUTBOX_H_
