// Sorting on disk gives what sorting in memory gives, and leaves nothing.
// SPDX-License-Identifier: Apache-2.0
#include "sim/readers/sorted_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "scheduler/base/random.h"
#include "scheduler/base/status.h"
#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::pair<std::string, std::string>> Drain(ExternalSort& sort) {
  std::vector<std::pair<std::string, std::string>> records;
  for (;;) {
    const absl::StatusOr<bool> more = sort.Next();
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return records;
    records.emplace_back(sort.key(), sort.value());
  }
}

TEST(ExternalSortTest, SortsStablyWithAndWithoutTheDisk) {
  for (const size_t memory : {size_t{1} << 20, size_t{3000}, size_t{1}}) {
    TraceFiles files;
    ExternalSort sort({.memory_bytes = memory, .directory = files.path()});
    std::vector<std::pair<std::string, std::string>> expected;
    Random random(7);
    for (int i = 0; i < 500; ++i) {
      std::string key(random.Below(3), static_cast<char>(random.Below(256)));
      expected.emplace_back(key, std::to_string(i));
      ASSERT_TRUE(sort.Add(key, expected.back().second).ok());
    }
    ASSERT_TRUE(sort.Finish().ok());
    std::stable_sort(
        expected.begin(), expected.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    EXPECT_EQ(Drain(sort), expected);
    EXPECT_EQ(sort.runs() > 0, memory < 10000) << memory;
    EXPECT_TRUE(std::filesystem::is_empty(files.path()));
  }
}

TEST(ExternalSortTest, NothingSortsToNothing) {
  ExternalSort sort;
  ASSERT_TRUE(sort.Finish().ok());
  EXPECT_THAT(Drain(sort), IsEmpty());
}

TEST(ExternalSortTest, SaysThatItCannotWrite) {
  ExternalSort sort({.memory_bytes = 1, .directory = "/no/such/directory"});
  ASSERT_TRUE(sort.Add("a", "b").ok());
  const absl::Status status = sort.Add("c", "d");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("/no/such/directory: can't make"));
}

// A trace of given jobs; a job named "bad" is a row that can't be read.
class ListTrace : public TraceReader {
 public:
  explicit ListTrace(std::vector<TraceJob> jobs) : jobs_(std::move(jobs)) {}
  absl::StatusOr<bool> Next(TraceJob& job) override {
    if (next_ == jobs_.size()) return false;
    job = jobs_[next_++];
    if (job.id == "bad") {
      return absl::InvalidArgumentError(absl::StrCat(Where(), ": bad"));
    }
    return true;
  }
  bool relative() const override { return true; }
  std::string Where() const override { return absl::StrCat("list:", next_); }

 private:
  std::vector<TraceJob> jobs_;
  size_t next_ = 0;
};

TraceJob Job(const std::string& id, int64_t submit_us, uint32_t count = 1) {
  TraceJob job;
  job.id = id;
  job.submit_us = submit_us;
  job.duration_us = 5;
  job.count = count;
  job.user = "u";
  job.project = "p";
  job.name = "n";
  return job;
}

TEST(SortedTraceTest, KeepsEverythingAboutAJobAndTheOrderOfEqualTimes) {
  std::vector<TraceJob> jobs = {Job("c", 3), Job("bad", 0), Job("a", -7, 9),
                                Job("", 3), Job("b", 0)};
  ReadTrace trace =
      ReadAll(SortBySubmission(std::make_unique<ListTrace>(jobs)));
  EXPECT_THAT(Lines(trace),
              ElementsAre("a -7e-06+5e-06 x9 u/p/n", "b 0+5e-06 x1 u/p/n",
                          "c 3e-06+5e-06 x1 u/p/n", "3 3e-06+5e-06 x1 u/p/n"));
  EXPECT_THAT(trace.wheres,
              ElementsAre("list:3", "list:5", "list:1", "list:4"));
  EXPECT_THAT(trace.bad, ElementsAre("list:2: bad"));
  EXPECT_TRUE(trace.relative);
}

TEST(SortedTraceTest, DropsExactDuplicatesOnlyWhenAsked) {
  std::vector<TraceJob> jobs = {Job("a", 3), Job("b", 3), Job("a", 3),
                                Job("a", 3, 2), Job("a", 4)};
  SortedTraceOptions options;
  options.drop_duplicates = true;
  ReadTrace dropped =
      ReadAll(SortBySubmission(std::make_unique<ListTrace>(jobs), options));
  EXPECT_THAT(dropped.jobs, SizeIs(4));
  EXPECT_EQ(dropped.left_out, 1);
  ReadTrace kept = ReadAll(SortBySubmission(std::make_unique<ListTrace>(jobs)));
  EXPECT_THAT(kept.jobs, SizeIs(5));
}

TEST(SortedTraceTest, MemoryDoesNotGrowWithTheTrace) {
  SortedTraceOptions options;
  options.sort.memory_bytes = 64 << 10;
  std::vector<TraceJob> jobs;
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    jobs.push_back(Job(absl::StrCat("j", i), random.Below(1000000)));
  }
  ReadTrace trace =
      ReadAll(SortBySubmission(std::make_unique<ListTrace>(jobs), options));
  ASSERT_THAT(trace.jobs, SizeIs(20000));
  EXPECT_TRUE(std::is_sorted(trace.jobs.begin(), trace.jobs.end(),
                             [](const TraceJob& a, const TraceJob& b) {
                               return a.submit_us < b.submit_us;
                             }));
}

}  // namespace
}  // namespace ccsched
