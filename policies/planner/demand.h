// The jobs that are still to come, as learnt from those that came.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_DEMAND_H_
#define CCSCHED_POLICIES_PLANNER_DEMAND_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "policies/planner/instance.h"

namespace ccsched {

// Remembers the arrivals of the last weeks and expects the same hour of the
// week to bring their mean again; before a week has passed, the same hour of
// the day; before a day has, the rate so far. Deterministic.
class DemandHistory {
 public:
  struct Options {
    int weeks = 1;           // looked back at, at most
    double scale = 1;        // of what is expected
    double least_size = 60;  // accelerator-hours of one expected job
  };
  DemandHistory() = default;
  explicit DemandHistory(const Options& options) : options_(options) {}

  // A job came, with times counted as in later calls. Returns its number.
  // REQUIRES: not before the last one recorded.
  int64_t Record(const PlanJob& job);
  // It has turned out to be so long. Does nothing if it is forgotten.
  void Amend(int64_t number, int64_t duration);

  // Appends jobs expected in (now, now + horizon], with weights; small ones
  // are bundled, so that their number grows with the work, not with theirs.
  void Expect(int64_t now, int64_t horizon, std::vector<PlanJob>& jobs) const;

 private:
  // Fills `bundles` with those of [from, to), small ones bundled.
  void Bundle(int64_t from, int64_t to, double weight, double least_size,
              std::vector<PlanJob>& bundles) const;

  Options options_;
  std::deque<PlanJob> jobs_;
  // How likely it is that jobs go on coming, by the silence since the last.
  double Going(int64_t now) const;

  int64_t first_ = -1;  // the first arrival of all
  int64_t count_ = 0;   // of arrivals
  int64_t longest_silence_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_DEMAND_H_
