// fcfs: first come, first served, at the first site with room.
// SPDX-License-Identifier: Apache-2.0
#include "policies/all.h"
#include "policies/dispatch.h"
#include "policies/offers.h"

namespace ccsched {
namespace {

class Fcfs : public Policy {
 public:
  void Decide(const PolicyInput& in, Actions& actions) override {
    if (in.queue.empty()) return;
    if (!in.cold && !in.capacity_freed && StillBlocked(in)) return;
    // Mostly one job is in the queue: the one that has just come.
    if (in.queue.size() == 1) {
      Try(in, actions, in.queue.Front(in.queue.shapes().front()));
      return;
    }
    heads_.Reset(in);
    while (!heads_.empty() && Try(in, actions, heads_.top())) {
      heads_.Advance(in);
    }
  }

  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const override;

 private:
  // Whether the job that did not fit is still the first of all.
  bool StillBlocked(const PolicyInput& in) const {
    if (blocked_ == kNoJob) return false;
    const Job& head = in.jobs[blocked_];
    if (head.queue_key != blocked_key_ || head.state != JobState::kQueued) {
      return false;
    }
    for (const JobRef job : in.ready) {
      if (in.queue.Before(job, blocked_)) return false;
    }
    return true;
  }

  bool Try(const PolicyInput& in, Actions& actions, JobRef job) {
    reason_.chosen.start = in.now;
    for (const PoolId pool : in.placement(job)) {
      reason_.chosen.pool = pool;
      if (actions.Start(job, pool, reason_)) return true;
    }
    if (blocked_ != job || blocked_key_ != in.jobs[job].queue_key) {
      blocked_ = job;
      blocked_key_ = in.jobs[job].queue_key;
      actions.Wait(job, {.code = ReasonCode::kCapacity});
    }
    return false;
  }

  Reason reason_{.code = ReasonCode::kFirstFit};
  JobRef blocked_ = kNoJob;
  uint64_t blocked_key_ = 0;
  ShapeHeads heads_;
};

std::vector<Choice> Fcfs::Offers(const PolicyInput& in, const Job& job,
                                 const JobShape& shape) const {
  return OffersNow(in, job, shape);
}

}  // namespace

PolicySpec FcfsPolicy() {
  return {
      .name = "fcfs",
      .summary = "first come, first served, at the first site with room",
      .doc =
          "Jobs start in the order of their arrival (higher priority "
          "first), each at the first allowed site, in the listed order, "
          "that has room now. The first job that fits nowhere blocks all "
          "behind it. Looks at no intensity: the baseline of every "
          "saving.",
      .parameters = {},
      .make = [](const PolicyParameters&) { return std::make_unique<Fcfs>(); },
  };
}

}  // namespace ccsched
