// The readers of nested and joined traces: Philly's JSON, PAI's three tables.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/readers/readers.h"
#include "sim/readers/stamps.h"
#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// An attempt on `gpus` GPUs of one server; times as JSON values.
std::string PhillyAttempt(const std::string& start, const std::string& end,
                          int gpus) {
  std::string list;
  for (int i = 0; i < gpus; ++i) {
    absl::StrAppend(&list, i == 0 ? "" : ", ", "\"gpu", i, "\"");
  }
  return absl::StrCat("{\"start_time\": ", start, ", \"end_time\": ", end,
                      ",\n \"detail\": [{\"ip\": \"m4\", \"gpus\": [", list,
                      "]}]}");
}
std::string PhillyJob(const std::string& id, const std::string& submitted,
                      const std::string& attempts) {
  return absl::StrCat(
      "{\n \"status\": \"Pass\",\n \"vc\": \"ee\",\n \"jobid\": \"", id,
      "\",\n \"attempts\": [", attempts, "],\n \"submitted_time\": \"",
      submitted, "\",\n \"user\": \"ce\"\n}");
}
const std::string kStart = "\"2017-10-07 01:00:00\"";
const std::string kMiddle = "\"2017-10-07 01:10:00\"";
const std::string kEnd = "\"2017-10-07 02:00:00\"";

TEST(PhillyLogTest, AddsUpAttemptsAndSortsBySubmission) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewPhillyLogTrace(files.Write(
      "cluster_job_log",
      absl::StrCat(
          "[",
          PhillyJob("second", "2017-10-07 00:59:00",
                    absl::StrCat(PhillyAttempt(kStart, kMiddle, 8), ", ",
                                 PhillyAttempt(kMiddle, kEnd, 4))),
          ",\n",
          PhillyJob("first", "2017-10-07 00:58:00",
                    PhillyAttempt(kStart, kEnd, 1)),
          "]\n"))));
  EXPECT_TRUE(trace.end.ok()) << trace.end;
  EXPECT_FALSE(trace.relative);
  ASSERT_THAT(trace.jobs, SizeIs(2));
  EXPECT_EQ(trace.jobs[0].id, "first");
  EXPECT_EQ(SubmittedAt(trace.jobs[0]), "2017-10-07T07:58:00Z");
  EXPECT_EQ(trace.jobs[1].duration_us, int64_t{3600} * 1'000'000);
  EXPECT_EQ(trace.jobs[1].count, 8);
  EXPECT_EQ(trace.jobs[1].user, "ce");
  EXPECT_EQ(trace.jobs[1].project, "ee");
  EXPECT_THAT(trace.wheres[1], EndsWith("cluster_job_log:1"));
}

TEST(PhillyLogTest, LeavesOutWhatWasNotLoggedToItsEndAndDuplicates) {
  TraceFiles files;
  const std::string job =
      PhillyJob("a", "2017-10-07 00:58:00", PhillyAttempt(kStart, kEnd, 1));
  ReadTrace trace = ReadAll(NewPhillyLogTrace(files.WriteGzip(
      "log.gz",
      absl::StrCat(
          "[\n", job, ",\n", job, ",",
          PhillyJob("b", "2017-10-07 00:58:00", PhillyAttempt(kStart, kEnd, 1)),
          ",", PhillyJob("none", "2017-10-07 00:58:00", ""), ",",
          PhillyJob("still running", "2017-10-07 00:58:00",
                    PhillyAttempt(kStart, "null", 1)),
          ",",
          PhillyJob("logging error", "2017-10-07 00:58:00",
                    PhillyAttempt("\"None\"", kEnd, 1)),
          ",",
          PhillyJob("no GPU", "2017-10-07 00:58:00",
                    PhillyAttempt(kStart, kEnd, 0)),
          "]"))));
  EXPECT_THAT(trace.bad, IsEmpty());
  ASSERT_THAT(trace.jobs, SizeIs(2));
  EXPECT_EQ(trace.jobs[0].id, "a");
  EXPECT_EQ(trace.jobs[1].id, "b");
  EXPECT_EQ(trace.left_out, 5);
}

TEST(PhillyLogTest, NamesTheLineOfAJobThatItCannotRead) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewPhillyLogTrace(files.Write(
      "log",
      absl::StrCat(
          "[",
          PhillyJob("swapped", "2017-10-07 00:58:00",
                    PhillyAttempt(kEnd, kStart, 1)),
          ",\n", PhillyJob("x", "yesterday", PhillyAttempt(kStart, kEnd, 1)),
          ",\n{\"jobid\": 7},\n{\"jobid\": \"brace } and \\\" quote\"},\n{no},",
          PhillyJob("good", "2017-10-07 00:58:00",
                    PhillyAttempt(kStart, kEnd, 1)),
          "]"))));
  EXPECT_THAT(
      trace.bad,
      ElementsAre(HasSubstr("log:1: a job that has an attempt that end"),
                  HasSubstr("log:10: a job that has a submitted_time "
                            "that is no time: \"yesterday\""),
                  HasSubstr("log:19: a job that has a jobid that is no "
                            "string: 7"),
                  HasSubstr("log:20: a job that has no submitted_time"),
                  HasSubstr("log:21: a job that is not valid JSON")));
  EXPECT_THAT(trace.jobs, SizeIs(1));
  EXPECT_TRUE(trace.end.ok()) << trace.end;
}

TEST(PhillyLogTest, AFileThatIsNoArrayOrIsCutOffEndsTheReading) {
  TraceFiles files;
  for (const char* text :
       {"{\"jobid\": 1}", "[{\"jobid\": \"1\"", "[", "", "[{} {}]", "[{},]x"}) {
    ReadTrace trace = ReadAll(NewPhillyLogTrace(files.Write("log", text)));
    EXPECT_EQ(trace.end.code(), absl::StatusCode::kFailedPrecondition) << text;
    EXPECT_THAT(std::string(trace.end.message()), HasSubstr("log:"));
  }
  EXPECT_TRUE(ReadAll(NewPhillyLogTrace(files.Write("log", " [ ] "))).end.ok());
}

TEST(StampsTest, PacificTimeFollowsTheDaylightRules) {
  const auto utc_hour_of = [](std::string_view text) {
    int64_t us = 0;
    bool zoned = true;
    EXPECT_TRUE(ParseStamp(text, &us, &zoned));
    EXPECT_FALSE(zoned);
    return (PacificToUtc(us) - us) / 3'600'000'000;
  };
  EXPECT_EQ(utc_hour_of("2017-03-12 01:59:59"), 8);
  EXPECT_EQ(utc_hour_of("2017-03-12 03:00:00"), 7);
  EXPECT_EQ(utc_hour_of("2017-11-05 01:30:00"), 7);
  EXPECT_EQ(utc_hour_of("2017-11-05 02:00:00"), 8);
  EXPECT_EQ(utc_hour_of("2017-12-22 12:00:00"), 8);
}

constexpr const char* kJobs =
    "job_name,inst_id,user,status,start_time,end_time\n";

TEST(PaiTest, JoinsItsTablesInWhateverOrderTheyAre) {
  TraceFiles files;
  files.Write("pai_job_table.csv",
              "late,i1,u1,Terminated,200.0,400.0\n"
              "early,i2,u2,Failed,100.0,300.0\n"
              "cpu,i3,u1,Terminated,1.0,2.0\n"
              "waiting,i4,u1,Waiting,150.0,\n"
              "no task,i5,u1,Terminated,1.0,2.0\n");
  files.Write("pai_task_table.csv",
              "early,worker,3.0,Failed,110.0,290.0,400.0,8.0,50.0,T4\n"
              "late,ps,1.0,Terminated,1.0,999.0,400.0,8.0,,\n"
              "late,worker,2.0,Terminated,210.0,390.0,400.0,8.0,200.0,V100\n"
              "early,worker,3.0,Failed,110.0,290.0,400.0,8.0,50.0,T4\n"
              "cpu,worker,3.0,Terminated,1.0,2.0,400.0,8.0,,\n"
              "waiting,worker,1.0,Waiting,,,400.0,8.0,100.0,T4\n"
              "no job,worker,1.0,Terminated,1,2,400.0,8.0,100.0,T4\n");
  files.WriteGzip("pai_instance_table.csv.gz",
                  "job_name,task_name,inst_name,worker_name,inst_id,status,"
                  "start_time,end_time,machine\n"
                  "late,worker,a,w1,i1,Terminated,220.0,380.0,m\n"
                  "late,worker,b,w2,i1,Terminated,215.0,370.0,m\n"
                  "late,worker,b,w2,i1,Terminated,215.0,370.0,m\n"
                  "late,worker,c,w3,i1,Failed,0.0,999.0,m\n"
                  "late,ps,c,w4,i1,Terminated,1.0,999.0,m\n");
  for (const std::string& path :
       {files.path(), files.path() + "/pai_job_table.csv"}) {
    ReadTrace trace = ReadAll(NewPaiTrace(path));
    EXPECT_TRUE(trace.end.ok()) << trace.end;
    EXPECT_THAT(trace.bad, IsEmpty());
    EXPECT_FALSE(trace.relative);
    EXPECT_THAT(Lines(trace),
                ElementsAre("early 100+180 x2 u2//", "late 200+165 x4 u1//"));
    EXPECT_EQ(trace.left_out, 4);
    ASSERT_THAT(trace.wheres, SizeIs(2));
    EXPECT_THAT(trace.wheres[0], EndsWith("pai_job_table.csv:2"));
  }
}

TEST(PaiTest, NamesTheTableAndLineThatItCannotRead) {
  TraceFiles files;
  files.Write("pai_job_table.csv",
              absl::StrCat(kJobs, "a,i,u,Terminated,5,9\n", "a,i,u\n",
                           "b,i,u,Terminated,5,9\n", "b,i,u,Terminated,6,9\n",
                           "c,i,u,Terminated,5,9\n", "d,i,u,Terminated,x,9\n",
                           "e,i,u,Terminated,5,9\n", "e,i,u,Terminated,5,9\n"));
  files.Write("pai_task_table.csv",
              "a,worker,1,Terminated,7,9,1,1,-100,T4\n"
              "b,worker,1,Terminated,7,9,1,1,100,T4\n"
              "c,worker,1,Terminated,9,7,1,1,100,T4\n"
              "d,worker,1,Terminated,7,9,1,1,100,T4\n"
              "e,worker,1,Terminated,7,9,1,1,100,T4\n"
              ",worker,1,Terminated,7,9,1,1,100,T4\n");
  ReadTrace trace = ReadAll(NewPaiTrace(files.path()));
  EXPECT_THAT(
      trace.bad,
      ElementsAre(
          EndsWith("pai_job_table.csv:3: 3 fields, pai_job_table has 6"),
          EndsWith("pai_task_table.csv:6: job_name is empty"),
          EndsWith("pai_task_table.csv:1: plan_gpu \"-100\" is not a number of "
                   "zero or more"),
          EndsWith("pai_job_table.csv:5: job b is in line 4 already, and "
                   "differs"),
          EndsWith("pai_task_table.csv:3: end_time \"7\" is before start_time"),
          EndsWith("pai_job_table.csv:7: start_time \"x\" is not a number of "
                   "zero or more")));
  EXPECT_THAT(Lines(trace), ElementsAre("e 5+2 x1 u//"));
  EXPECT_EQ(trace.left_out, 1) << "one exact duplicate";
}

TEST(PaiTest, AMissingTableIsNamed) {
  TraceFiles files;
  files.Write("pai_job_table.csv", kJobs);
  const absl::Status status = NewPaiTrace(files.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("pai_task_table.csv: not there"));
}

}  // namespace
}  // namespace ccsched
