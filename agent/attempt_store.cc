// The attempts and their journal: what is known, and known after a crash.
// SPDX-License-Identifier: Apache-2.0
#include "agent/attempt_store.h"

#include <algorithm>
#include <utility>

#include "scheduler/base/status.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// The journal is written anew when it is this large and four times what it
// was after the last time.
constexpr uint64_t kRewriteBytesMin = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<AttemptStore>> AttemptStore::Open(
    const std::string& path, uint32_t accelerators) {
  std::unique_ptr<AttemptStore> store(new AttemptStore(accelerators));
  ASSIGN_OR_RETURN(store->journal_,
                   Journal::Open(path, [&](const v1::AgentRecord& record) {
                     store->book_.Apply(record);
                   }));
  store->rewrite_at_ = kRewriteBytesMin;
  return store;
}

void AttemptStore::Record(const v1::AgentRecord& record, bool durable) {
  book_.Apply(record);
  pending_.push_back(record);
  durable_wanted_ |= durable;
}

void AttemptStore::Accept(const v1::AttemptAccepted& accepted) {
  v1::AgentRecord record;
  *record.mutable_accepted() = accepted;
  Record(record, true);
}

void AttemptStore::Finish(const v1::AttemptFinished& finished) {
  v1::AgentRecord record;
  *record.mutable_finished() = finished;
  Record(record, true);
}

void AttemptStore::SetRegistered(const v1::Registered& registered) {
  v1::AgentRecord record;
  *record.mutable_registered() = registered;
  Record(record, true);
}

void AttemptStore::Acknowledge(AttemptId id) {
  v1::AgentRecord record;
  *record.mutable_acknowledged() = ToProto(id);
  Record(record, false);
}

void AttemptStore::MarkSampled(const v1::AttemptSampled& sampled) {
  v1::AgentRecord record;
  *record.mutable_sampled() = sampled;
  Record(record, false);
}

void AttemptStore::MarkNodeTaken(absl::Time until) {
  if (book_.node_kept().empty()) return;
  v1::AgentRecord record;
  *record.mutable_node_taken() = ToProto(until);
  Record(record, false);
}

void AttemptStore::KeepSample(const v1::SampleKept& kept) {
  v1::AgentRecord record;
  *record.mutable_kept() = kept;
  Record(record, false);
}

void AttemptStore::KeepNode(const v1::Telemetry& node) {
  v1::AgentRecord record;
  *record.mutable_node_kept() = node;
  Record(record, false);
}

void AttemptStore::BeginCommit(std::function<void()> done) {
  committing_ = true;
  // Written anew, it has what is pending as well.
  const bool anew = rewrite_wanted_;
  std::vector<v1::AgentRecord> records =
      anew ? book_.Snapshot() : std::move(pending_);
  pending_.clear();
  const bool durable = std::exchange(durable_wanted_, false);
  worker_.Begin([this, anew, durable, records = std::move(records),
                 done = std::move(done)] {
    if (anew) {
      committed_ = journal_->Rewrite(records);
    } else {
      for (const v1::AgentRecord& record : records) journal_->Append(record);
      committed_ = journal_->Commit(durable);
    }
    if (done) done();
  });
}

absl::Status AttemptStore::EndCommit() {
  worker_.Wait();
  committing_ = false;
  const bool anew = std::exchange(rewrite_wanted_, !committed_.ok());
  if (!committed_.ok()) return committed_;
  if (anew) rewrite_at_ = std::max(kRewriteBytesMin, 4 * journal_->size());
  rewrite_wanted_ = journal_->size() >= rewrite_at_;
  return absl::OkStatus();
}

absl::Status AttemptStore::Commit() {
  if (!dirty()) return absl::OkStatus();
  BeginCommit(nullptr);
  return EndCommit();
}

}  // namespace ccsched
