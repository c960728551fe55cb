// GAIA's artefact, reproduced digit for digit.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"
#include "tests/policies/play.h"

namespace ccsched::testing {
namespace {

constexpr int kTicksAnHour = 720;
constexpr int kFirstRow = 7000;
constexpr int kHours = 720;
constexpr int64_t kShortTicks = 1440;

std::string Traces() {
  const char* const dir = std::getenv("CCSCHED_TRACES");
  return dir != nullptr ? dir : CCSCHED_SOURCE_DIR "/../shared/traces";
}

struct GaiaJob {
  int64_t arrival, length;  // ticks of 5 s
  uint32_t cpus;
};

std::vector<GaiaJob> ReadJobs(std::istream& in) {
  std::vector<GaiaJob> jobs;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    char* at = line.data();
    const double arrival = std::strtod(at, &at);
    const double length = std::strtod(at + 1, &at);
    jobs.push_back({static_cast<int64_t>(arrival / 5),
                    static_cast<int64_t>(length / 5),
                    static_cast<uint32_t>(std::strtoul(at + 1, nullptr, 10))});
  }
  return jobs;
}

std::vector<double> ReadIntensity(std::istream& in) {
  std::vector<double> values;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    values.push_back(std::strtod(line.c_str() + line.find(',') + 1, nullptr));
  }
  return {values.begin() + kFirstRow, values.begin() + kFirstRow + kHours};
}

struct Expected {
  std::string policy;
  bool lengths_known;
  double grams;
  double mean_wait_h;
};

class GaiaTest : public ::testing::TestWithParam<Expected> {};

TEST_P(GaiaTest, ReproducesTheArtefact) {
  std::ifstream jobs_file(Traces() + "/gaia/pai_1k.csv");
  std::ifstream carbon_file(Traces() + "/carbon/AU-SA_2022.csv");
  if (!jobs_file || !carbon_file) {
    GTEST_SKIP() << "no traces in " << Traces() << " (see CCSCHED_TRACES)";
  }
  const std::vector<GaiaJob> jobs = ReadJobs(jobs_file);
  const std::vector<double> intensity = ReadIntensity(carbon_file);
  ASSERT_EQ(jobs.size(), 1000u);
  double sum[2] = {}, count[2] = {};
  for (const GaiaJob& job : jobs) {
    const bool is_long = job.length >= kShortTicks;
    sum[is_long] += static_cast<double>(job.length);
    count[is_long] += 1;
  }
  ClusterBuilder cluster;
  cluster.Site("adelaide");
  Topology topology = cluster.topology();
  topology.pools[0].active = Watts(1);
  Play play(topology, *MakePolicy(GetParam().policy, {}), T(kHours));
  play.Forecast(0, intensity).Node(0, kUnlimited);
  for (const GaiaJob& job : jobs) {
    const bool is_long = job.length >= kShortTicks;
    PlayJob p = {.submit_h = static_cast<double>(job.arrival) / kTicksAnHour,
                 .runtime_h = static_cast<double>(job.length) / kTicksAnHour,
                 .count = job.cpus,
                 .max_delay_h = is_long ? 24.0 : 6.0,
                 .suspendable = true};
    if (!GetParam().lengths_known) {
      p.believed_h = sum[is_long] / count[is_long] / kTicksAnHour;
    }
    play.Job(p);
  }
  const PlayResult result = play.Run();
  ASSERT_EQ(result.ends.size(), jobs.size());
  const std::shared_ptr<const Forecast> grid = HourlyForecast(intensity);
  double grams = 0;
  for (const PlayStretch& s : result.stretches) {
    grams += grid->PerKilowatt(s.start, s.end).value() * s.count / 1000;
  }
  double wait_h = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    wait_h +=
        result.EndHours(i + 1) -
        static_cast<double>(jobs[i].arrival + jobs[i].length) / kTicksAnHour;
  }
  wait_h /= static_cast<double>(jobs.size());
  EXPECT_NEAR(grams, GetParam().grams, 6e-5);
  EXPECT_NEAR(wait_h, GetParam().mean_wait_h, 0.0005 + 1.0 / 3600);
}

// Source: the authors' artefact (umassos/GAIA), run on the same input.
INSTANTIATE_TEST_SUITE_P(
    All, GaiaTest,
    ::testing::Values(Expected{"fcfs", false, 562.1713, 0},
                      Expected{"lowest-slot", false, 438.5145, 5.638},
                      Expected{"lowest-window", false, 384.3588, 6.645},
                      Expected{"lowest-window", true, 345.3847, 6.605},
                      Expected{"carbon-time", false, 407.5113, 4.729},
                      Expected{"carbon-time", true, 369.8481, 4.607},
                      Expected{"ecovisor", false, 359.2865, 6.638},
                      Expected{"wait-awhile", true, 307.0558, 7.402}),
    [](const auto& info) {
      std::string name = info.param.policy;
      for (char& c : name) {
        if (c == '-') c = '_';
      }
      return name + (info.param.lengths_known ? "_known" : "");
    });

}  // namespace
}  // namespace ccsched::testing
