// A job's output on its way to a disk that takes no more, and then does.
// SPDX-License-Identifier: Apache-2.0
#include "agent/output_pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/log_keeper.h"
#include "agent/spawn.h"
#include "gmock/gmock.h"
#include "tests/temporary_folder.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

// In place of a full disk: no file of this process may grow beyond a size. As
// there, what has its room already can be written.
class OutputPipeTest : public testing::Test {
 protected:
  OutputPipeTest() {
    signal(SIGXFSZ, SIG_IGN);
    run_fd_ = Fd(open((folder_ / "run").c_str(), O_RDWR | O_CREAT, 0600));
    EXPECT_TRUE(RunFile(run_fd_.get()).Create());
    pipe_.emplace(run_fd_.get());
    EXPECT_TRUE(pipe_->Open(Log(), 1 << 20, false));
  }
  ~OutputPipeTest() override { LimitFiles(RLIM_INFINITY); }
  static void LimitFiles(rlim_t bytes) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void Say(const std::string& text) {
    ASSERT_EQ(write(pipe_->write_end(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    ASSERT_TRUE(pipe_->Copy(1 << 20));
  }
  std::string Log() const { return folder_ / "1-1.out"; }
  std::string Written() const {
    std::ostringstream out;
    out << std::ifstream(Log()).rdbuf();
    return out.str();
  }
  std::optional<LogPart> Gap() const { return RunFile(run_fd_.get()).gap(); }

  const TemporaryFolder own_;
  const std::filesystem::path folder_ = own_.path();
  Fd run_fd_;
  std::optional<OutputPipe> pipe_;
};

auto Part(uint64_t start, uint64_t at, uint64_t dropped) {
  return AllOf(Field(&LogPart::start, start), Field(&LogPart::at, at),
               Field(&LogPart::dropped, dropped));
}

TEST_F(OutputPipeTest, WhatHadNoRoomIsNotedBeforeWhatComesNext) {
  Say(std::string(2000, 'a'));
  LimitFiles(2100);
  Say(std::string(500, 'b'));
  EXPECT_THAT(ReadLogParts(Log()), IsEmpty());
  ASSERT_TRUE(Gap()) << "with the supervisor";
  EXPECT_THAT(*Gap(), Part(2500, 2100, 400));
  Say(std::string(50, 'c'));
  LimitFiles(RLIM_INFINITY);
  Say("end");
  EXPECT_EQ(Written(), std::string(2000, 'a') + std::string(100, 'b') + "end");
  EXPECT_THAT(ReadLogParts(Log()),
              ElementsAre(Part(0, 0, 0), Part(2550, 2100, 450)));
  EXPECT_FALSE(Gap());
}

TEST_F(OutputPipeTest, WhatCameBeforeTheFileCouldBeMadeIsCountedToo) {
  const std::filesystem::path away = folder_.string() + "-away";
  std::filesystem::rename(folder_, away);
  Say("lost");
  EXPECT_THAT(*Gap(), Part(4, 0, 4));
  std::filesystem::rename(away, folder_);
  Say("end");
  EXPECT_EQ(Written(), "end");
  EXPECT_THAT(ReadLogParts(Log()), ElementsAre(Part(4, 0, 4)));
}

TEST_F(OutputPipeTest, WhatWasNotedStaysTrueWhenTheFileIsRotated) {
  Say(std::string(2000, 'a'));
  LimitFiles(2000);
  Say(std::string(500, 'b'));
  LimitFiles(RLIM_INFINITY);
  for (int i = 0; i < 20; ++i) Say(std::string(30'000, 'c'));
  const std::vector<LogPart> parts = ReadLogParts(Log());
  EXPECT_THAT(parts, ElementsAre(Part(0, 0, 0), Part(2500, 2000, 500),
                                 Part((1 << 19) + 500, 0, 0)));
  EXPECT_EQ(Written().size(), 600'000 + 2000 - (1 << 19));
}

// A disk that has room only now and then: the notes stay few, their sum true.
TEST_F(OutputPipeTest, ManyGapsAreNotedAsOne) {
  Say(std::string(5000, 'a'));
  for (int i = 1; i <= 200; ++i) {
    LimitFiles(5000 + i);
    Say("xyz");
    LimitFiles(RLIM_INFINITY);
    pipe_->NoteGap();
  }
  const std::vector<LogPart> parts = ReadLogParts(Log());
  EXPECT_LE(parts.size(), 64u);
  EXPECT_EQ(parts.back().at, 5200u);
  EXPECT_EQ(parts.back().start, 5000u + 200 * 3);
  uint64_t dropped = 0;
  for (const LogPart& part : parts) dropped += part.dropped;
  EXPECT_EQ(dropped, 400u);
}

TEST_F(OutputPipeTest, NotesOfALogThatWasNeverMadeGoAsLogsDo) {
  ASSERT_TRUE(WriteLogParts(Log(), {{.start = 9, .dropped = 9}}));
  ASSERT_TRUE(WriteLogParts(folder_ / "2-1.out", {{.start = 9}}));
  std::ofstream(folder_ / "2-1.out") << "kept";
  EventLoop loop;
  LogKeeper keeper(loop, folder_, {.bytes_max = 1 << 20, .files_max = 1},
                   [](AttemptId) { return false; });
  keeper.Begin();
  while (keeper.looks() == 0) loop.RunOnce(1'000'000'000);
  EXPECT_THAT(ReadLogParts(Log()), IsEmpty());
  EXPECT_EQ(ReadLogParts(folder_ / "2-1.out").size(), 1u);
}

}  // namespace
}  // namespace ccsched
