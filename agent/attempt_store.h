// The attempts and their journal: what is known, and known after a crash.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_ATTEMPT_STORE_H_
#define CCSCHED_AGENT_ATTEMPT_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/attempt_book.h"
#include "agent/journal.h"
#include "agent/worker.h"

namespace ccsched {

class AttemptStore {
 public:
  // Reads the journal at `path`. Errors: those of Journal::Open.
  static absl::StatusOr<std::unique_ptr<AttemptStore>> Open(
      const std::string& path, uint32_t accelerators);

  const AttemptBook& book() const { return book_; }

  // Known at once; on disk with the next Commit.
  void Accept(const v1::AttemptAccepted& accepted);
  void Finish(const v1::AttemptFinished& finished);
  void SetRegistered(const v1::Registered& registered);
  // These need not survive a loss of power. The scheduler says them again:
  void Acknowledge(AttemptId id);
  void MarkSampled(const v1::AttemptSampled& sampled);
  void MarkNodeTaken(absl::Time until);
  // And these are worth no more of the disk's time:
  void KeepSample(const v1::SampleKept& kept);
  void KeepNode(const v1::Telemetry& node);

  // Begins to put all of it on disk, on a thread of its own: a disk may take
  // seconds. `done` is called there at its end; EndCommit then says what came
  // of it, and waits if it comes first. What is known meanwhile is of the next
  // commit. REQUIRES: none is under way.
  void BeginCommit(std::function<void()> done);
  // REQUIRES: one is under way. After an error all is still known, and the next
  // commit tries all of it again; Drop takes back an acceptance.
  absl::Status EndCommit();
  bool committing() const { return committing_; }
  // Whether there is anything to commit.
  bool dirty() const { return rewrite_wanted_ || !pending_.empty(); }
  // Both, waiting. REQUIRES: none is under way.
  absl::Status Commit();
  void Drop(AttemptId id) { book_.Drop(id); }

 private:
  explicit AttemptStore(uint32_t accelerators) : book_(accelerators) {}
  void Record(const v1::AgentRecord& record, bool durable);

  AttemptBook book_;
  std::vector<v1::AgentRecord> pending_;
  bool durable_wanted_ = false;
  bool rewrite_wanted_ = false;
  uint64_t rewrite_at_ = 0;  // bytes
  bool committing_ = false;
  // Of the worker's thread while a commit is under way:
  std::unique_ptr<Journal> journal_;
  absl::Status committed_;
  Worker worker_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_ATTEMPT_STORE_H_
