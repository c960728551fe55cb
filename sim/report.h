// One self-contained HTML page about the runs of a scenario.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_REPORT_H_
#define CCSCHED_SIM_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"
#include "sim/workload.h"

namespace ccsched {

// What a report shows of one run beyond its figures. Its memory grows with the
// hours of the run, not with its jobs.
class ReportCollector : public StretchSink {
 public:
  explicit ReportCollector(const Scenario& scenario);

  void OnStretch(const JobStretch& stretch) override;
  void OnJob(const JobEnd& job) override;

  // Mean accelerators at work in each hour from the scenario's start.
  const std::vector<double>& load(size_t site) const { return load_[site]; }
  // How many jobs waited for at most so many hours: cumulative, by quarters.
  const std::vector<uint64_t>& waits() const { return waits_; }
  static constexpr double kWaitStepHours = 0.25;

  struct WorstJob {
    std::string id;
    double wait_h = 0, run_h = 0, late_h = 0, co2e_g = 0;
    // What it would have emitted at once where it ran last; absent where that
    // is not known or it never ran.
    std::optional<double> at_once_g;
    uint32_t count = 1, stretches = 0, losses = 0;
    PoolId pool;
    bool kept = true, finished = true;
    int64_t submit_us = 0;
  };
  // Those that kept people waiting longest, late ones first.
  std::vector<WorstJob> Worst() const;

 private:
  const Scenario& scenario_;
  const int64_t start_us_;
  std::vector<std::vector<double>> load_;
  std::vector<uint64_t> waits_;
  std::vector<WorstJob> worst_;
};

// Writes the page. REQUIRES: a collector for each result. Errors:
// FailedPrecondition naming the file.
absl::Status WriteReport(const std::string& path, const Scenario& scenario,
                         const WorkloadFacts& facts,
                         const std::vector<SimResult>& results,
                         const std::vector<ReportCollector>& collected);

}  // namespace ccsched

#endif  // CCSCHED_SIM_REPORT_H_
