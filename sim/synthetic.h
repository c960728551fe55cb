// Synthetic jobs and grids, fitted to statistics of real ones; seeded.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SYNTHETIC_H_
#define CCSCHED_SIM_SYNTHETIC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/random.h"
#include "scheduler/base/step_series.h"
#include "sim/trace.h"
#include "sim/workload.h"

namespace ccsched {

struct SyntheticJobsOptions {
  // "philly": many small jobs, a few wide ones of weeks, by virtual cluster.
  // "pai": machine learning of all sizes from minutes to three days.
  std::string profile = "philly";
  uint64_t jobs = 10'000;
  double days = 28;  // on average; the last job may come a little later
  uint64_t seed = 1;
};

// Draws jobs in the order of their submission: a Poisson process whose rate
// follows the hour and the weekday, widths and runtimes from the quantiles of
// the published trace. The same options give the same jobs on every machine.
// Source: our own statistics of Microsoft's Philly trace of October 2017 (Jeon
// et al., ATC'19) and of Alibaba's PAI trace as GAIA used it (ASPLOS'24).
class SyntheticJobs {
 public:
  // Errors: InvalidArgument for an unknown profile or empty ranges.
  static absl::StatusOr<SyntheticJobs> Create(
      const SyntheticJobsOptions& options);

  // The next job, with times since the start; false after the last.
  bool Next(TraceJob& job);

 private:
  struct Profile;
  static const Profile* Find(std::string_view name);
  SyntheticJobs(const Profile* profile, const SyntheticJobsOptions& options);

  const Profile* profile_;
  SyntheticJobsOptions options_;
  Random random_;
  uint64_t done_ = 0;
  double hours_ = 0;
  double mean_gap_ = 1;
};

// A workload of synthetic jobs that is drawn again by every run and never
// held in memory. REQUIRES: the scenario's pools hold the widest of them.
absl::StatusOr<std::unique_ptr<Workload>> SyntheticWorkload(
    const Scenario& scenario, const SyntheticJobsOptions& options);

// Hourly intensity, gCO2e/kWh: a daily profile times a yearly wave times an
// autocorrelated lognormal factor. Profiles: "solar" (California), "wind"
// (Germany), "nuclear" (Ontario), "gas" (PJM).
// Source: our own statistics of Electricity Maps' 2021-2022 data.
// Errors: InvalidArgument for an unknown profile.
absl::StatusOr<StepSeries> SyntheticGrid(std::string_view profile,
                                         absl::Time start, int64_t hours,
                                         uint64_t seed);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SYNTHETIC_H_
