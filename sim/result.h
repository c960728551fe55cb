// The figures of a simulated run.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RESULT_H_
#define CCSCHED_SIM_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/units.h"

namespace ccsched {

struct SiteFigures {
  std::string site;
  uint64_t peak = 0;  // accelerators at work at once
  // Of its accelerators, from the first submission to the last end; absent
  // where there are as many as one asks for.
  std::optional<double> utilisation;
  GramsCo2e co2e;
  KilowattHours energy;
};

// Money in one currency, never added to another.
struct CostFigures {
  std::string currency;
  std::optional<Money> electricity;   // of the jobs' energy; idle apart
  std::optional<Money> accelerators;  // by the hour held
  std::optional<Money> moved;         // of bytes that moved between sites

  Money total() const {
    return electricity.value_or(Money()) + accelerators.value_or(Money()) +
           moved.value_or(Money());
  }
};

// What one project's jobs did, where the scenario names projects.
struct ProjectFigures {
  std::string project;
  uint64_t jobs = 0, finished = 0;
  double accelerator_hours = 0;
  GramsCo2e co2e;
  absl::Duration wait_mean;  // of those finished
};

struct SimResult {
  std::string policy;  // its label
  uint64_t jobs = 0;
  uint64_t unfinished = 0;
  uint64_t promises_broken = 0;
  uint64_t cancelled = 0;  // in a replay: by their users
  GramsCo2e co2e;       // of the jobs' stretches and moves, overheads included
  GramsCo2e idle_co2e;  // of unoccupied accelerators
  KilowattHours energy, idle_energy;  // PUE included
  std::vector<CostFigures> costs;     // by currency; empty: no price is known
  KilowattHours unpriced;  // of `energy`: no price was published for its hour
  // From submission to end, without the useful work. Over finished jobs;
  // percentiles are interpolated linearly between ranks.
  absl::Duration wait_mean, wait_p50, wait_p95, wait_p99;
  // Mean of max(1, (end - submission) / max(runtime, 10 s)).
  // Source: Feitelson 2001.
  double bounded_slowdown_mean = 1;
  uint64_t suspensions = 0;
  uint64_t moves = 0;  // resumptions at another site
  double moved_gb = 0;
  KilowattHours moved_energy;  // of moved bytes; within `energy`
  uint64_t resizes = 0;
  uint64_t node_failures = 0;
  uint64_t lost_attempts = 0;  // with a node
  // Useful accelerator-hours of lost attempts, done again later.
  double lost_hours = 0;
  std::vector<SiteFigures> sites;
  std::vector<ProjectFigures> projects;  // by name
  absl::Time first_submission, last_end;
  uint64_t steps = 0;  // of the engine
  // CPU time of this run's thread: in the policy (sampled), and in all.
  absl::Duration decide_cpu, cpu;
  std::optional<GramsCo2e> bound;
  bool over_full = false;  // there is no bound: nobody could keep all promises
  std::optional<double> saved_vs_fcfs;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_RESULT_H_
