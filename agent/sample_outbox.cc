// Energy samples on their way: kept until the scheduler has them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/sample_outbox.h"

#include <algorithm>

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// What is kept is no finer than this.
constexpr absl::Duration kStretch = absl::Minutes(1);
// Steps of the grid's data are of so long or of multiples of it.
constexpr absl::Duration kGridStep = absl::Minutes(5);

template <typename Stretch>
absl::Duration LengthOf(const Stretch& stretch) {
  return FromProto(stretch.end()) - FromProto(stretch.start());
}

// Rows of the ledger end with such steps. A scheduler that starts anew cuts
// there by its length what straddles one: as it did before, if that is the same
// sample.
template <typename Stretch>
bool WithinStep(const Stretch& last, const Stretch& next) {
  const auto since = [](const auto& t) {
    return FromProto(t) - absl::UnixEpoch();
  };
  const absl::Duration begin = absl::Floor(since(last.start()), kGridStep);
  return since(next.end()) <= begin + kGridStep;
}

// Whether `next` goes on where `last` ended, but for a clock's jitter.
template <typename Stretch>
bool Follows(const Stretch& last, const Stretch& next) {
  return LengthOf(last) < kStretch && WithinStep(last, next) &&
         absl::AbsDuration(FromProto(next.start()) - FromProto(last.end())) <=
             LengthOf(next) / 50;
}

// The mean of a use over both.
double Mean(const v1::EnergySample& last, double use,
            const v1::EnergySample& next, double next_use) {
  const double before = absl::ToDoubleSeconds(LengthOf(last));
  const double after = absl::ToDoubleSeconds(LengthOf(next));
  return before + after > 0
             ? (use * before + next_use * after) / (before + after)
             : next_use;
}

bool MakesOne(const v1::EnergySample& last, const v1::EnergySample& next) {
  return Follows(last, next) && last.method() == next.method() &&
         last.has_accelerator_utilisation() ==
             next.has_accelerator_utilisation();
}

void Extend(v1::EnergySample& last, const v1::EnergySample& next) {
  last.set_utilisation(
      Mean(last, last.utilisation(), next, next.utilisation()));
  if (last.has_accelerator_utilisation()) {
    last.set_accelerator_utilisation(Mean(last, last.accelerator_utilisation(),
                                          next,
                                          next.accelerator_utilisation()));
  }
  last.set_joules(last.joules() + next.joules());
  *last.mutable_end() = next.end();
}

}  // namespace

void SampleOutbox::SendOne(const v1::EnergySample& sample) {
  v1::AgentMessage message;
  *message.mutable_telemetry()->add_samples() = sample;
  send_(std::move(message));
}

void SampleOutbox::Put(const v1::EnergySample& sample, int64_t cpu_ns,
                       const std::optional<v1::CountersSeen>& counters) {
  SendOne(sample);
  const auto note = [&](v1::SampleKept& kept) {
    kept.set_cpu_ns(cpu_ns);
    kept.clear_counters();
    if (counters) *kept.mutable_counters() = *counters;
  };
  const AttemptId id = FromProto(sample.key());
  const auto open = open_.find(id);
  if (open != open_.end() && MakesOne(open->second.sample(), sample)) {
    Extend(*open->second.mutable_sample(), sample);
    return note(open->second);
  }
  Close(id);
  v1::SampleKept& kept = open_[id];
  *kept.mutable_sample() = sample;
  note(kept);
}

void SampleOutbox::Close(AttemptId id) {
  const auto open = open_.find(id);
  if (open == open_.end()) return;
  store_.KeepSample(open->second);
  open_.erase(open);
}

void SampleOutbox::CloseAll() {
  while (!open_.empty()) Close(open_.begin()->first);
  CloseNode();
}

void SampleOutbox::Taken(AttemptId id, absl::Time until) {
  const KnownAttempt* const known = store_.book().Find(id);
  if (known == nullptr) return;
  std::optional<v1::SampleKept> last;  // that is wholly on record
  for (const v1::SampleKept& kept : known->kept) {
    if (FromProto(kept.sample().end()) <= until) last = kept;
  }
  const auto open = open_.find(id);
  if (open != open_.end() && FromProto(open->second.sample().end()) <= until) {
    last = open->second;
    open_.erase(open);
  }
  if (!last) return;
  v1::AttemptSampled sampled;
  *sampled.mutable_key() = ToProto(id);
  *sampled.mutable_until() = last->sample().end();
  sampled.set_cpu_ns(last->cpu_ns());
  if (last->has_counters()) *sampled.mutable_counters() = last->counters();
  store_.MarkSampled(sampled);
}

void SampleOutbox::PutNode(v1::Telemetry node) {
  v1::AgentMessage message;
  *message.mutable_telemetry() = node;
  send_(std::move(message));
  if (!node.has_node_joules()) return;
  node.clear_accelerators();
  if (node_open_ && Follows(*node_open_, node)) {
    *node_open_->mutable_end() = node.end();
    node_open_->set_node_joules(node_open_->node_joules() + node.node_joules());
    node_open_->set_unallocated_joules(node_open_->unallocated_joules() +
                                       node.unallocated_joules());
    return;
  }
  CloseNode();
  node_open_ = std::move(node);
}

void SampleOutbox::CloseNode() {
  if (node_open_) store_.KeepNode(*node_open_);
  node_open_.reset();
}

void SampleOutbox::NodeTaken(absl::Time until) {
  store_.MarkNodeTaken(until);
  if (node_open_ && FromProto(node_open_->end()) <= until) node_open_.reset();
}

void SampleOutbox::Resend() {
  const auto send_node = [this](const v1::Telemetry& node) {
    v1::AgentMessage message;
    *message.mutable_telemetry() = node;
    send_(std::move(message));
  };
  for (const v1::Telemetry& node : store_.book().node_kept()) send_node(node);
  if (node_open_) send_node(*node_open_);
  for (const auto& [id, known] : store_.book().attempts()) {
    for (const v1::SampleKept& kept : known.kept) SendOne(kept.sample());
    const auto open = open_.find(id);
    if (open != open_.end()) SendOne(open->second.sample());
  }
}

}  // namespace ccsched
