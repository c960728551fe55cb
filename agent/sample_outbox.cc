// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/sample_outbox.h"

#include <utility>

#include "scheduler/wire/proto_time.h"

namespace ccsched {

uint64_t SampleOutbox::SendOne(const v1::EnergySample& sample) {
  v1::AgentMessage message;
  *message.mutable_telemetry()->add_samples() = sample;
  return send_(std::move(message));
}

void SampleOutbox::Put(const v1::EnergySample& sample, int64_t cpu_ns) {
  waiting_.push_back(
      {.sequence = SendOne(sample), .sample = sample, .cpu_ns = cpu_ns});
}

void SampleOutbox::Taken(uint64_t sequence) {
  while (!waiting_.empty() && waiting_.front().sequence != 0 &&
         waiting_.front().sequence <= sequence) {
    const Waiting& taken = waiting_.front();
    store_.MarkSampled(FromProto(taken.sample.key()),
                       FromProto(taken.sample.end()), taken.cpu_ns);
    waiting_.pop_front();
  }
}

void SampleOutbox::Resend() {
  for (Waiting& waiting : waiting_) waiting.sequence = SendOne(waiting.sample);
}

}  // namespace ccsched
