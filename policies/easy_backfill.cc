// easy-backfill: fcfs with room kept for the queue's head.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "policies/all.h"
#include "policies/dispatch.h"
#include "policies/offers.h"

namespace ccsched {
namespace {

class EasyBackfill : public Policy {
 public:
  explicit EasyBackfill(uint32_t depth) : depth_(depth) {}

  void Decide(const PolicyInput& in, Actions& actions) override {
    if (in.queue.empty()) return;
    if (ReservationStands(in)) {
      for (const JobRef job : in.ready) TryBackfill(in, actions, job);
      return;
    }
    head_ = kNoJob;
    heads_.Reset(in);
    while (!heads_.empty() && TryStart(in, actions, heads_.top())) {
      heads_.Advance(in);
    }
    if (heads_.empty()) return;
    Reserve(in, actions, heads_.top());
    BackfillAll(in, actions);
  }

  std::vector<Choice> Offers(const PolicyInput& in, const Job& job,
                             const JobShape& shape) const override {
    return OffersNow(in, job, shape);
  }

 private:
  // When a running attempt is believed to end.
  struct End {
    JobId job;
    Epoch epoch;
    int64_t us = 0;
  };

  // Whether only jobs behind the head have come since it was reserved for.
  bool ReservationStands(const PolicyInput& in) const {
    if (in.cold || in.capacity_freed || head_ == kNoJob) return false;
    const Job& head = in.jobs[head_];
    if (head.queue_key != head_key_ || head.state != JobState::kQueued ||
        shadow_us_ <= ToUs(in.now)) {
      return false;
    }
    for (const JobRef job : in.ready) {
      if (in.queue.Before(job, head_)) return false;
    }
    return true;
  }

  bool TryStart(const PolicyInput& in, Actions& actions, JobRef job) {
    Reason reason;
    reason.code = ReasonCode::kFirstFit;
    reason.chosen.start = in.now;
    for (const PoolId pool : in.placement(job)) {
      reason.chosen.pool = pool;
      if (actions.Start(job, pool, reason)) return true;
    }
    return false;
  }

  int64_t EndOf(const PolicyInput& in, RunRef ref) {
    const Run& run = in.runs[ref];
    const Job& job = in.jobs[run.job];
    if (ref >= ends_.size()) ends_.resize(ref + ref / 2 + 16);
    End& end = ends_[ref];
    const int64_t now_us = ToUs(in.now);
    if (end.job == job.spec.id && end.epoch == job.epoch && end.us > now_us) {
      return end.us;
    }
    const JobShape& shape = in.shapes[job.shape];
    const RuntimeBelief belief = in.runtimes.Remaining(
        job, shape, job.executed + run.WorkDone(shape, in.now));
    const absl::Time from = std::max(in.now, run.start + run.overhead);
    const absl::Duration left = belief.mean / shape.SpeedAt(run.count);
    end = {job.spec.id, job.epoch, std::max(ToUs(from + left), now_us + 1)};
    return end.us;
  }

  // When `count` accelerators will be free at `pool`, and how many more then.
  std::optional<std::pair<int64_t, uint32_t>> FreeAt(const PolicyInput& in,
                                                     PoolId pool,
                                                     uint32_t count) {
    by_end_.clear();
    for (const RunRef run : in.running[pool.value()]) {
      by_end_.emplace_back(EndOf(in, run), in.runs[run].count);
    }
    const auto later = std::greater<std::pair<int64_t, uint32_t>>();
    std::make_heap(by_end_.begin(), by_end_.end(), later);
    uint32_t free = in.pools[pool.value()].free;
    while (!by_end_.empty()) {
      // At least one has to end: the job does not fit now, even if (spread
      // over nodes) there is enough.
      std::pop_heap(by_end_.begin(), by_end_.end(), later);
      free += by_end_.back().second;
      if (free >= count) return {{by_end_.back().first, free - count}};
      by_end_.pop_back();
    }
    return std::nullopt;
  }

  void Reserve(const PolicyInput& in, Actions& actions, JobRef head) {
    head_ = head;
    head_key_ = in.jobs[head].queue_key;
    shadow_us_ = kNeverUs;
    extra_ = 0;
    reserved_.reset();
    const uint32_t count = in.shape(head).count;
    for (const PoolId pool : in.placement(head)) {
      if (!actions.CouldFit(head, pool)) continue;
      const auto free_at = FreeAt(in, pool, count);
      if (!free_at || free_at->first >= shadow_us_) continue;
      shadow_us_ = free_at->first;
      extra_ = free_at->second;
      reserved_ = pool;
    }
    if (head_ == explained_ && head_key_ == explained_key_) return;
    explained_ = head_;
    explained_key_ = head_key_;
    Reason reason;
    reason.code = ReasonCode::kReserved;
    if (reserved_) {
      reason.chosen = {.pool = *reserved_, .start = FromUs(shadow_us_)};
    }
    actions.Wait(head, reason);
  }

  // Starts the job if that does not delay the head.
  bool TryBackfill(const PolicyInput& in, Actions& actions, JobRef job) {
    Reason reason;
    reason.code = ReasonCode::kBackfill;
    reason.chosen.start = in.now;
    const uint32_t count = in.shape(job).count;
    for (const PoolId pool : in.placement(job)) {
      bool late = false;
      if (pool == reserved_) {
        late = ToUs(in.now + in.remaining(job).p90) > shadow_us_;
        if (late && count > extra_) continue;
      }
      reason.chosen.pool = pool;
      if (!actions.Start(job, pool, reason)) continue;
      if (late) extra_ -= count;
      return true;
    }
    return false;
  }

  void BackfillAll(const PolicyInput& in, Actions& actions) {
    passed_over_.clear();
    heads_.Advance(in, in.jobs[head_].next);
    while (!heads_.empty()) {
      const JobRef job = heads_.top();
      const JobRef next = in.jobs[job].next;
      const ShapeId shape = in.jobs[job].shape;
      if (TryBackfill(in, actions, job) ||
          (MayStillPass(in, actions, job) && PassOver(shape))) {
        heads_.Advance(in, next);
      } else {
        heads_.Drop(in);
      }
    }
  }

  // Whether to look further down this shape's list.
  bool PassOver(ShapeId shape) {
    if (shape.value() >= passed_over_.size()) {
      passed_over_.resize(shape.value() + 1);
    }
    return ++passed_over_[shape.value()] < depth_;
  }

  // Whether a shorter job of the same shape could start: it fits where room is
  // being kept, and was only too long.
  bool MayStillPass(const PolicyInput& in, const Actions& actions,
                    JobRef job) const {
    if (!reserved_) return false;
    const Placement& pools = in.placement(job);
    return std::find(pools.begin(), pools.end(), *reserved_) != pools.end() &&
           actions.Fits(job, *reserved_);
  }

  const uint32_t depth_;
  ShapeHeads heads_;
  std::vector<uint32_t> passed_over_;  // by shape, in this decision
  std::vector<End> ends_;              // by run
  std::vector<std::pair<int64_t, uint32_t>> by_end_;
  // The reservation: the head, where and when it will have room, and how many
  // accelerators will be left over there then.
  JobRef head_ = kNoJob;
  uint64_t head_key_ = 0;
  std::optional<PoolId> reserved_;
  int64_t shadow_us_ = kNeverUs;
  uint32_t extra_ = 0;
  JobRef explained_ = kNoJob;
  uint64_t explained_key_ = 0;
};

}  // namespace

PolicySpec EasyBackfillPolicy() {
  return {
      .name = "easy-backfill",
      .summary =
          "fcfs with a reservation for the queue's head; others pass "
          "it where that does not delay it",
      .doc =
          "Like fcfs, but when the first job fits nowhere, room is kept for "
          "it where it will be free first by the expected ends of what is "
          "running. A later job may start ahead of it at another site, or "
          "at that site if it is expected (P90) to end before, or if "
          "enough stays free for the first job.\n"
          "Source: Lifka, \"The ANL/IBM SP scheduling system\", JSSPP "
          "1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001.",
      .parameters =
          {{.name = "depth",
            .unit = "jobs",
            .default_value = 100,
            .min = 1,
            .max = 1e6,
            .doc = "how many jobs alike in all but their runtime are looked "
                   "at for one short enough, each time",
            .source = "bounds the cost of a decision; the depth of Maui's and "
                      "Slurm's backfill counts all jobs"}},
      .make =
          [](const PolicyParameters& p) {
            return std::make_unique<EasyBackfill>(
                static_cast<uint32_t>(p.at("depth")));
          },
  };
}

}  // namespace ccsched
