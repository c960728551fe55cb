// Runs all policies of a scenario, and its bound, in parallel.
// SPDX-License-Identifier: Apache-2.0
#include "sim/run_all.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "sim/scenario_bound.h"
#include "sim/schedule_csv.h"
#include "sim/simulation.h"
#include "sim/thread_pool.h"

namespace ccsched {
namespace {

// Tells two listeners.
class Tee : public StretchSink {
 public:
  Tee(StretchSink* a, StretchSink* b) : a_(a), b_(b) {}
  void OnStretch(const JobStretch& stretch) override {
    if (a_ != nullptr) a_->OnStretch(stretch);
    if (b_ != nullptr) b_->OnStretch(stretch);
  }
  void OnJob(const JobEnd& job) override {
    if (a_ != nullptr) a_->OnJob(job);
    if (b_ != nullptr) b_->OnJob(job);
  }

 private:
  StretchSink* const a_;
  StretchSink* const b_;
};

std::string ScheduleFile(const std::string& folder, std::string label) {
  for (char& c : label) {
    if (c == '/' || c == '\0') c = '_';
  }
  return absl::StrCat(folder, "/", label, ".csv");
}

absl::StatusOr<SimResult> RunOne(const Scenario& scenario,
                                 const Workload& workload, size_t i,
                                 const RunAllOptions& options) {
  const PolicyRun& policy = scenario.policies[i];
  std::unique_ptr<ScheduleCsv> csv;
  if (!options.schedule_dir.empty()) {
    ASSIGN_OR_RETURN(csv, ScheduleCsv::Create(
                              ScheduleFile(options.schedule_dir, policy.label),
                              scenario.topology));
  }
  Tee tee(csv.get(), options.sink ? options.sink(i) : nullptr);
  ASSIGN_OR_RETURN(SimResult result,
                   Simulate(scenario, workload, policy,
                            {.sink = &tee, .timing = options.timing}));
  if (csv != nullptr) RETURN_IF_ERROR(csv->Close());
  return result;
}

}  // namespace

void RemoveUnfinished(const Scenario& scenario,
                      const std::string& schedule_dir) {
  if (schedule_dir.empty()) return;
  for (const PolicyRun& policy : scenario.policies) {
    std::remove(
        ScheduleCsv::PartOf(ScheduleFile(schedule_dir, policy.label)).c_str());
  }
}

absl::StatusOr<std::vector<SimResult>> RunAll(const Scenario& scenario,
                                              const Workload& workload,
                                              const RunAllOptions& options) {
  if (!options.schedule_dir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.schedule_dir, error);
    if (error) {
      return absl::FailedPreconditionError(absl::StrCat(
          options.schedule_dir, ": can't be made: ", error.message()));
    }
  }
  const size_t runs = scenario.policies.size();
  std::vector<std::optional<absl::StatusOr<SimResult>>> done(runs);
  absl::StatusOr<std::optional<GramsCo2e>> bound = std::nullopt;
  std::mutex mutex;
  size_t finished = 0;
  const size_t tasks = runs + (options.bound ? 1 : 0);
  RunInParallel(tasks, options.threads, [&](size_t i) {
    // The bound takes longest, so it goes first.
    if (options.bound && i == 0) {
      bound = ScenarioBound(scenario, workload);
    } else {
      const size_t run = options.bound ? i - 1 : i;
      done[run] = RunOne(scenario, workload, run, options);
    }
    if (!options.progress) return;
    const std::lock_guard<std::mutex> lock(mutex);
    options.progress(++finished, tasks);
  });
  RETURN_IF_ERROR(bound.status());
  std::vector<SimResult> results;
  for (auto& result : done) {
    if (!result->ok()) return result->status();
    results.push_back(*std::move(*result));
  }
  const SimResult* fcfs = nullptr;
  for (size_t i = 0; i < runs && fcfs == nullptr; ++i) {
    if (scenario.policies[i].name == "fcfs") fcfs = &results[i];
  }
  for (SimResult& result : results) {
    result.bound = *bound;
    result.over_full = options.bound && !bound->has_value();
    if (fcfs != nullptr && fcfs->co2e > GramsCo2e(0)) {
      result.saved_vs_fcfs = 1 - result.co2e / fcfs->co2e;
    }
  }
  return results;
}

}  // namespace ccsched
