// The live jobs and their running attempts, in slabs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_
#define CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "scheduler/base/ids.h"
#include "scheduler/model/id_index.h"
#include "scheduler/model/job.h"

namespace ccsched {

// Values in slots that are used again; a slot's address never changes. They lie
// in blocks, so that a slot is found by a shift and a mask, and neighbours
// share cache lines and pages.
template <typename Value>
class Slab {
 public:
  uint32_t Insert(Value value) {
    const uint32_t slot = Add();
    (*this)[slot] = std::move(value);
    return slot;
  }
  // A slot that holds Value().
  uint32_t Add() {
    if (free_.empty()) {
      const uint32_t slot = used_++;
      if ((slot & kMask) == 0) {
        blocks_.push_back(std::make_unique<Block>());
      }
      return slot;
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    if (!free_.empty()) Prefetch(free_.back());  // the next to be asked for
    return slot;
  }
  void Erase(uint32_t slot) {
    // Made anew where it stands: a Value() made elsewhere would be copied here
    // at once, and the processor waits when what was just written in pieces is
    // read in wider ones.
    Value& value = (*this)[slot];
    std::destroy_at(&value);
    std::construct_at(&value);
    free_.push_back(slot);
  }
  Value& operator[](uint32_t slot) {
    return blocks_[slot >> kBits]->values[slot & kMask];
  }
  const Value& operator[](uint32_t slot) const {
    return blocks_[slot >> kBits]->values[slot & kMask];
  }
  // Brings near what a slot holds, for whoever needs it soon.
  void Prefetch(uint32_t slot) const {
    const char* const value = reinterpret_cast<const char*>(&(*this)[slot]);
    for (size_t at = 0; at < sizeof(Value); at += kCacheLine) {
      __builtin_prefetch(value + at);
    }
  }
  size_t size() const { return used_ - free_.size(); }
  size_t slots() const { return used_; }

 private:
  static constexpr uint32_t kBits = 8;
  static constexpr uint32_t kMask = (1u << kBits) - 1;
  static constexpr size_t kCacheLine = 64;
  // Aligned, so that a value lies on as few cache lines as it can.
  struct alignas(kCacheLine) Block {
    Value values[kMask + 1];
  };
  std::vector<std::unique_ptr<Block>> blocks_;
  uint32_t used_ = 0;  // slots ever given out
  std::vector<uint32_t> free_;
};

static_assert(kNoJob == IdIndex::kNone);

// All live jobs, by slot and by id.
class JobTable {
 public:
  // REQUIRES: no live job has this id.
  JobRef Insert(Job job) {
    const JobRef ref = jobs_.Insert(std::move(job));
    by_id_.Insert(jobs_[ref].spec.id.value(), ref);
    return ref;
  }
  // A new job that is all defaults but for its id. REQUIRES: as above.
  JobRef Add(JobId id) {
    const JobRef ref = jobs_.Add();
    jobs_[ref].spec.id = id;
    by_id_.Insert(id.value(), ref);
    return ref;
  }
  void Erase(JobRef ref) {
    by_id_.Erase(jobs_[ref].spec.id.value());
    jobs_.Erase(ref);
  }
  // The job's slot, or kNoJob.
  JobRef Find(JobId id) const { return by_id_.Find(id.value()); }
  Job& operator[](JobRef ref) { return jobs_[ref]; }
  const Job& operator[](JobRef ref) const { return jobs_[ref]; }
  void Prefetch(JobRef ref) const { jobs_.Prefetch(ref); }
  size_t size() const { return jobs_.size(); }
  // Calls visit(JobRef, const Job&) for each job, in an order that is the same
  // on every machine but means nothing.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (JobRef ref = 0; ref < jobs_.slots(); ++ref) {
      if (jobs_[ref].spec.id != JobId()) visit(ref, jobs_[ref]);
    }
  }

 private:
  Slab<Job> jobs_;
  IdIndex by_id_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_
