// A trace too long for memory gives the same jobs in the same order.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "scheduler/base/random.h"
#include "sim/scenario.h"
#include "sim/workload.h"
#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

Scenario MakeScenario(const TraceFiles& files, const std::string& trace,
                      const std::string& format) {
  std::string grid = "utc,ci\n";
  for (int hour = 0; hour < 48; ++hour) {
    absl::StrAppendFormat(&grid, "2021-01-%02dT%02d:00:00Z,100\n",
                          1 + hour / 24, hour % 24);
  }
  files.Write("grid.csv", grid);
  const std::string file = files.Write(
      "s.yaml",
      absl::StrCat("version: 1\nstart: 2021-01-01T00:00:00Z\n"
                   "jobs: {trace: ",
                   trace, ", format: ", format,
                   ", defaults: {accelerator: gpu, runtime: known}}\n"
                   "regions: [{name: R, intensity: grid.csv, column: ci, "
                   "forecast: perfect}]\n"
                   "sites: [{name: s, region: R, pue: 1.0, pools: "
                   "[{accelerator: gpu, count: unlimited, idle_watts: 0, "
                   "active_watts: 1}]}]\npolicies: [fcfs]\n"));
  absl::StatusOr<Scenario> scenario = LoadScenario(file, {});
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

std::vector<std::string> JobsOf(const Scenario& scenario, uint64_t in_memory,
                                bool skip, uint64_t* bad_rows) {
  WorkloadOptions options;
  options.jobs_in_memory = in_memory;
  options.skip_bad_rows = skip;
  auto workload = LoadWorkload(scenario, options);
  EXPECT_TRUE(workload.ok()) << workload.status();
  *bad_rows = (*workload)->facts().bad_rows;
  std::vector<std::string> jobs;
  for (int pass = 0; pass < 2; ++pass) {
    jobs.clear();
    auto source = (*workload)->Open().value();
    while (const SimJob* job = source->Next().value()) {
      jobs.push_back(absl::StrCat(job->id, " ", job->submit_us, " ",
                                  job->duration_us, " ", job->count, " ",
                                  job->user.value()));
    }
  }
  return jobs;
}

TEST(WorkloadOrderTest, IsTheSameFromMemoryAndSortedOnDisk) {
  TraceFiles files;
  Random random(11);
  std::string text = "arrival_time,length,cpus,user\n";
  for (int i = 0; i < 300; ++i) {
    absl::StrAppend(&text, random.Below(100), ",", 1 + random.Below(50), ",",
                    i == 77 ? "x" : "1", ",u", random.Below(5), "\n");
  }
  files.Write("t.csv", text);
  const Scenario scenario = MakeScenario(files, "t.csv", "gaia");
  uint64_t bad = 0, bad_sorted = 0;
  const std::vector<std::string> stored = JobsOf(scenario, 1000, true, &bad);
  EXPECT_EQ(stored.size(), 299);
  EXPECT_EQ(JobsOf(scenario, 10, true, &bad_sorted), stored);
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(bad_sorted, 1);
}

TEST(WorkloadOrderTest, AnIdStandsForOneJobInMemoryAndOnDisk) {
  TraceFiles files;
  std::string text = "job_id,submit_s,duration_s,slots\n";
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&text, "job-", i == 33 ? 8 : i, ",", i, ",10,1\n");
  }
  files.Write("t.csv", text);
  const Scenario scenario = MakeScenario(files, "t.csv", "relative");
  // All in memory; the second of them on disk; both on disk.
  for (const uint64_t in_memory : {1000, 20, 3}) {
    WorkloadOptions options;
    options.jobs_in_memory = in_memory;
    EXPECT_THAT(std::string(LoadWorkload(scenario, options).status().message()),
                testing::HasSubstr("t.csv:35: job job-8 is there twice"))
        << in_memory;
    uint64_t bad = 0;
    EXPECT_EQ(JobsOf(scenario, in_memory, true, &bad).size(), 50);
    EXPECT_EQ(bad, 0);
  }
}

}  // namespace
}  // namespace ccsched
