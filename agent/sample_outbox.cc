// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/sample_outbox.h"

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// What is kept of a node's energy is no finer than this.
constexpr absl::Duration kNodeStretch = absl::Minutes(1);
// With a scheduler that puts nothing on record the oldest goes: a day.
constexpr size_t kNodeStretchesMax = 24 * 60;

// Whether `next` goes on where `last` ended, but for a clock's jitter.
bool Follows(const v1::Telemetry& last, const v1::Telemetry& next) {
  const absl::Duration span = FromProto(next.end()) - FromProto(next.start());
  return absl::AbsDuration(FromProto(next.start()) - FromProto(last.end())) <=
         span / 50;
}

}  // namespace

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

void SampleOutbox::PutNode(v1::Telemetry node) {
  v1::AgentMessage message;
  *message.mutable_telemetry() = node;
  send_(std::move(message));
  if (!node.has_node_joules()) return;
  node.clear_accelerators();
  if (!node_.empty()) {
    v1::Telemetry& last = node_.back();
    if (FromProto(last.end()) - FromProto(last.start()) < kNodeStretch &&
        Follows(last, node)) {
      *last.mutable_end() = node.end();
      last.set_node_joules(last.node_joules() + node.node_joules());
      last.set_unallocated_joules(last.unallocated_joules() +
                                  node.unallocated_joules());
      return;
    }
  }
  node_.push_back(std::move(node));
  if (node_.size() > kNodeStretchesMax) node_.pop_front();
}

void SampleOutbox::NodeTaken(absl::Time until) {
  while (!node_.empty() && FromProto(node_.front().end()) <= until) {
    node_.pop_front();
  }
}

void SampleOutbox::Resend() {
  for (const v1::Telemetry& node : node_) {
    v1::AgentMessage message;
    *message.mutable_telemetry() = node;
    send_(std::move(message));
  }
  for (const auto& [id, queue] : waiting_) {
    for (const Waiting& waiting : queue) SendOne(waiting.sample);
  }
}

}  // namespace ccsched
