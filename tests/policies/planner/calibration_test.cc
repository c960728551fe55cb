// Learnt runtimes on real traces: P50 holds for half, P90 for nine in ten.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "policies/planner/survival.h"
#include "scheduler/base/symbols.h"
#include "sim/trace.h"

namespace ccsched {
namespace {

// Asked of jobs that have run so long already.
constexpr double kAgeHours[] = {0, 1, 6, 24};

struct Coverage {
  int asked = 0;
  int p50 = 0;
  int p90 = 0;
  double believed = 0;  // hours, on average
  double lasted = 0;
};
using Coverages = std::array<Coverage, std::size(kAgeHours)>;

std::string TracePath(const std::string& file) {
  const char* const dir = std::getenv("CCSCHED_TRACES");
  return std::string(dir != nullptr ? dir
                                    : CCSCHED_SOURCE_DIR "/../shared/traces") +
         "/jobs/" + file;
}

struct Event {
  absl::Time at;
  enum Kind { kEnds, kBegins, kAsked } kind;
  size_t job;
  int age;
  bool operator<(const Event& o) const {
    return std::tie(at, kind, job, age) < std::tie(o.at, o.kind, o.job, o.age);
  }
};

// Plays a trace as if each job began when it was submitted, and asks of every
// `every`th job at each age that it reaches.
Coverages Play(const std::string& format, const std::string& file,
               size_t every) {
  const auto reader = *OpenTrace(format, TracePath(file));
  SymbolTable symbols;
  std::vector<Job> jobs;
  std::vector<absl::Duration> lengths;
  std::vector<JobShape> shapes;
  std::vector<Event> events;
  TraceJob row;
  while (*reader->Next(row)) {
    Job job;
    const size_t i = jobs.size();
    job.spec.id = JobId(i + 1);
    job.spec.submitted = absl::FromUnixMicros(row.submit_us);
    job.spec.project = symbols.Intern(row.project);
    job.spec.max_delay = absl::Hours(24);
    jobs.push_back(job);
    shapes.emplace_back().count = row.count;
    lengths.push_back(absl::Microseconds(row.duration_us));
    events.push_back({job.spec.submitted, Event::kBegins, i, 0});
    events.push_back({job.spec.submitted + lengths[i], Event::kEnds, i, 0});
    for (size_t a = 0; i % every == 0 && a < std::size(kAgeHours); ++a) {
      const absl::Duration age = absl::Hours(1) * kAgeHours[a];
      if (lengths[i] <= age) break;
      events.push_back(
          {job.spec.submitted + age, Event::kAsked, i, static_cast<int>(a)});
    }
  }
  std::sort(events.begin(), events.end());
  LearnedBeliefs beliefs;
  Coverages coverages;
  for (const Event& e : events) {
    beliefs.Advance(e.at);
    const Job& job = jobs[e.job];
    const JobShape& shape = shapes[e.job];
    if (e.kind == Event::kBegins) {
      beliefs.Began(job, shape, e.at);
    } else if (e.kind == Event::kEnds) {
      beliefs.Observe(job, shape, lengths[e.job], true);
    } else {
      const absl::Duration age = absl::Hours(1) * kAgeHours[e.age];
      const RuntimeBelief belief = beliefs.Remaining(job, shape, age);
      const absl::Duration left = lengths[e.job] - age;
      Coverage& c = coverages[e.age];
      ++c.asked;
      c.p50 += left <= belief.p50;
      c.p90 += left <= belief.p90;
      c.believed += absl::ToDoubleHours(belief.mean);
      c.lasted += absl::ToDoubleHours(left);
    }
  }
  return coverages;
}

struct Case {
  std::string format;
  std::string file;
  size_t every;
};

class CalibrationTest : public ::testing::TestWithParam<Case> {};

// The bands allow for what a trace's own drift does: the multi-GPU jobs of
// Philly grow longer over its two months.
TEST_P(CalibrationTest, HoldsOnRealJobs) {
  if (!std::filesystem::exists(TracePath(GetParam().file))) {
    GTEST_SKIP() << "no " << TracePath(GetParam().file)
                 << " (see CCSCHED_TRACES)";
  }
  const Coverages coverages =
      Play(GetParam().format, GetParam().file, GetParam().every);
  for (size_t a = 0; a < coverages.size(); ++a) {
    const Coverage& c = coverages[a];
    if (c.asked == 0) continue;
    const double p50 = static_cast<double>(c.p50) / c.asked;
    const double p90 = static_cast<double>(c.p90) / c.asked;
    std::printf(
        "%s, after %g h: %d asked, P50 held for %.3f, P90 for %.3f, "
        "mean %.2f of what was left\n",
        GetParam().file.c_str(), kAgeHours[a], c.asked, p50, p90,
        c.believed / c.lasted);
    if (c.asked < 100) continue;
    EXPECT_NEAR(p50, 0.5, 0.11) << "after " << kAgeHours[a] << " h";
    EXPECT_NEAR(p90, 0.9, 0.06) << "after " << kAgeHours[a] << " h";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Traces, CalibrationTest,
    ::testing::Values(Case{"philly", "philly_2017_sep_oct.csv", 10},
                      Case{"philly", "philly_4vc_multigpu_2017_aug_oct.csv", 2},
                      Case{"relative", "pai_gaia_year_100k.csv", 20}),
    [](const auto& i) {
      return i.param.file.substr(0, i.param.file.find('_', 7));
    });

}  // namespace
}  // namespace ccsched
