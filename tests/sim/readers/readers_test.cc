// Each published format is read with its quirks; look-alikes written for this.
// SPDX-License-Identifier: Apache-2.0
#include "sim/readers/readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/trace_readers.h"
#include "tests/sim/readers/trace_files.h"

namespace ccsched {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Job, submit, wait, run, allocated, ..., requested, ..., status, user, group,
// executable.
std::string SwfLine(const std::string& job, const std::string& submit,
                    const std::string& run, const std::string& allocated,
                    const std::string& requested, const std::string& status) {
  return absl::StrCat(job, "\t", submit, "  10 ", run, " ", allocated,
                      " -1 -1 ", requested, " 3600 -1 ", status,
                      " 7 3 -1 1 -1 -1 -1\n");
}

TEST(SwfTest, ReadsJobsWithTheMissingFieldsThatArchivesHave) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewSwfTrace(files.Write(
      "a.swf",
      absl::StrCat("; Version: 2.2\n;   UnixStartTime: 820454400 \n\n",
                   SwfLine("1", "0", "60", "4", "8", "1"),
                   "; a comment within\n",
                   SwfLine("2", "5.5", "0", "-1", "16", "0"),
                   SwfLine("3", "7", "-1", "4", "4", "5"),
                   SwfLine("4", "8", "10", "-1", "-1", "1"),
                   SwfLine("5", "9", "100.25", "2", "-1", "5"), "   \r\n"))));
  EXPECT_TRUE(trace.end.ok()) << trace.end;
  EXPECT_FALSE(trace.relative);
  EXPECT_THAT(trace.bad, IsEmpty());
  ASSERT_THAT(trace.jobs, SizeIs(3));
  EXPECT_EQ(SubmittedAt(trace.jobs[0]), "1996-01-01T00:00:00Z");
  EXPECT_EQ(trace.jobs[0].duration_us, 60'000'000);
  EXPECT_EQ(trace.jobs[0].count, 4);
  EXPECT_EQ(trace.jobs[0].user, "u7");
  EXPECT_EQ(trace.jobs[0].project, "g3");
  EXPECT_EQ(trace.jobs[0].name, "");
  EXPECT_EQ(trace.jobs[1].count, 16) << "the requested, where none is known";
  EXPECT_EQ(trace.jobs[1].duration_us, 0) << "it ran less than half a second";
  EXPECT_EQ(trace.jobs[1].submit_us % 1'000'000, 500'000);
  EXPECT_EQ(trace.jobs[2].duration_us, 100'250'000);
  EXPECT_EQ(trace.left_out, 2) << "one never ran, one has no processors";
  EXPECT_THAT(trace.wheres[2], EndsWith("a.swf:9"));
}

TEST(SwfTest, AFolderIsNoTrace) {
  const TraceFiles files;
  const auto trace = NewSwfTrace(files.path());
  ASSERT_FALSE(trace.ok());
  EXPECT_THAT(std::string(trace.status().message()),
              EndsWith(": is a directory, not a file"));
}

TEST(SwfTest, IsRelativeWithoutAStart) {
  TraceFiles files;
  for (const char* header : {"", "; UnixStartTime: 0\n"}) {
    ReadTrace trace = ReadAll(NewSwfTrace(
        files.Write("a.swf", header + SwfLine("1", "5", "60", "4", "8", "1"))));
    EXPECT_TRUE(trace.relative);
    EXPECT_THAT(Lines(trace), ElementsAre("1 5+60 x4 u7/g3/"));
  }
}

TEST(SwfTest, PartsOfAJobDoNotCountBesideTheWhole) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewSwfTrace(files.Write(
      "a.swf", absl::StrCat(SwfLine("1", "5", "60", "4", "8", "1"),
                            SwfLine("1", "5", "20", "4", "8", "2"),
                            SwfLine("1", "35", "40", "4", "8", "3"),
                            SwfLine("1", "35", "40", "4", "8", "4")))));
  EXPECT_THAT(Lines(trace), ElementsAre("1 5+60 x4 u7/g3/"));
  EXPECT_EQ(trace.left_out, 3);
}

TEST(SwfTest, ReadsGzip) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewSwfTrace(files.WriteGzip(
      "a.swf.gz",
      "; UnixStartTime: 100\n" + SwfLine("1", "5", "60", "4", "8", "1"))));
  EXPECT_THAT(Lines(trace), ElementsAre("1 105+60 x4 u7/g3/"));
}

// What is missing can be rows as well as half of one: no row is to blame, and
// passing over bad rows must not make a shorter trace of it.
TEST(SwfTest, AnArchiveThatWasCutShortEndsTheReading) {
  TraceFiles files;
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&text, i, " ", 60 * i, " 0 ", (i * 7919) % 3600,
                    " 1 -1 -1 1 -1 -1 1 1 1 1 1 1 -1 -1\n");
  }
  const std::string file = files.WriteGzip("a.swf.gz", text);
  const uintmax_t size = std::filesystem::file_size(file);
  for (const uintmax_t left :
       {size - 1, size / 2, size / 4, uintmax_t{20}, uintmax_t{5}}) {
    std::filesystem::resize_file(file, left);
    const ReadTrace trace = ReadAll(NewSwfTrace(file));
    EXPECT_EQ(trace.end.code(), absl::StatusCode::kDataLoss) << left;
    EXPECT_EQ(trace.bad, std::vector<std::string>()) << left;
    EXPECT_THAT(
        std::string(trace.end.message()),
        testing::StartsWith(absl::StrCat(file, ":", trace.jobs.size() + 1,
                                         ": the archive was cut short")))
        << left;
  }
}

TEST(SwfTest, NamesTheLineAndFieldThatItCannotRead) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewSwfTrace(files.Write(
      "a.swf", absl::StrCat(SwfLine("1", "0", "six", "4", "8", "1"), "1 2 3\n",
                            SwfLine("3", "-5", "1", "4", "8", "1"),
                            SwfLine("4", "5", "1", "2.5", "8", "1"),
                            SwfLine("5", "5", "nan", "2", "8", "1"),
                            SwfLine("6", "7", "1", "4", "8", "1")))));
  EXPECT_THAT(
      trace.bad,
      ElementsAre(EndsWith("a.swf:1: run time \"six\" is not a number"),
                  EndsWith("a.swf:2: 3 fields, the format has 18"),
                  EndsWith("a.swf:3: submit time -5"),
                  EndsWith("a.swf:4: 2.5 processors"),
                  EndsWith("a.swf:5: run time \"nan\" is not a number")));
  EXPECT_THAT(trace.jobs, SizeIs(1));
}

constexpr const char* kHelios =
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,"
    "end_time,duration,queue\n";

TEST(HeliosTest, ReadsItsLocalTimesAndLeavesOutWhatNeverRanOnGpus) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewHeliosTrace(files.Write(
      "cluster_log.csv",
      absl::StrCat(
          kHelios,
          "11,uA,vcB,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:06,"
          "2020-06-10 04:55:09,36843,5\n"
          "12,uA,vcB,0,16,1,COMPLETED,2020-06-09 18:41:02,2020-06-09 18:41:02,"
          "2020-06-09 18:41:09,7,0\n"
          "13,uA,vcB,4,16,1,CANCELLED,2020-06-09 18:41:03,None,None,0,0\n"
          "14,uC,vcB,8,16,1,FAILED,2020-06-09 18:41:04,2020-06-09 18:41:04,"
          "2020-06-09 18:41:04,0,0\n"))));
  EXPECT_TRUE(trace.end.ok()) << trace.end;
  EXPECT_FALSE(trace.relative);
  ASSERT_THAT(trace.jobs, SizeIs(2));
  EXPECT_EQ(SubmittedAt(trace.jobs[0]), "2020-06-09T10:41:01Z");
  EXPECT_EQ(trace.jobs[0].duration_us, 36843'000'000);
  EXPECT_EQ(trace.jobs[0].user, "uA");
  EXPECT_EQ(trace.jobs[0].project, "vcB");
  EXPECT_EQ(trace.jobs[1].duration_us, 0);
  EXPECT_EQ(trace.jobs[1].count, 8);
  EXPECT_EQ(trace.left_out, 2);
}

TEST(HeliosTest, ReadsAcmeWithZonesAndNeverCountsTheQueueAsRunning) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewHeliosTrace(files.Write(
      "trace_kalos.csv",
      "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,"
      "type,state,submit_time,start_time,end_time,fail_time,stop_time,duration,"
      "queue,gpu_time\n"
      "dlc1,uf,8,64,960,1000,100.0,Pretrain,CANCELLED,2023-05-17 "
      "11:28:42+00:00,"
      "2023-05-17 11:28:54+00:00,2023-05-17 11:30:04+00:00,,2023-05-17 "
      "11:30:04+00:00,82,12.0,5248.0\n"
      "dlc2,uf,1,8,96,100,100.0,Other,COMPLETED,2023-05-17 19:28:42+08:00,"
      "2023-05-17 19:28:42+08:00,2023-05-17 19:28:52+08:00,,,10,0,80\n")));
  EXPECT_THAT(trace.bad, IsEmpty());
  ASSERT_THAT(trace.jobs, SizeIs(2));
  EXPECT_EQ(trace.jobs[0].duration_us, 70'000'000)
      << "its own duration of 82 s includes the queue of 12 s";
  EXPECT_EQ(trace.jobs[0].name, "Pretrain");
  EXPECT_EQ(trace.jobs[1].submit_us, trace.jobs[0].submit_us);
}

TEST(HeliosTest, TakesTheDurationWhereATableHasNoEnds) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewHeliosTrace(
      files.Write("helios.csv",
                  "gpu_num,job_id,submit_time,duration\n"
                  "2.0,a,2020-06-09 08:00:00,90\n2,b,2020-06-09 08:00:00,\n")));
  ASSERT_THAT(trace.jobs, SizeIs(1));
  EXPECT_EQ(SubmittedAt(trace.jobs[0]), "2020-06-09T00:00:00Z");
  EXPECT_EQ(trace.jobs[0].duration_us, 90'000'000);
  EXPECT_EQ(trace.jobs[0].count, 2);
  EXPECT_EQ(trace.left_out, 1);
}

TEST(HeliosTest, NamesTheLineColumnAndValueThatItCannotRead) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewHeliosTrace(files.Write(
      "h.csv", absl::StrCat(kHelios,
                            "1,u,v,x,1,1,C,2020-06-09 18:41:01,,,0,0\n"
                            "2,u,v,1,1,1,C,2020-06-31 18:41:01,,,0,0\n"
                            "3,u,v,1,1,1,C,2020-06-09 18:41:01,2020-06-09 "
                            "18:41:01,2020-06-09 18:41:00,0,0\n"
                            "4,u,v,1,1,1,C,,,,0,0\n"
                            "5,u,v\n"))));
  EXPECT_THAT(
      trace.bad,
      ElementsAre(
          EndsWith("h.csv:2: gpu_num \"x\" is not a number"),
          HasSubstr("h.csv:3: submit_time \"2020-06-31 18:41:01\" is not a"),
          HasSubstr("h.csv:4: end_time \"2020-06-09 18:41:00\" is before"),
          HasSubstr("h.csv:5: submit_time \"\" is no time of submission"),
          HasSubstr("h.csv:6: 3 fields")));
  EXPECT_THAT(trace.jobs, IsEmpty());
  EXPECT_THAT(std::string(NewHeliosTrace(files.Write("i.csv", "job_id,user\n"))
                              .status()
                              .message()),
              HasSubstr("i.csv:1: no column \"gpu_num\""));
}

// Which of the two was meant, nobody can tell.
TEST(RelativeTest, RefusesAColumnThatIsThereTwice) {
  TraceFiles files;
  EXPECT_THAT(
      std::string(NewRelativeTrace(
                      files.Write("r.csv", "submit_s,duration_s,slots,slots\n"))
                      .status()
                      .message()),
      HasSubstr("r.csv:1: two columns are named \"slots\""));
  EXPECT_THAT(
      ReadAll(NewRelativeTrace(files.Write(
                  "s.csv", "submit_s,duration_s,slots\n0,1,99999999999\n")))
          .bad,
      ElementsAre(HasSubstr("s.csv:2: slots \"99999999999\" is not a "
                            "whole number from 1 to 1073741824")));
}

TEST(OpendcTest, ReadsMillisecondsOfNewTablesAndOfOld) {
  TraceFiles files;
  ReadTrace now = ReadAll(NewOpendcTrace(files.Write(
      "t.csv",
      "id,submission_time,duration,cpu_count,cpu_capacity,mem_capacity\n"
      "21,1665093600000,27930000,16,33600,100000\n"
      "22,2022-10-06T22:00:00Z,500,1,1,1\n")));
  EXPECT_THAT(now.bad, IsEmpty());
  ASSERT_THAT(now.jobs, SizeIs(2));
  EXPECT_EQ(SubmittedAt(now.jobs[0]), "2022-10-06T22:00:00Z");
  EXPECT_EQ(now.jobs[0].duration_us, 27930'000'000);
  EXPECT_EQ(now.jobs[0].count, 16);
  EXPECT_EQ(now.jobs[1].submit_us, now.jobs[0].submit_us);
  EXPECT_EQ(now.jobs[1].duration_us, 500'000);
  ReadTrace old = ReadAll(NewOpendcTrace(files.Write(
      "meta.csv",
      "id,start_time,stop_time,cpu_count\n1,1000,4000,2\n2,4000,1000,2\n")));
  EXPECT_THAT(Lines(old), ElementsAre("1 1+3 x2 //"));
  EXPECT_THAT(old.bad,
              ElementsAre(HasSubstr("meta.csv:3: stop_time \"1000\"")));
  EXPECT_THAT(std::string(NewOpendcTrace(files.Write("n.csv", "id,cpu_count\n"))
                              .status()
                              .message()),
              HasSubstr("no column \"submission_time\""));
}

TEST(OpenbTest, RunsFromSchedulingToDeletionAndComesInOrder) {
  TraceFiles files;
  ReadTrace trace = ReadAll(NewOpenbTrace(files.Write(
      "openb_pod_list_default.csv",
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,"
      "creation_time,deletion_time,scheduled_time\n"
      "late,1,1,1,220,,BE,Running,9679175,9973826,9679180\n"
      "cpu,1,1,0,0,,LS,Succeeded,1,2,1\n"
      "early,1,1,8,1000,V100M16|V100M32,LS,Succeeded,9437497,10769854,9437497\n"
      "pending,1,1,1,1000,,LS,Pending,9437498,10769854,\n"
      "bad,1,1,1,1000,,LS,Failed,9437498,5,9437499\n")));
  EXPECT_TRUE(trace.relative);
  ASSERT_THAT(trace.jobs, SizeIs(2));
  EXPECT_EQ(trace.jobs[0].id, "early");
  EXPECT_EQ(trace.jobs[0].count, 8);
  EXPECT_EQ(trace.jobs[1].count, 1) << "a share of a GPU counts as one";
  EXPECT_EQ(trace.jobs[1].duration_us, int64_t{294646} * 1'000'000);
  EXPECT_THAT(trace.wheres[0], EndsWith(".csv:4"));
  EXPECT_EQ(trace.left_out, 2);
  EXPECT_THAT(trace.bad, ElementsAre(HasSubstr(".csv:6: deletion_time \"5\"")));
}

}  // namespace
}  // namespace ccsched
