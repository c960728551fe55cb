// Damaged files give errors, never a crash, a hang or an impossible job.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/random.h"
#include "scheduler/carbon/grid_csv.h"
#include "sim/readers/readers.h"
#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

struct Sample {
  const char* format;
  const char* file;
  const char* text;
};
constexpr Sample kSamples[] = {
    {"swf", "a.swf",
     "; UnixStartTime: 820454400\n"
     "1 0 10 60 4 -1 -1 8 3600 -1 1 7 3 -1 1 -1 -1 -1\n"
     "2 5 10 0 -1 -1 -1 16 3600 -1 0 7 3 -1 1 -1 -1 -1\n"},
    {"helios", "a.csv",
     "job_id,user,vc,gpu_num,state,submit_time,start_time,end_time,duration\n"
     "1,uA,vB,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:06,2020-06-10 "
     "04:55:09,36843\n"
     "2,\"u,A\",vB,8,FAILED,2020-06-09 18:41:01+08:00,2020-06-09 18:41:06Z,"
     "2020-06-10T04:55:09.5,1\n"},
    {"opendc", "a.csv",
     "id,submission_time,duration,cpu_count\n1,1665093600000,27930000,16\n"
     "2,2022-10-06T22:00:00Z,500,1\n"},
    {"openb", "a.csv",
     "name,num_gpu,creation_time,deletion_time,scheduled_time\n"
     "a,1,9679175,9973826,9679180\nb,8,9437497,10769854,9437497\n"},
    {"philly-log", "a.json",
     "[{\"vc\":\"e\",\"jobid\":\"a\",\"attempts\":[{\"start_time\":"
     "\"2017-10-07 01:12:09\",\"end_time\":\"2017-10-07 01:13:23\",\"detail\":"
     "[{\"ip\":\"m\",\"gpus\":[\"g0\",\"g1\"]}]}],\"submitted_time\":"
     "\"2017-10-07 01:11:39\",\"user\":\"c\\\"}\"},\n{\"jobid\":\"b\","
     "\"attempts\":[],\"submitted_time\":\"2017-10-07 01:11:39\"}]\n"},
    {"philly", "a.csv",
     "job_id,submit_utc,duration_s,gpus,vc\n"
     "a,2017-10-03T12:34:56Z,3600,8,v\n\"b,c\",2017-10-03 12:34:57,0.5,1,v\n"},
    {"gaia", "a.csv", "arrival_time,length,cpus\n0,3600,1\n1.5,7.25,16\n"},
    {"relative", "a.csv",
     "job_id,submit_s,duration_s,slots,user\n1,0,3600,1,u\n2,1e3,60,4,\n"},
    {"pai", "pai_job_table.csv",
     "a,i,u,Terminated,100.0,400.0\nb,i,u,Failed,200.0,400.0\n"},
};

// What fuzzers do: bytes changed, cut out, doubled, cut off; numbers grown.
std::string Damaged(std::string text, Random& random) {
  for (uint64_t n = random.Below(4); n > 0 && !text.empty(); --n) {
    const size_t at = random.Below(text.size());
    switch (random.Below(7)) {
      case 0:
        text[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        text.erase(at, 1 + random.Below(30));
        break;
      case 2:
        text.insert(at, text.substr(random.Below(text.size()), 20));
        break;
      case 3:
        text.insert(at, std::string(1 + random.Below(40), '9'));
        break;
      case 4: {
        constexpr const char* kWords[] = {
            "-",    "nan", "inf", "1e308", "\"",    ",,", "\r",
            "\n\n", "0x1", ".",   "[[{",   "\\u00", "Z",  "\xef\xbb\xbf"};
        text.insert(at, kWords[random.Below(std::size(kWords))]);
        break;
      }
      case 5:
        for (int doubled = 0; doubled < 3; ++doubled) text += text.substr(at);
        break;
      default:
        text.resize(at + 1);
    }
  }
  return text;
}

// Rounds for each format: enough to be quick in CI; CCSCHED_FUZZ_ROUNDS=1000000
// for a long one. Memory is bounded, so that what allocates without bound dies.
class DamagedTest : public testing::Test {
 protected:
  DamagedTest() {
    if (const char* rounds = getenv("CCSCHED_FUZZ_ROUNDS")) {
      rounds_ = std::atoi(rounds);
    }
    if (const char* seed = getenv("CCSCHED_SEED")) {
      seed_ = strtoull(seed, nullptr, 10);
    }
    RecordProperty("seed", std::to_string(seed_));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    getrlimit(RLIMIT_AS, &before_);
    rlimit bounded = before_;
    bounded.rlim_cur = std::min<rlim_t>(before_.rlim_max, rlim_t{1} << 30);
    setrlimit(RLIMIT_AS, &bounded);
#endif
  }
  ~DamagedTest() override {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    setrlimit(RLIMIT_AS, &before_);
#endif
  }

  int rounds_ = 300;
  uint64_t seed_ = 20261123;
  rlimit before_{};
};
using DamagedTraceTest = DamagedTest;
using DamagedGridTest = DamagedTest;

TEST_F(DamagedTraceTest, GivesErrorsButNeverAnImpossibleJob) {
  Random random(seed_);
  for (const Sample& sample : kSamples) {
    TraceFiles files;
    files.Write("pai_task_table.csv",
                "a,w,2.0,Terminated,110.0,390.0,4,8,150.0,T4\n"
                "b,w,1.0,Failed,210.0,390.0,4,8,50.0,T4\n");
    size_t read = 0;
    for (int round = 0; round < rounds_; ++round) {
      const std::string text = Damaged(sample.text, random);
      SCOPED_TRACE(absl::StrCat(sample.format, ", seed ", seed_, ":\n", text));
      ReadTrace trace =
          ReadAll(OpenTrace(sample.format, files.Write(sample.file, text)));
      for (const TraceJob& job : trace.jobs) {
        EXPECT_GE(job.count, 1);
        EXPECT_GE(job.duration_us, 0);
        EXPECT_FALSE(job.id.empty() && sample.format != std::string("gaia") &&
                     sample.format != std::string("relative"));
        // Adding them up overflows nothing.
        EXPECT_LT(std::abs(job.submit_us), int64_t{1} << 61);
        EXPECT_LT(job.duration_us, int64_t{1} << 61);
      }
      for (const std::string& message : trace.bad) {
        EXPECT_THAT(message, testing::ContainsRegex(":[0-9]+: ")) << message;
      }
      read += trace.jobs.size();
    }
    EXPECT_GT(read, 100) << sample.format << ": too much damage to tell";
  }
}

TEST_F(DamagedGridTest, GivesErrorsButNeverAnImpossibleIntensity) {
  constexpr const char* kGrids[] = {
      "utc,ci_lca,estimated\n2021-01-01T00:00:00Z,300,0\n"
      "2021-01-01T01:00:00Z,310.5,1\n2021-01-01T02:00:00Z,290,0\n",
      "\xef\xbb\xbf"
      "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh "
      "(direct),Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,"
      "Renewable Percentage,Data Source,Data Estimated,Data Estimation Method"
      "\r\n2021-01-01 00:00:00,X,Y,Z,100.5,120,80,70,s,false,\r\n"
      "2021-01-01 01:00:00,X,Y,Z,101.5,121,80,70,s,true,m\r\n"};
  Random random(seed_);
  int good = 0;
  for (const char* grid : kGrids) {
    for (int round = 0; round < rounds_; ++round) {
      const std::string text = Damaged(grid, random);
      SCOPED_TRACE(absl::StrCat("seed ", seed_, ":\n", text));
      for (const GapRule gaps : {GapRule::kRefuse, GapRule::kInterpolate}) {
        const auto column = ParseGridCsv(text, "grid.csv", "", gaps);
        if (!column.ok()) {
          EXPECT_THAT(std::string(column.status().message()),
                      testing::StartsWith("grid.csv"));
          continue;
        }
        ++good;
        for (const double v : column->series.values()) {
          EXPECT_TRUE(v >= 0 && std::isfinite(v)) << v;
        }
      }
    }
  }
  EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace ccsched
