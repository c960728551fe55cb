// Options of a job, laid over what a file says.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/job_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Applied {
  v1::JobSpec job;
  absl::Status status;
  int now_asked = 0;
};

Applied Apply(const JobOptions& options, v1::JobSpec base = {}) {
  Applied a;
  a.job = std::move(base);
  a.status = ApplyJobOptions(
      options,
      [&] {
        ++a.now_asked;
        return ParseRfc3339("2026-01-05T12:00:00Z");
      },
      absl::UTCTimeZone(),
      [](const char* name) -> const char* {
        return std::strcmp(name, "SET") == 0 ? "here" : nullptr;
      },
      &a.job);
  return a;
}

TEST(JobOptionsTest, WhatIsNotSaidStaysAsTheFileHasIt) {
  v1::JobSpec base;
  base.set_name("file");
  base.set_accelerators(4);
  base.add_site("oslo");
  (*base.mutable_env())["A"] = "1";
  JobOptions o;
  o.accelerators = 8;
  o.env = {"B=2", "SET"};
  const Applied a = Apply(o, base);
  ASSERT_TRUE(a.status.ok()) << a.status;
  EXPECT_EQ(a.job.name(), "file");
  EXPECT_EQ(a.job.accelerators(), 8);
  EXPECT_THAT(a.job.site(), ElementsAre("oslo"));
  EXPECT_EQ(a.job.env().at("A"), "1");
  EXPECT_EQ(a.job.env().at("B"), "2");
  EXPECT_EQ(a.job.env().at("SET"), "here");
}

TEST(JobOptionsTest, ListsReplaceThoseOfTheFile) {
  v1::JobSpec base;
  base.add_site("oslo");
  base.add_after(3);
  JobOptions o;
  o.site = {"rome", "bonn"};
  o.after = {"7"};
  const Applied a = Apply(o, base);
  EXPECT_THAT(a.job.site(), ElementsAre("rome", "bonn"));
  EXPECT_THAT(a.job.after(), ElementsAre(7));
}

TEST(JobOptionsTest, AsksForTheTimeOnlyIfItMatters) {
  JobOptions o;
  o.finish_by = "2026-01-09T08:00:00Z";
  EXPECT_EQ(Apply(o).now_asked, 0);
  EXPECT_EQ(Apply(o).job.finish_by_text(), "");
  o.finish_by = "+36h";
  const Applied a = Apply(o);
  EXPECT_EQ(a.now_asked, 1);
  EXPECT_EQ(a.job.finish_by_text(), "+36h") << "a key goes by it";
  EXPECT_EQ(FormatRfc3339(FromProto(a.job.finish_by())),
            "2026-01-07T00:00:00Z");
  o.finish_by = "whenever";
  const Applied bad = Apply(o);
  EXPECT_EQ(bad.now_asked, 0);
  EXPECT_THAT(std::string(bad.status.message()),
              HasSubstr("--finish-by: 'whenever' is not a time"));
}

TEST(JobOptionsTest, GpusOfANodeMultiplyByItsNodes) {
  JobOptions o;
  o.accelerators_per_node = 4;
  EXPECT_EQ(Apply(o).job.accelerators(), 4);
  o.nodes = 3;
  EXPECT_EQ(Apply(o).job.accelerators(), 12);
  o.accelerators = 6;
  EXPECT_EQ(Apply(o).job.accelerators(), 6);
}

TEST(JobOptionsTest, NamesTheOptionAndTheValue) {
  const auto error = [](auto set) {
    JobOptions o;
    set(&o);
    return std::string(Apply(o).status.message());
  };
  EXPECT_THAT(error([](auto* o) { o->max_delay = "5"; }),
              HasSubstr("--max-delay: '5' is not a duration"));
  EXPECT_THAT(error([](auto* o) { o->time_limit = "x"; }),
              HasSubstr("--time-limit: 'x'"));
  EXPECT_THAT(error([](auto* o) { o->accelerators = -1; }),
              HasSubstr("--accelerators: -1 is out of range"));
  EXPECT_THAT(error([](auto* o) { o->priority = 1LL << 40; }),
              HasSubstr("--priority: 1099511627776"));
  EXPECT_THAT(error([](auto* o) { o->key = ""; }),
              HasSubstr("--key: it is empty"));
  EXPECT_THAT(error([](auto* o) { o->after = {"x"}; }),
              HasSubstr("--after: 'x' is not a job's number"));
  EXPECT_THAT(error([](auto* o) { o->env = {"=x"}; }),
              HasSubstr("--env: '=x'"));
  EXPECT_THAT(error([](auto* o) { o->env = {"UNSET"}; }),
              HasSubstr("--env: 'UNSET' is not set here"));
}

}  // namespace
}  // namespace ccsched
