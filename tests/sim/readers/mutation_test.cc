// Damaged files give errors, never a crash, a hang or an impossible job.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/base/random.h"
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
    {"pai", "pai_job_table.csv",
     "a,i,u,Terminated,100.0,400.0\nb,i,u,Failed,200.0,400.0\n"},
};

TEST(DamagedTraceTest, GivesErrorsButNeverAnImpossibleJob) {
  Random random(20261123);
  for (const Sample& sample : kSamples) {
    TraceFiles files;
    files.Write("pai_task_table.csv",
                "a,w,2.0,Terminated,110.0,390.0,4,8,150.0,T4\n"
                "b,w,1.0,Failed,210.0,390.0,4,8,50.0,T4\n");
    size_t read = 0;
    for (int round = 0; round < 400; ++round) {
      std::string text = sample.text;
      for (uint64_t n = random.Below(4); n > 0; --n) {
        const size_t at = random.Below(text.size());
        switch (random.Below(4)) {
          case 0:
            text[at] = static_cast<char>(random.Below(256));
            break;
          case 1:
            text.erase(at, 1 + random.Below(30));
            break;
          case 2:
            text.insert(at, text.substr(random.Below(text.size()), 20));
            break;
          default:
            text.resize(at + 1);
        }
      }
      SCOPED_TRACE(sample.format + (":\n" + text));
      ReadTrace trace =
          ReadAll(OpenTrace(sample.format, files.Write(sample.file, text)));
      for (const TraceJob& job : trace.jobs) {
        EXPECT_GE(job.count, 1);
        EXPECT_GE(job.duration_us, 0);
        EXPECT_FALSE(job.id.empty());
      }
      for (const std::string& message : trace.bad) {
        EXPECT_THAT(message, testing::ContainsRegex(":[0-9]+: ")) << message;
      }
      read += trace.jobs.size();
    }
    EXPECT_GT(read, 100) << sample.format << ": too much damage to tell";
  }
}

}  // namespace
}  // namespace ccsched
