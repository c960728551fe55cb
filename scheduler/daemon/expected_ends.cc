// Adds up what is believed of starts and runtimes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/expected_ends.h"

#include <algorithm>
#include <vector>

namespace ccsched {
namespace {

// One look holds nobody up.
constexpr size_t kJobsMost = 1000;
constexpr size_t kOffersMost = 20;
constexpr int kDepthMost = 100;

}  // namespace

ExpectedEnd ExpectedEnds::Last(absl::Span<const JobId> jobs) {
  return LastOf(jobs, 0);
}

ExpectedEnd ExpectedEnds::LastOf(absl::Span<const JobId> jobs, int depth) {
  ExpectedEnd last = {.p50 = now_, .p90 = now_};
  for (const JobId id : jobs) {
    const ExpectedEnd end = Of(id, depth);
    if (end.p50 >= last.p50) {
      last.p50 = end.p50;
      last.job = end.job;
    }
    last.p90 = std::max(last.p90, end.p90);
    if (!last.held) last.held = end.held;
  }
  return last;
}

// Where a job of this shape would start that is free from then on.
ExpectedEnds::Start ExpectedEnds::StartOf(const Job& job,
                                          const ExpectedEnd& free) {
  const auto found = offers_.find({job.shape, free.p50});
  Start start = {free.p50, free.p90};
  if (found != offers_.end()) {
    start = found->second;
  } else if (offers_.size() < kOffersMost) {
    const std::vector<Choice> offers =
        engine_.Offers(free.p50, job.spec, engine_.shape(job));
    if (!offers.empty()) {
      start.p50 = offers[0].start;
      if (offers[0].count > 0) start.speed = offers[0].speed;
    }
    offers_[{job.shape, free.p50}] = start;
  }
  const Slips late = start.p50 > free.p50 ? slips_ : Slips();  // if planned
  return {std::max(start.p50 + late.p50, free.p50),
          std::max(start.p50 + late.p90, free.p90), start.speed};
}

ExpectedEnd ExpectedEnds::Of(JobId id, int depth) {
  if (const auto found = known_.find(id); found != known_.end()) {
    return found->second;
  }
  ExpectedEnd end = {.p50 = now_, .p90 = now_, .job = id};
  const Job* const job = engine_.job(id);
  if (job == nullptr || IsTerminal(job->state)) return end;
  if (known_.size() >= kJobsMost || depth > kDepthMost) return end;
  const JobShape& shape = engine_.shape(*job);
  absl::Duration done = job->executed;
  Start start = {now_, now_};
  if (const Run* const run = engine_.run(*job)) {
    done += run->WorkDone(shape, now_);
    start.speed = shape.SpeedAt(run->count);
  } else if (job->state == JobState::kDeferred) {
    start.p50 = std::max<absl::Time>(job->wake + slips_.p50, now_);
    start.p90 = std::max<absl::Time>(job->wake + slips_.p90, now_);
  } else {
    const std::vector<JobId> before = engine_.dependencies(id);
    ExpectedEnd free = {.p50 = now_, .p90 = now_};
    if (!before.empty()) free = LastOf(before, depth + 1);
    end.held = job->state == JobState::kHeld ? id : free.held;
    start = StartOf(*job, free);
  }
  const RuntimeBelief left = engine_.runtimes().Remaining(*job, shape, done);
  end.p50 = start.p50 + left.p50 / start.speed;
  end.p90 = std::max(start.p90 + left.p90 / start.speed, end.p50);
  known_[id] = end;
  return end;
}

}  // namespace ccsched
