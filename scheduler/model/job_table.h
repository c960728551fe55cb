// The live jobs and their running attempts, in slabs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_
#define CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/base/ids.h"
#include "scheduler/model/job.h"

namespace ccsched {

// Values in slots that are used again; a slot's address never changes.
template <typename Value>
class Slab {
 public:
  uint32_t Insert(Value value) {
    if (free_.empty()) {
      values_.push_back(std::move(value));
      return static_cast<uint32_t>(values_.size() - 1);
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    values_[slot] = std::move(value);
    return slot;
  }
  void Erase(uint32_t slot) {
    values_[slot] = Value();
    free_.push_back(slot);
  }
  Value& operator[](uint32_t slot) { return values_[slot]; }
  const Value& operator[](uint32_t slot) const { return values_[slot]; }
  size_t size() const { return values_.size() - free_.size(); }

 private:
  std::deque<Value> values_;
  std::vector<uint32_t> free_;
};

// All live jobs, by slot and by id.
class JobTable {
 public:
  // REQUIRES: no live job has this id.
  JobRef Insert(Job job) {
    const JobId id = job.spec.id;
    const JobRef ref = jobs_.Insert(std::move(job));
    by_id_.emplace(id, ref);
    return ref;
  }
  void Erase(JobRef ref) {
    by_id_.erase(jobs_[ref].spec.id);
    jobs_.Erase(ref);
  }
  // The job's slot, or kNoJob.
  JobRef Find(JobId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? kNoJob : found->second;
  }
  Job& operator[](JobRef ref) { return jobs_[ref]; }
  const Job& operator[](JobRef ref) const { return jobs_[ref]; }
  size_t size() const { return jobs_.size(); }

 private:
  Slab<Job> jobs_;
  absl::flat_hash_map<JobId, JobRef> by_id_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_JOB_TABLE_H_
