// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/sample_outbox.h"

#include "scheduler/wire/proto_time.h"

namespace ccsched {

void SampleOutbox::SendOne(const v1::EnergySample& sample) {
  v1::AgentMessage message;
  *message.mutable_telemetry()->add_samples() = sample;
  send_(std::move(message));
}

void SampleOutbox::Put(const v1::EnergySample& sample, int64_t cpu_ns) {
  waiting_[FromProto(sample.key())].push_back(
      {.sample = sample, .cpu_ns = cpu_ns});
  SendOne(sample);
}

void SampleOutbox::Taken(AttemptId id, absl::Time until) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  std::deque<Waiting>& queue = found->second;
  while (!queue.empty() && FromProto(queue.front().sample.end()) <= until) {
    store_.MarkSampled(id, FromProto(queue.front().sample.end()),
                       queue.front().cpu_ns);
    queue.pop_front();
  }
  if (queue.empty()) waiting_.erase(found);
}

void SampleOutbox::Resend() {
  for (const auto& [id, queue] : waiting_) {
    for (const Waiting& waiting : queue) SendOne(waiting.sample);
  }
}

}  // namespace ccsched
