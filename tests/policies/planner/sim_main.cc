// Simulates one scenario by one policy and prints its main figures.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_sim SCENARIO.yaml POLICY[:parameter=value,...] [BOUND_TONNES]
//       [--set path=value]... [--late]
//
// --late prints the stretches of each job that broke its promise.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/stretch.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

constexpr double kHourUs = 3.6e9;

// Hours are counted from the job's submission.
class LatePrinter : public StretchSink {
 public:
  void OnStretch(const JobStretch& stretch) override {
    stretches_[std::string(stretch.job_id)].push_back(
        {stretch.pool, stretch.start_us, stretch.end_us, stretch.overhead_us});
  }
  void OnJob(const JobEnd& job) override {
    const auto found = stretches_.find(std::string(job.job_id));
    if (found == stretches_.end()) return;
    if (!job.promise_kept) {
      std::printf(
          "late: %s x%u at %s, %.2f h long, allowed %.2f h, took %.2f h\n",
          found->first.c_str(), job.count,
          absl::FormatTime(absl::FromUnixMicros(job.submit_us),
                           absl::UTCTimeZone())
              .c_str(),
          job.duration_us / kHourUs,
          (job.deadline_us - job.submit_us) / kHourUs,
          (job.end_us - job.submit_us) / kHourUs);
      for (const Seen& s : found->second) {
        std::printf("  pool %d: %8.2f to %8.2f h, overhead %.2f h\n",
                    static_cast<int>(s.pool.value()),
                    (s.start_us - job.submit_us) / kHourUs,
                    (s.end_us - job.submit_us) / kHourUs,
                    s.overhead_us / kHourUs);
      }
    }
    stretches_.erase(found);
  }

 private:
  struct Seen {
    PoolId pool;
    int64_t start_us;
    int64_t end_us;
    int64_t overhead_us;
  };
  std::map<std::string, std::vector<Seen>> stretches_;
};

int Main(int argc, char** argv) {
  std::vector<std::string> words;
  ScenarioOptions options;
  SimulationOptions how;
  LatePrinter late;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--set" && i + 1 < argc) {
      options.set.push_back(argv[++i]);
    } else if (std::string(argv[i]) == "--late") {
      how.sink = &late;
    } else {
      words.push_back(argv[i]);
    }
  }
  if (words.size() < 2) return 2;
  options.policies = {words[1]};
  const auto scenario = LoadScenario(words[0], options);
  if (!scenario.ok()) {
    std::fprintf(stderr, "%s\n", scenario.status().ToString().c_str());
    return 2;
  }
  const auto workload = LoadWorkload(*scenario, {});
  if (!workload.ok()) {
    std::fprintf(stderr, "%s\n", workload.status().ToString().c_str());
    return 2;
  }
  const auto result =
      Simulate(*scenario, **workload, scenario->policies[0], how);
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    return 1;
  }
  const double tonnes = result->co2e.value() / 1e6;
  const double bound = words.size() > 2 ? std::stod(words[2]) : 0;
  std::printf(
      "%s: %.7g t, gap %.2f %%, unfinished %d, late %d, wait %.2f h, "
      "suspended %d, moves %d, steps %d, decide %.1f s, cpu %.1f s\n",
      words[1].c_str(), tonnes, bound > 0 ? 100 * (tonnes / bound - 1) : 0.0,
      static_cast<int>(result->unfinished),
      static_cast<int>(result->promises_broken),
      absl::ToDoubleHours(result->wait_mean),
      static_cast<int>(result->suspensions), static_cast<int>(result->moves),
      static_cast<int>(result->steps),
      absl::ToDoubleSeconds(result->decide_cpu),
      absl::ToDoubleSeconds(result->cpu));
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
