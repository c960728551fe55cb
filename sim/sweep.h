// Many variants of a scenario: what is varied, and what came of it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SWEEP_H_
#define CCSCHED_SIM_SWEEP_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/command.h"

namespace ccsched {

// One combination of the varied values.
using Variant = std::vector<std::pair<std::string, std::string>>;

// Splits "a=1,2" and so on into every combination, the last varying fastest.
// Commas within brackets and braces do not split. Errors: InvalidArgument.
absl::StatusOr<std::vector<Variant>> Combine(
    const std::vector<std::string>& vary);

// What one policy did in one window of one variant.
struct SweepPoint {
  std::string policy;
  double co2e_g = 0;
  double idle_co2e_g = 0;
  double energy_kwh = 0;
  double wait_mean_s = 0;
  double wait_p95_s = 0;
  double slowdown = 1;
  double late = 0;
  double unfinished = 0;
  double suspensions = 0;
  double saved_vs_fcfs = 0;  // NaN: unknown
  double gap = 0;            // NaN: unknown
  // Of electricity and accelerators; NaN: unknown, or in several currencies.
  double cost = 0;
  std::string currency;
};

// A mean over windows, and half of its 95 % confidence interval (Student's t);
// 0 of one window.
struct Estimate {
  double mean = 0;
  double half = 0;
};
Estimate EstimateOf(const std::vector<double>& values);

// One row of the result.
struct SweepRow {
  Variant variant;
  std::string policy;
  int windows = 0;
  Estimate co2e_g, idle_co2e_g, energy_kwh, wait_mean_s, wait_p95_s, slowdown,
      late, unfinished, suspensions, saved_vs_fcfs, gap, cost;
  std::string currency;
  // No other row is better in one of emission, wait and cost without being
  // worse in another; rows with unfinished jobs are never in front.
  bool pareto = false;
};
// Marks the rows of the frontier of emission (with idle), mean wait and, where
// all rows have one in the same currency, cost.
void MarkPareto(std::vector<SweepRow>& rows);

// `width` is that of a terminal; 0: as wide as it gets.
std::string SweepTable(const std::vector<SweepRow>& rows, bool windows,
                       size_t width = 0);
std::string SweepCsv(const std::vector<SweepRow>& rows);
std::string SweepJson(const std::string& scenario, uint64_t seed,
                      const std::vector<SweepRow>& rows);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SWEEP_H_
