// The exit status and the streams of the real program.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "ccsched/v1/forecasts.grpc.pb.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Ran {
  int code = -1;
  std::string out, err;
};

class ExitStatusTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string dir = testing::TempDir() + "ccsched-XXXXXX";
    ASSERT_NE(mkdtemp(dir.data()), nullptr);
    dir_ = dir;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }
  static std::string Slurp(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // Runs the program where no scheduler is.
  Ran Run(std::vector<std::string> args) {
    const std::string out = dir_ + "/out", err = dir_ + "/err";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    args.insert(args.begin(), CCSCHED_BINARY);
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    std::vector<std::string> env = {
        "HOME=" + dir_, "CCSCHED_DEV_DIR=" + dir_ + "/dev",
        "CCSCHED_ADDRESS=unix:" + dir_ + "/nobody", "PATH=/usr/bin:/bin"};
    std::vector<char*> envp;
    for (std::string& entry : env) envp.push_back(entry.data());
    envp.push_back(nullptr);
    pid_t pid = 0;
    EXPECT_EQ(
        posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), envp.data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Slurp(out),
            Slurp(err)};
  }

  // The request was wrong: 2, a message that says how, and no data.
  void ExpectWrong(std::vector<std::string> args, const std::string& message) {
    SCOPED_TRACE(testing::PrintToString(args));
    const Ran ran = Run(std::move(args));
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr(message));
    EXPECT_THAT(ran.out, IsEmpty());
  }

  std::string dir_;
};

TEST_F(ExitStatusTest, HelpIsDataAndDone) {
  for (const char* command :
       {"submit", "queue", "show",    "why",        "logs",
        "cancel", "hold",  "release", "wait",       "sites",
        "nodes",  "drain", "undrain", "forecast",   "policy",
        "report", "audit", "dev",     "completion", "version"}) {
    const Ran ran = Run({command, "--help"});
    EXPECT_EQ(ran.code, 0) << command;
    EXPECT_THAT(ran.out, HasSubstr(std::string("ccsched ") + command));
    EXPECT_THAT(ran.err, IsEmpty());
  }
  EXPECT_EQ(Run({"--help"}).code, 0);
  EXPECT_THAT(Run({"version"}).out, HasSubstr("ccsched 0."));
  EXPECT_THAT(Run({"version", "-o", "json"}).out,
              HasSubstr("{\"schema\":\"ccsched.version/v1\",\"version\":"));
}

TEST_F(ExitStatusTest, NamesThatDoNotExistAreWrong) {
  ExpectWrong({"qeue"}, "unknown command 'qeue'; did you mean 'queue'?");
  ExpectWrong({"frobnicate"}, "unknown command 'frobnicate'");
  ExpectWrong({"dev", "upp"}, "unknown command 'upp'; did you mean 'up'?");
  ExpectWrong({"dev"}, "'ccsched dev' needs a command: up, down");
  ExpectWrong({"queue", "--al"},
              "unknown option '--al'; did you mean '--all'?");
  ExpectWrong({"queue", "extra"}, "too many arguments: 'extra'");
  ExpectWrong({"queue", "--", "x"}, "takes nothing after '--'");
  ExpectWrong({"queue", "-o", "jsn"}, "did you mean 'json'?");
  ExpectWrong({"--colour", "queue"}, "did you mean '--color'?");
  ExpectWrong({"show"}, "JOB");
  EXPECT_EQ(Run({}).code, 2);
}

// Some other service has the port that was named.
TEST_F(ExitStatusTest, WhatIsNoSchedulerCanNotBeReachedAsOne) {
  const std::string address = "unix:" + dir_ + "/other";
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  v1::Forecasts::Service forecasts;  // no Jobs
  builder.RegisterService(&forecasts);
  const std::unique_ptr<grpc::Server> other = builder.BuildAndStart();
  ASSERT_NE(other, nullptr);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"queue"}, {"wait", "1"}}) {
    std::vector<std::string> args = {"--address", address};
    args.insert(args.end(), command.begin(), command.end());
    const Ran ran = Run(args);
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.err, HasSubstr("what answers at " + address +
                                   " is no ccsched scheduler"));
  }
}

TEST_F(ExitStatusTest, ImpossibleRequestsAreWrongWithoutAScheduler) {
  ExpectWrong({"submit"}, "nothing to run");
  ExpectWrong({"submit", "--max-delay", "5", "--", "true"},
              "--max-delay: '5' is not a duration");
  ExpectWrong({"submit", "--accelerators", "x", "--", "true"}, "x");
  ExpectWrong({"submit", "--accelerators", "0", "--", "true"},
              "accelerators: 0");
  ExpectWrong({"submit", "--accelerators", "4", "--nodes", "3", "--", "true"},
              "can't be spread evenly");
  ExpectWrong({"submit", "--elastic", "8:2", "--", "true"}, "elastic: '8:2'");
  ExpectWrong({"submit", "--runtime", "-1h", "--", "true"}, "negative");
  ExpectWrong({"submit", "python", "train.py"},
              "too many arguments: 'train.py' is one more than 'ccsched "
              "submit' takes; a program and its options, or a script's "
              "arguments, stand after '--'");
  ExpectWrong({"submit", "--acelerators", "4", "--", "true"},
              "did you mean '--accelerators'?");
  ExpectWrong({"submit", dir_ + "/none.sh"}, "none.sh: No such file");
  const std::string yaml = Write("a.yaml", "command: ls\n");
  ExpectWrong({"submit", yaml, "--", "true"},
              "a.yaml: a job in YAML says itself what it runs");
  ExpectWrong({"submit", Write("b.yaml", "command: a\nscript: '#!/bin/sh'\n")},
              "b.yaml:1: command: a script is given too");
  ExpectWrong({"submit", Write("x.bin",
                               "\x7f"
                               "ELF")},
              "not a script");
  ExpectWrong({"submit", Write("y.sh", "#!/bin/sh\n#SBATCH --bogus\n")},
              "y.sh:2: #SBATCH --bogus");
  // The job would run outside of its container.
  ExpectWrong({"submit", "--image", "", "--", "true"}, "--image: it is empty");
  ExpectWrong({"show", "x"}, "'x' is not a job's number");
  ExpectWrong({"cancel", "3-1"}, "'3-1'");
  ExpectWrong({"queue", "--state", "runing"}, "did you mean 'running'?");
  ExpectWrong({"drain", "n1"}, "--reason");
  ExpectWrong({"report", "--format", "xml"}, "'xml' must be table");
  ExpectWrong({"report", "--by", "planet"}, "'planet' must be user");
  ExpectWrong({"report", "--format", "pdf"}, "'pdf' must be table");
  ExpectWrong({"report", "--from", "2026-02-01", "--to", "2026-01-01"},
              "--from must be before --to");
  ExpectWrong({"completion", "tcsh"}, "'tcsh' must be bash, zsh or fish");
  ExpectWrong({"forecast", "--horizon", "0"}, "--horizon: '0'");
}

TEST_F(ExitStatusTest, BadYamlIsWrongWithItsLine) {
  ExpectWrong({"submit", Write("a.yaml", "name: x\ncommand: [a, b\n")},
              "a.yaml:");
  ExpectWrong({"submit", Write("b.yaml", "name: x\nacelerators: 3\n")},
              "b.yaml:2: unknown key 'acelerators'; did you mean "
              "'accelerators'?");
  ExpectWrong({"submit", Write("c.yaml", "")}, "c.yaml:1: there is nothing");
  ExpectWrong({"submit", dir_ + "/none.yaml"}, "none.yaml: No such file");
  ExpectWrong({"dev", "up", "--config", Write("d.yaml", "version: 1\nsits: 1")},
              "d.yaml:2: unknown key 'sits'; did you mean 'sites'?");
  ExpectWrong({"dev", "up", "--start", "yesterday"}, "--start: 'yesterday'");
}

TEST_F(ExitStatusTest, AFileThatAConfigurationNamesIsThere) {
  ExpectWrong({"dev", "up", "--config",
               Write("e.yaml",
                     "version: 1\n"
                     "regions: [{name: A}, {name: B, intensity: none.csv}]\n"
                     "sites: [{name: a, region: A, pools: [{accelerator: v100, "
                     "idle_watts: 40}]}]\n")},
              "e.yaml:2: " + dir_ + "/none.csv: there is no such file");
}

// Whichever command is to read it.
TEST_F(ExitStatusTest, AFolderInPlaceOfAFileIsWrong) {
  std::filesystem::create_directory(dir_ + "/f.yaml");
  const std::string folder = dir_ + "/f.yaml";
  ExpectWrong({"dev", "up", "--config", folder}, "f.yaml: can't be read");
  ExpectWrong({"submit", folder}, "f.yaml: can't be read");
  ExpectWrong({"sim", "run", folder}, "f.yaml: can't be read");
  ExpectWrong({"footprint", "--file", folder}, "f.yaml: can't be read");
  ExpectWrong({"forecast", "push", "DE", folder}, "f.yaml: ");
}

TEST_F(ExitStatusTest, AnotherEncodingIsCalledByItsName) {
  const std::string told = "it is in UTF-16, as its byte order mark says";
  const std::string mark = "\xff\xfe";
  ExpectWrong({"submit", Write("a.sh", mark)}, "a.sh: " + told);
  ExpectWrong({"submit", Write("a.yaml", mark)}, "a.yaml: " + told);
  ExpectWrong({"forecast", "push", "DE", Write("a.csv", mark)},
              "a.csv: " + told);
  // A script with the mark of UTF-8 is a script: only its scheduler is missing.
  EXPECT_EQ(
      Run({"submit", Write("b.sh", "\xef\xbb\xbf#!/bin/sh\ntrue\n")}).code, 3);
}

TEST_F(ExitStatusTest, BadGridFilesAreWrongWithTheirLine) {
  const auto push = [&](const std::string& rows) {
    return std::vector<std::string>{"forecast", "push", "DE",
                                    Write("g.csv", "utc,ci_lca\n" + rows)};
  };
  ExpectWrong(push("2026-01-01T00:00:00Z,300\n2026-01-01T01:00:00Z,310\n"
                   "2026-01-01T03:00:00Z,300\n"),
              "g.csv:4");
  ExpectWrong(push("2026-01-01T00:00:00Z,300\n2026-01-01T01:00:00Z,-3\n"),
              "g.csv:3");
  ExpectWrong(push("2026-01-01T00:00:00Z,300\n2026-01-01T01:00:00Z,many\n"),
              "g.csv:3");
  ExpectWrong({"forecast", "push", "DE", dir_ + "/none.csv"}, "none.csv");
}

TEST_F(ExitStatusTest, WrongScenariosAreWrongWithTheirLine) {
  Write("jobs.csv", "job_id,submit_s,duration_s,slots\n1,0,600,2\n");
  Write("grid.csv",
        "utc,ci_lca\n2026-01-05T00:00:00Z,300\n2026-01-05T01:00:00Z,200\n"
        "2026-01-05T02:00:00Z,200\n2026-01-05T03:00:00Z,200\n");
  const std::string head =
      "version: 1\nstart: 2026-01-05T00:00:00Z\n"
      "jobs: {trace: jobs.csv, format: relative, defaults: {accelerator: v100, "
      "max_delay: 1h}}\n"
      "regions: [{name: A, intensity: grid.csv, forecast: perfect}]\n";
  const std::string site =
      "sites: [{name: a, region: A, pools: [{accelerator: v100, count: 4, "
      "idle_watts: 0, active_watts: 300}]}]\n";
  const std::string good =
      Write("good.yaml", head + site + "policies: [fcfs]\n");
  const Ran ran = Run({"sim", "run", good, "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\"ccsched.sim/v1\""));
  ExpectWrong({"sim", "run", good, "--policy", "fcf"}, "fcfs");
  ExpectWrong({"sim", "run", good, "--set", "jobs.defaults.max_dely=1h"},
              "did you mean 'max_delay'?");
  ExpectWrong({"sim", "sweep", good, "--vary", "jobs.defaults.max_dely=1h,2h"},
              "--vary jobs.defaults.max_dely=1h: no 'max_dely'; did you mean "
              "'max_delay'?");
  ExpectWrong({"sim", "run", good, "--seed", "-1"}, "--seed: -1");
  ExpectWrong({"sim", "run", dir_ + "/none.yaml"}, "none.yaml");
  ExpectWrong({"sim", "run", Write("u.yaml", head + "polices: [fcfs]\n")},
              "u.yaml:5: unknown key 'polices'; did you mean 'policies'?");
  Write("jobs.csv", "job_id,submit_s,duration_s,slots\n1,0,many,2\n");
  ExpectWrong({"sim", "run", good}, "jobs.csv:2");
  Write("jobs.csv", "job_id,submit_s,duration_s,slots\nwide,0,600,5\n");
  ExpectWrong({"sim", "run", good}, "wide");
  Write("jobs.csv", "\xff\xfej");
  ExpectWrong({"sim", "run", good}, "jobs.csv: it is in UTF-16");
  Write("jobs.csv",
        "\xef\xbb\xbfjob_id,submit_s,duration_s,slots\n1,0,600,2\n");
  EXPECT_EQ(Run({"sim", "run", good}).code, 0);
  ExpectWrong({"sim", "rnu", good}, "did you mean 'run'?");
}

TEST_F(ExitStatusTest, ADeadSchedulerIsUnreachable) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{
           {"queue"},
           {"show", "1"},
           {"why", "1"},
           {"logs", "1"},
           {"logs", "-f", "1"},
           {"cancel", "1"},
           {"wait", "1"},
           {"sites"},
           {"nodes"},
           {"drain", "a", "--reason", "b"},
           {"undrain", "a"},
           {"forecast"},
           {"policy", "list"},
           {"policy", "set", "fcfs"},
           {"report"},
           {"version", "--scheduler"},
           {"submit", "--", "true"},
           {"submit", "--dry-run", "--", "a"},
           {"submit", "--finish-by", "+1h", "--", "a"}}) {
    const Ran ran = Run(args);
    EXPECT_EQ(ran.code, 3) << testing::PrintToString(args) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("no scheduler answers at unix:" + dir_));
    EXPECT_THAT(ran.err, HasSubstr("ccsched dev up"));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

TEST_F(ExitStatusTest, AFullDiskIsNotSuccess) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const std::string command =
      std::string(CCSCHED_BINARY) + " version > /dev/full 2>/dev/null";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(ExitStatusTest, CompletionIsAShellScript) {
  const Ran ran = Run({"completion", "bash"});
  EXPECT_EQ(ran.code, 0);
  const std::string file = Write("completion.bash", ran.out);
  EXPECT_EQ(std::system(("bash -n " + file).c_str()), 0);
  EXPECT_THAT(ran.out, HasSubstr("'forecast push'"));
  EXPECT_THAT(ran.out, HasSubstr("--max-delay"));
}

TEST_F(ExitStatusTest, NamesWhatWasGivenAndNotWhatItBecame) {
  ExpectWrong({"submit", dir_}, "is a directory");
  ExpectWrong({"submit", "--accelerators", "99999999999999999999", "--", "x"},
              "'99999999999999999999' is out of range");
  ExpectWrong({"footprint", "gpt-3", "--what-if", "days=1e300"},
              "days: 1e+300 is not above 0, at most a century");
  ExpectWrong({"footprint", "gpt-3", "--what-if", "gross=1e300"},
              "at most 10000");
  ExpectWrong({"forecast", "push", "DE", Write("empty.csv", "")},
              "empty.csv:1: no rows of data");
}

// Whatever is named in a message.
TEST_F(ExitStatusTest, NoMessageSteersTheTerminal) {
  const std::string evil = "\x1b]0;owned\x07\u009b2J";
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"footprint", evil},
        {"footprint", "--file", evil},
        {"show", evil},
        {"submit", evil},
        {"submit", "--file-that-is-not", evil},
        {"submit", "--name", evil, "--", "true"},
        {"sim", "run", evil},
        {"report", "--from", evil},
        {"audit", "--since", evil},
        {"forecast", "push", "DE", Write("bin.csv", evil)},
        {evil}}) {
    SCOPED_TRACE(testing::PrintToString(args));
    const Ran ran = Run(args);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err.find_first_of("\x1b\x07"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("\u009b"), std::string::npos) << ran.err;
  }
  // A name that nobody gave is never what is wrong: nobody answers.
  EXPECT_EQ(Run({"submit", "--", evil}).code, 3);
}

}  // namespace
}  // namespace ccsched
