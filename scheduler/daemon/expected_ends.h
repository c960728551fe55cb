// When live jobs are expected to end, for jobs that wait for them.
// SPDX-License-Identifier: Apache-2.0
//
//   ExpectedEnds ends(engine, now, {slips.p50(), slips.p90()});
//   const ExpectedEnd last = ends.Last({JobId(3), JobId(7)});
#ifndef CCSCHED_SCHEDULER_DAEMON_EXPECTED_ENDS_H_
#define CCSCHED_SCHEDULER_DAEMON_EXPECTED_ENDS_H_

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/core/engine.h"

namespace ccsched {

// Half, and nine in ten, of such jobs have ended by then.
struct ExpectedEnd {
  absl::Time p50, p90;
  JobId job;                  // whose end that is
  std::optional<JobId> held;  // it, or what it waits for, has to be released
};

// Of a moment: nothing is kept of it when the engine takes its next step. A job
// that has no place yet is taken to get the policy's first offer, as if nobody
// else waited; a held one, as if it were released now.
class ExpectedEnds {
 public:
  struct Slips {
    absl::Duration p50, p90;  // how late planned starts come
  };

  // `engine` must outlive it.
  ExpectedEnds(const Engine& engine, absl::Time now, Slips slips)
      : engine_(engine), now_(now), slips_(slips) {}

  // When all of `jobs` have ended. Of very many, and of those that wait for one
  // another in long chains, the first count. REQUIRES: not empty; all are live.
  ExpectedEnd Last(absl::Span<const JobId> jobs);

 private:
  struct Start {
    absl::Time p50, p90;
    double speed = 1;
  };
  ExpectedEnd Of(JobId id, int depth);
  ExpectedEnd LastOf(absl::Span<const JobId> jobs, int depth);
  Start StartOf(const Job& job, const ExpectedEnd& free);

  const Engine& engine_;
  const absl::Time now_;
  const Slips slips_;
  absl::flat_hash_map<JobId, ExpectedEnd> known_;
  // Offers take long, and are alike for jobs of one shape.
  absl::flat_hash_map<std::pair<ShapeId, absl::Time>, Start> offers_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_EXPECTED_ENDS_H_
