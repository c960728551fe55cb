// The published traces, where they are there: every row is read, and the counts
// are those that their publishers give.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

struct Published {
  const char* file;
  const char* format;
  size_t jobs;
  double accelerator_hours;  // as first summed up by a script of its own
};

class RealTraceTest : public testing::TestWithParam<Published> {};

TEST_P(RealTraceTest, IsReadWhole) {
  const char* given = std::getenv("CCSCHED_TRACES");
  const std::string file =
      (given != nullptr ? std::string(given)
                        : std::string(CCSCHED_SOURCE_DIR "/../shared/traces")) +
      "/" + GetParam().file;
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << file << " is not there";
  }
  const ReadTrace trace = ReadAll(OpenTrace(GetParam().format, file));
  EXPECT_TRUE(trace.end.ok()) << trace.end;
  EXPECT_THAT(trace.bad, IsEmpty());
  EXPECT_EQ(trace.left_out, 0);
  EXPECT_THAT(trace.jobs, SizeIs(GetParam().jobs));
  double hours = 0;
  for (const TraceJob& job : trace.jobs) {
    hours += job.count * (static_cast<double>(job.duration_us) / 3.6e9);
  }
  EXPECT_NEAR(hours, GetParam().accelerator_hours, 0.01);
}

INSTANTIATE_TEST_SUITE_P(
    All, RealTraceTest,
    testing::Values(
        Published{"jobs/philly_2017_sep_oct.csv", "philly", 52'558, 627768.802},
        Published{"jobs/philly_4vc_multigpu_2017_aug_oct.csv", "philly", 5'144,
                  839947.722},
        Published{"jobs/pai_gaia_year_100k.csv", "relative", 99'998,
                  1011245.851},
        Published{"jobs/surf_week_tasks.csv", "opendc", 6'295, 309796.667},
        Published{"gaia/pai_1k.csv", "gaia", 1'000, 3192.576}),
    [](const auto& info) { return "Trace" + std::to_string(info.index); });

TEST(SurfTraceTest, CountsMillisecondsSince1970) {
  const char* given = std::getenv("CCSCHED_TRACES");
  const std::string file =
      (given != nullptr ? std::string(given)
                        : std::string(CCSCHED_SOURCE_DIR "/../shared/traces")) +
      "/jobs/surf_week_tasks.csv";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << file << " is not there";
  }
  const ReadTrace trace = ReadAll(OpenTrace("opendc", file));
  ASSERT_THAT(trace.jobs, testing::Not(IsEmpty()));
  EXPECT_EQ(trace.jobs[0].submit_us, 1'665'093'600'000'000);
  EXPECT_EQ(trace.jobs[0].duration_us, 27930'000'000);
}

// The same file as Windows and spreadsheets leave it.
TEST(CsvQuirksTest, MarksBreaksQuotesAndOtherColumnsChangeNothing) {
  const TraceFiles files;
  const char* const plain =
      "job_id,submit_utc,duration_s,gpus,vc\n"
      "a,2017-10-03T12:34:56Z,3600,8,v\nb,2017-10-03T12:35:00Z,60,1,w\n";
  const char* const quirky =
      "\xef\xbb\xbf\"job_id\",extra,submit_utc,duration_s,gpus,vc\r\n"
      "a,\"x,\"\"y\"\"\",2017-10-03 12:34:56,3600.0,\"8\",v\r\n\r\n"
      "\"b\",,2017-10-03T12:35:00Z,6e1,1,w";
  const ReadTrace a = ReadAll(OpenTrace("philly", files.Write("a", plain)));
  const ReadTrace b = ReadAll(OpenTrace("philly", files.Write("b", quirky)));
  ASSERT_THAT(a.jobs, SizeIs(2));
  EXPECT_THAT(b.bad, IsEmpty());
  EXPECT_TRUE(b.end.ok()) << b.end;
  ASSERT_THAT(b.jobs, SizeIs(2));
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(Line(a.jobs[i]), Line(b.jobs[i]));
}

}  // namespace
}  // namespace ccsched
