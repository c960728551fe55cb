// The attempts that this node knows, what each holds, and the fence.
// SPDX-License-Identifier: Apache-2.0
#include "agent/attempt_book.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr size_t kFencesMax = 65536;
// With a scheduler that puts nothing on record the oldest goes: a day's, of at
// most seven in five minutes.
constexpr size_t kStretchesMax = size_t{24} * 12 * 7;

template <typename Kept>
void Keep(const Kept& kept, std::deque<Kept>& all) {
  all.push_back(kept);
  if (all.size() > kStretchesMax) all.pop_front();
}

}  // namespace

std::string AttemptId::ToString() const {
  return absl::StrCat(job, "-", epoch);
}

AttemptId FromProto(const v1::AttemptKey& key) {
  return {.job = key.job_id(), .epoch = key.epoch()};
}

v1::AttemptKey ToProto(AttemptId id) {
  v1::AttemptKey key;
  key.set_job_id(id.job);
  key.set_epoch(id.epoch);
  return key;
}

void AttemptBook::Apply(const v1::AgentRecord& record) {
  switch (record.kind_case()) {
    case v1::AgentRecord::kAccepted: {
      const v1::AttemptAccepted& accepted = record.accepted();
      const AttemptId id = FromProto(accepted.key());
      KnownAttempt& attempt = attempts_[id];
      attempt.accelerators.assign(accepted.accelerators().begin(),
                                  accepted.accelerators().end());
      attempt.started = FromProto(accepted.started());
      attempt.sampled_until = attempt.started;
      attempt.output = accepted.output();
      attempt.tag = accepted.tag();
      attempt.began_ns = accepted.began_boot_ns();
      attempt.grace_ms = accepted.grace_ms();
      RaiseFence(id);
      return;
    }
    case v1::AgentRecord::kFinished: {
      const auto found =
          attempts_.find(FromProto(record.finished().status().key()));
      if (found == attempts_.end()) return;
      found->second.ended = record.finished().status();
      if (record.finished().has_sample()) {
        found->second.last_sample = record.finished().sample();
      }
      return;
    }
    case v1::AgentRecord::kSampled: {
      const auto found = attempts_.find(FromProto(record.sampled().key()));
      if (found == attempts_.end()) return;
      const absl::Time until = FromProto(record.sampled().until());
      found->second.sampled_until = until;
      found->second.sampled_cpu_ns = record.sampled().cpu_ns();
      found->second.sampled_counters.reset();
      if (record.sampled().has_counters()) {
        found->second.sampled_counters = record.sampled().counters();
      }
      std::erase_if(found->second.kept, [until](const v1::SampleKept& kept) {
        return FromProto(kept.sample().end()) <= until;
      });
      return;
    }
    case v1::AgentRecord::kKept: {
      const auto found =
          attempts_.find(FromProto(record.kept().sample().key()));
      if (found != attempts_.end()) Keep(record.kept(), found->second.kept);
      return;
    }
    case v1::AgentRecord::kNodeKept:
      Keep(record.node_kept(), node_kept_);
      return;
    case v1::AgentRecord::kNodeTaken:
      std::erase_if(node_kept_, [&](const v1::Telemetry& node) {
        return FromProto(node.end()) <= FromProto(record.node_taken());
      });
      return;
    case v1::AgentRecord::kAcknowledged:
      attempts_.erase(FromProto(record.acknowledged()));
      return;
    case v1::AgentRecord::kFence:
      RaiseFence(FromProto(record.fence()));
      return;
    case v1::AgentRecord::kRegistered:
      registered_ = record.registered();
      return;
    case v1::AgentRecord::KIND_NOT_SET:
      return;  // of a later version
  }
}

void AttemptBook::Drop(AttemptId id) { attempts_.erase(id); }

void AttemptBook::RaiseFence(AttemptId id) {
  const auto [at, added] = fences_.emplace(id.job, id.epoch);
  if (!added) {
    at->second = std::max(at->second, id.epoch);
    return;
  }
  fence_order_.push_back(id.job);
  // Not of a job that is still here: a start that is told of once more would
  // be taken for a new one.
  for (size_t looks = 0;
       fence_order_.size() > kFencesMax && looks <= attempts_.size(); ++looks) {
    const uint64_t job = fence_order_.front();
    fence_order_.pop_front();
    const auto known = attempts_.lower_bound(AttemptId{job, 0});
    if (known != attempts_.end() && known->first.job == job) {
      fence_order_.push_back(job);
    } else {
      fences_.erase(job);
    }
  }
}

uint32_t AttemptBook::fence(uint64_t job) const {
  const auto found = fences_.find(job);
  return found == fences_.end() ? 0 : found->second;
}

FenceCheck AttemptBook::Check(AttemptId id) const {
  const uint32_t known = fence(id.job);
  if (id.epoch > known) return FenceCheck::kNew;
  return id.epoch == known ? FenceCheck::kSame : FenceCheck::kStale;
}

std::vector<bool> AttemptBook::Taken() const {
  std::vector<bool> taken(count_);
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.ended) continue;
    for (const uint32_t index : attempt.accelerators) {
      if (index < count_) taken[index] = true;
    }
  }
  return taken;
}

std::optional<std::vector<uint32_t>> AttemptBook::FreeAccelerators(
    uint32_t count) const {
  const std::vector<bool> taken = Taken();
  std::vector<uint32_t> indices;
  for (uint32_t i = 0; i < count_ && indices.size() < count; ++i) {
    if (!taken[i]) indices.push_back(i);
  }
  if (indices.size() < count) return std::nullopt;
  return indices;
}

uint32_t AttemptBook::free_count() const {
  const std::vector<bool> taken = Taken();
  return std::count(taken.begin(), taken.end(), false);
}

const KnownAttempt* AttemptBook::Find(AttemptId id) const {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : &found->second;
}

std::vector<v1::AgentRecord> AttemptBook::Snapshot() const {
  std::vector<v1::AgentRecord> records;
  if (registered_) *records.emplace_back().mutable_registered() = *registered_;
  for (const uint64_t job : fence_order_) {
    *records.emplace_back().mutable_fence() =
        ToProto(AttemptId{job, fences_.at(job)});
  }
  for (const v1::Telemetry& node : node_kept_) {
    *records.emplace_back().mutable_node_kept() = node;
  }
  for (const auto& [id, attempt] : attempts_) {
    v1::AttemptAccepted& accepted = *records.emplace_back().mutable_accepted();
    *accepted.mutable_key() = ToProto(id);
    accepted.mutable_accelerators()->Assign(attempt.accelerators.begin(),
                                            attempt.accelerators.end());
    *accepted.mutable_started() = ToProto(attempt.started);
    accepted.set_output(attempt.output);
    accepted.set_tag(attempt.tag);
    accepted.set_began_boot_ns(attempt.began_ns);
    accepted.set_grace_ms(attempt.grace_ms);
    v1::AttemptSampled& sampled = *records.emplace_back().mutable_sampled();
    *sampled.mutable_key() = ToProto(id);
    *sampled.mutable_until() = ToProto(attempt.sampled_until);
    sampled.set_cpu_ns(attempt.sampled_cpu_ns);
    if (attempt.sampled_counters) {
      *sampled.mutable_counters() = *attempt.sampled_counters;
    }
    for (const v1::SampleKept& kept : attempt.kept) {
      *records.emplace_back().mutable_kept() = kept;
    }
    if (!attempt.ended) continue;
    v1::AttemptFinished& finished = *records.emplace_back().mutable_finished();
    *finished.mutable_status() = *attempt.ended;
    if (attempt.last_sample) *finished.mutable_sample() = *attempt.last_sample;
  }
  return records;
}

}  // namespace ccsched
