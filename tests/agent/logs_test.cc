// How the output of jobs is kept and read.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "gmock/gmock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

using LogsTest = AgentTest;

bool Ended(const std::string&, bool end) { return end; }

TEST_F(LogsTest, AFollowerSeesWhatIsWrittenAndThenTheEnd) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo one; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done; echo two")));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(
      9, [](const std::string& s, bool) { return s == "one\n"; }));
  std::filesystem::create_directory(Path("go"));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "one\ntwo\n");
  EXPECT_EQ(scheduler_->LogError(9), "");
}

TEST_F(LogsTest, AFollowerStaysWhenAnotherOneOfTheSameJobLeaves) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo one; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done; echo two; exec sleep 600")));
  for (const uint64_t request : {8, 9}) {
    ASSERT_TRUE(scheduler_->ReadLog(request, {1, 1}, true));
    ASSERT_TRUE(scheduler_->WaitLog(
        request, [](const std::string& s, bool) { return s == "one\n"; }));
  }
  v1::SchedulerMessage leave;
  leave.mutable_read_log()->set_request_id(8);
  leave.mutable_read_log()->set_cancel(true);
  ASSERT_TRUE(scheduler_->Send(leave));
  RunToEnd(Shell({2, 1}, "exit 0"));  // shows that it was read
  std::filesystem::create_directory(Path("go"));
  EXPECT_TRUE(scheduler_->WaitLog(
      9, [](const std::string& s, bool) { return s == "one\ntwo\n"; }));
  EXPECT_EQ(scheduler_->Log(8), "one\n");
}

TEST_F(LogsTest, WithoutFollowItEndsAtWhatThereIs) {
  StartAgent();
  ASSERT_TRUE(scheduler_->Start(Shell({1, 1}, "echo one; exec sleep 600")));
  ASSERT_TRUE(WaitFileHolds(StateFile("logs/1-1.out"), "one"));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, false));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "one\n");
}

TEST_F(LogsTest, ALogCanBeReadAfterItsJobIsForgotten) {
  StartAgent();
  RunToEnd(Shell({1, 1}, "echo all of it"));
  RunToEnd(Shell({2, 1}, "exit 0"));  // the acknowledgement has been read
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9), "all of it\n");
}

TEST_F(LogsTest, AnUnknownAttemptIsAnError) {
  StartAgent();
  ASSERT_TRUE(scheduler_->ReadLog(9, {77, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_THAT(scheduler_->LogError(9), HasSubstr("77-1"));
}

TEST_F(LogsTest, ALongLogArrivesWholeAndInOrder) {
  StartAgent();
  RunToEnd(Shell({1, 1}, "seq 1 500000"));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, false));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  const std::string log = scheduler_->Log(9);
  EXPECT_EQ(log.size(), 3388895u);
  EXPECT_EQ(log.substr(0, 6), "1\n2\n3\n");
  EXPECT_THAT(log, EndsWith("499999\n500000\n"));
}

TEST_F(LogsTest, OutputIsBoundedOnDiskAndItsEndIsKept) {
  StartAgent({"--log-limit", "1"});
  RunToEnd(Shell({1, 1}, "seq 1 1000000"));  // 6.9 MB
  uint64_t bytes = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(StateFile("logs"))) {
    if (file.path().extension() != ".parts") bytes += file.file_size();
  }
  EXPECT_LE(bytes, 1u << 20);
  EXPECT_GE(bytes, 1u << 19);
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, false));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  // What was thrown away is told as what is missing before it.
  const std::string log = scheduler_->Log(9);
  ASSERT_EQ(log.size(), 6888896u);
  EXPECT_EQ(log.size() - log.find_first_not_of('?'), bytes);
  EXPECT_EQ(log.find('?', log.find_first_not_of('?')), std::string::npos);
  EXPECT_THAT(log, EndsWith("999999\n1000000\n"));
}

// The reader is away while most of the output is rotated away.
TEST_F(LogsTest, WhoReadsOnAfterAnOutageIsToldFromWhere) {
  StartAgent({"--log-limit", "1"});
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo first; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done; seq 1 1000000; echo done > " +
                        Path("done") + "; exec sleep 600")));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(
      9, [](const std::string& s, bool) { return s == "first\n"; }));
  KillAgent();
  std::filesystem::create_directory(Path("go"));
  ASSERT_TRUE(WaitFileHolds(Path("done"), "done"));
  StartAgent({"--log-limit", "1"});
  ASSERT_TRUE(scheduler_->ReadLog(10, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(
      10, [](const std::string& s, bool) { return s.size() == 6888896u + 6; }));
  const std::string log = scheduler_->Log(10);
  EXPECT_THAT(log, EndsWith("999999\n1000000\n"));
  EXPECT_EQ(log.find('?', log.find_first_not_of('?')), std::string::npos);
}

TEST_F(LogsTest, AFollowerStaysWithAFileThatIsRotated) {
  StartAgent({"--log-limit", "1"});
  ASSERT_TRUE(scheduler_->Start(
      Shell({1, 1}, "echo first; while ! [ -e " + Path("go") +
                        " ]; do sleep 0.02; done; seq 1 100000; sleep 0.2; "
                        "seq 1 10; echo last")));
  ASSERT_TRUE(scheduler_->ReadLog(9, {1, 1}, true));
  ASSERT_TRUE(scheduler_->WaitLog(
      9, [](const std::string& s, bool) { return s == "first\n"; }));
  std::filesystem::create_directory(Path("go"));
  ASSERT_TRUE(scheduler_->WaitLog(9, Ended));
  EXPECT_EQ(scheduler_->Log(9).substr(0, 12), "first\n1\n2\n3\n");
  EXPECT_EQ(scheduler_->Log(9).size(), 6u + 588895 + 21 + 5);
  EXPECT_THAT(scheduler_->Log(9), EndsWith("10\nlast\n"));
}

}  // namespace
}  // namespace ccsched
