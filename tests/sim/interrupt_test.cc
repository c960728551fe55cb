// Interrupted simulations: what is left of them, and how they go on.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/shell.h"
#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::HasSubstr;

std::string Slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class InterruptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scenario_ = WriteSmallScenario(folder_, {.jobs = 60, .days = 1});
    std::filesystem::copy_file(File("jobs.csv"), File("good.csv"));
    ASSERT_EQ(mkfifo(File("stuck.csv").c_str(), 0600), 0);
  }

  std::string File(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  // Runs until it reads stuck.csv, where nothing ever comes, and then sends
  // the signal.
  CommandResult Interrupted(std::vector<std::string> argv, int sig) {
    argv.insert(argv.begin(), CCSCHED);
    const pid_t pid = fork();
    if (pid == 0) {
      signal(SIGINT, SIG_DFL);  // shells have what they leave behind ignore it
      const int err = open(File("err").c_str(), O_WRONLY | O_CREAT, 0600);
      dup2(err, STDERR_FILENO);
      dup2(err, STDOUT_FILENO);
      std::vector<char*> args;
      for (std::string& arg : argv) args.push_back(arg.data());
      args.push_back(nullptr);
      execv(args[0], args.data());
      _exit(127);
    }
    const int stuck = open(File("stuck.csv").c_str(), O_WRONLY);
    kill(pid, sig);
    CommandResult result;
    int status = 0;
    waitpid(pid, &status, 0);
    close(stuck);
    result.status =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.err = Slurp(File("err"));
    return result;
  }

  std::vector<std::string> Sweep() const {
    return {"sim",
            "sweep",
            scenario_,
            "--vary",
            "jobs.trace=good.csv,stuck.csv",
            "-p",
            "fcfs",
            "-p",
            "wait-awhile",
            "--threads",
            "1"};
  }
  std::vector<std::string> WithState() const {
    std::vector<std::string> argv = Sweep();
    argv.insert(argv.end(), {"--state", File("state.json")});
    return argv;
  }
  CommandResult Run(std::vector<std::string> argv) const {
    argv.insert(argv.begin(), CCSCHED);
    return RunCommand(argv, folder_.path(), {});
  }
  long KeptRuns() const {
    const std::string text = Slurp(File("state.json"));
    return std::count(text.begin(), text.end(), '\n');
  }

  const TemporaryFolder folder_;
  std::string scenario_;
};

TEST_F(InterruptTest, ASweepKeepsWhatIsDoneAndGoesOnToTheSameTable) {
  const CommandResult cut = Interrupted(WithState(), SIGINT);
  EXPECT_EQ(cut.status, 130);
  EXPECT_THAT(cut.err, HasSubstr("1 of 2 runs are done and kept in"));
  EXPECT_EQ(KeptRuns(), 1);

  // As a killed one leaves it: with half a line.
  std::ofstream(File("state.json"), std::ios::app) << R"({"key":{"scen)";
  std::filesystem::remove(File("stuck.csv"));
  std::filesystem::copy_file(File("jobs.csv"), File("stuck.csv"));
  const CommandResult resumed = Run(WithState());
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(KeptRuns(), 3);  // the torn one is one of them
  EXPECT_EQ(resumed.out, Run(Sweep()).out);
}

TEST_F(InterruptTest, ASweepAppendsNothingToWhatIsNoState) {
  const std::string before = Slurp(scenario_);
  std::vector<std::string> argv = Sweep();
  argv.insert(argv.end(), {"--state", scenario_});
  const CommandResult refused = Run(argv);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("is not the state of a sweep"));
  EXPECT_EQ(Slurp(scenario_), before);
}

TEST_F(InterruptTest, AReplayOfAnotherFolderSaysWhichIsMeant) {
  const CommandResult refused = Run({"sim", "replay", folder_.path()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("has no ledger.db; give the folder"));
}

TEST_F(InterruptTest, WithoutAStateItSaysWhatWouldHaveHelped) {
  const CommandResult cut = Interrupted(Sweep(), SIGTERM);
  EXPECT_EQ(cut.status, 143);
  EXPECT_THAT(cut.err, HasSubstr("--state FILE"));
}

TEST_F(InterruptTest, ARunIsToldOfAsInterrupted) {
  const CommandResult cut =
      Interrupted({"sim", "run", scenario_, "--set", "jobs.trace=stuck.csv",
                   "--schedule-dir", File("out")},
                  SIGINT);
  EXPECT_EQ(cut.status, 130);
  EXPECT_THAT(cut.err, HasSubstr("ccsched: interrupted"));
}

// What was played on other data is not taken up, though the scenario's text is
// the same.
TEST_F(InterruptTest, RunsOfFilesThatHaveChangedArePlayedAgain) {
  std::filesystem::remove(File("stuck.csv"));
  std::filesystem::copy_file(File("jobs.csv"), File("stuck.csv"));
  const std::string before = Run(WithState()).out;
  EXPECT_EQ(KeptRuns(), 2);
  EXPECT_EQ(Run(WithState()).out, before);
  EXPECT_EQ(KeptRuns(), 2);

  std::string gas = Slurp(File("gas.csv"));
  for (size_t at = gas.find(','); at != std::string::npos;
       at = gas.find(',', at + 2)) {
    if (gas[at + 1] != 'c') gas.insert(at + 1, "1");  // dirtier by far
  }
  folder_.Write("gas.csv", gas);
  const std::string after = Run(WithState()).out;
  EXPECT_EQ(KeptRuns(), 4);
  EXPECT_NE(after, before);
  EXPECT_EQ(after, Run(Sweep()).out);
}

}  // namespace
}  // namespace ccsched::testing
