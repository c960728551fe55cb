// #CCSCHED and #SBATCH lines.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/script_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

JobOptions Read(const std::string& script) {
  const auto header = ReadScriptHeader(script, "job.sh");
  EXPECT_TRUE(header.ok()) << header.status();
  return header.ok() ? header->options : JobOptions();
}
std::string ErrorOf(const std::string& lines) {
  return std::string(
      ReadScriptHeader("#!/bin/sh\n" + lines, "job.sh").status().message());
}

TEST(SplitWordsTest, SplitsAsAShellDoes) {
  EXPECT_THAT(SplitWords(R"(a "b c" 'd "e' f\ g h"i"j '' # k)").value(),
              ElementsAre("a", "b c", "d \"e", "f g", "hij", ""));
  EXPECT_THAT(SplitWords("a#b").value(), ElementsAre("a#b"));
  EXPECT_FALSE(SplitWords("a 'b").ok());
  EXPECT_FALSE(SplitWords("a \"b").ok());
}

TEST(ScriptHeaderTest, ReadsOurOwnLines) {
  const JobOptions o = Read(
      "#!/bin/bash\n"
      "# a comment\n"
      "\n"
      "#CCSCHED --name 'my job' --accelerators 4\n"
      "#CCSCHED --accelerator a100,v100 --max-delay 12h # as you like\n"
      "#CCSCHED --env A=1 --env B=x,y --suspendable\n"
      "#CCSCHEDULED --nonsense\n"
      "echo\n"
      "#CCSCHED --accelerators 8\n");
  EXPECT_EQ(o.name, "my job");
  EXPECT_EQ(o.accelerators, 4);
  EXPECT_THAT(o.accelerator, ElementsAre("a100", "v100"));
  EXPECT_EQ(o.max_delay, "12h");
  EXPECT_THAT(o.env, ElementsAre("A=1", "B=x,y"));
  EXPECT_TRUE(o.suspendable);
}

TEST(ScriptHeaderTest, NamesFileLineAndTheNearestOption) {
  EXPECT_EQ(ErrorOf("#CCSCHED --max-dealy 3h\n"),
            "job.sh:2: #CCSCHED: unknown option '--max-dealy'; did you mean "
            "'--max-delay'?");
  EXPECT_THAT(ErrorOf("\n#CCSCHED --name 'x\n"),
              HasSubstr("job.sh:3: a ' is not closed"));
  EXPECT_THAT(ErrorOf("#CCSCHED --accelerators many\n"), HasSubstr("job.sh:2"));
  EXPECT_THAT(ErrorOf("#CCSCHED train.py\n"), HasSubstr("'train.py'"));
  EXPECT_THAT(ErrorOf("#CCSCHED --help\n"), HasSubstr("--help"));
}

// Values are read once, with those of flags; then the line is found again.
TEST(ScriptHeaderTest, LocatesAWrongValue) {
  const auto header = ReadScriptHeader(
      "#!/bin/sh\n#CCSCHED --env HOME\n#CCSCHED --runtime soon\n", "job.sh");
  ASSERT_TRUE(header.ok()) << header.status();
  const auto located = [&](const char* why) {
    return std::string(
        header->Located(absl::InvalidArgumentError(why)).message());
  };
  v1::JobSpec job;
  const absl::Status applied = ApplyJobOptions(
      header->options, [] { return absl::UnixEpoch(); }, absl::UTCTimeZone(),
      [](const char*) { return "x"; }, &job);
  EXPECT_THAT(located(std::string(applied.message()).c_str()),
              HasSubstr("job.sh:3: --runtime: 'soon' is not a duration"));
  EXPECT_EQ(located("--grace: of a flag"), "--grace: of a flag");
}

TEST(SbatchTest, MapsWhatScriptsReallyUse) {
  const JobOptions o = Read(
      "#!/bin/bash\n"
      "#SBATCH -J resnet -t 1-12:00:00\n"
      "#SBATCH --gres=gpu:a100:4\n"
      "#SBATCH --nodes=2\n"
      "#SBATCH -o logs/%A_%a.out\n"
      "#SBATCH --array=0-9\n"
      "#SBATCH --dependency=afterok:12:13\n"
      "#SBATCH -D /scratch --export=FOO=bar,HOME\n"
      "#SBATCH --signal=B:USR1@300\n"
      "#SBATCH -A vision --hold --deadline=2026-01-09T00:00\n"
      "srun python train.py\n");
  EXPECT_EQ(o.name, "resnet");
  EXPECT_EQ(o.time_limit, "129600s");
  EXPECT_THAT(o.accelerator, ElementsAre("a100"));
  EXPECT_EQ(o.accelerators_per_node, 4);
  EXPECT_EQ(o.nodes, 2);
  EXPECT_EQ(o.output, "logs/%j_%a.out");
  EXPECT_EQ(o.array, "0-9");
  EXPECT_THAT(o.after, ElementsAre("12", "13"));
  EXPECT_EQ(o.workdir, "/scratch");
  EXPECT_THAT(o.env, ElementsAre("FOO=bar", "HOME"));
  EXPECT_EQ(o.signal, "USR1");
  EXPECT_EQ(o.grace, "300s");
  EXPECT_EQ(o.project, "vision");
  EXPECT_EQ(o.finish_by, "2026-01-09T00:00");
  EXPECT_TRUE(o.hold);
}

TEST(SbatchTest, ReadsGpusInEveryForm) {
  EXPECT_EQ(Read("#!/bin/sh\n#SBATCH --gpus=8\n").accelerators, 8);
  EXPECT_EQ(Read("#!/bin/sh\n#SBATCH -G v100:8\n").accelerators, 8);
  EXPECT_THAT(Read("#!/bin/sh\n#SBATCH -Gv100:8\n").accelerator,
              ElementsAre("v100"));
  EXPECT_EQ(Read("#!/bin/sh\n#SBATCH --gres gpu:2\n").accelerators_per_node, 2);
  EXPECT_EQ(Read("#!/bin/sh\n#SBATCH --gres=gpu\n").accelerators_per_node, 1);
  EXPECT_THAT(ErrorOf("#SBATCH --gres=fpga:1\n"), HasSubstr("'fpga:1'"));
  EXPECT_THAT(ErrorOf("#SBATCH --gpus=0\n"), HasSubstr("'0'"));
  EXPECT_THAT(ErrorOf("#SBATCH --gpus=a:b:c\n"), HasSubstr("'a:b:c'"));
}

TEST(SbatchTest, WarnsOfWhatChangesNothingHere) {
  const auto header = ReadScriptHeader(
      "#!/bin/sh\n#SBATCH --mail-type=END -n 4\n#SBATCH -p gpu --export=ALL\n",
      "job.sh");
  ASSERT_TRUE(header.ok());
  EXPECT_THAT(header->warnings,
              ElementsAre("job.sh:2: #SBATCH --mail-type changes nothing here",
                          "job.sh:2: #SBATCH -n changes nothing here",
                          "job.sh:3: #SBATCH -p changes nothing here"));
  EXPECT_TRUE(header->export_all);
}

TEST(SbatchTest, RefusesByNameWhatItCannotHonour) {
  EXPECT_THAT(ErrorOf("#SBATCH --begin=16:00\n"),
              HasSubstr("job.sh:2: #SBATCH --begin: is not honoured here"));
  EXPECT_THAT(ErrorOf("#SBATCH --dependency=afterany:3\n"),
              HasSubstr("'afterany:3' must be afterok"));
  EXPECT_THAT(ErrorOf("#SBATCH --dependency=afterok:1?afterok:2\n"),
              HasSubstr("must be afterok"));
  EXPECT_THAT(ErrorOf("#SBATCH --tiem=1\n"),
              HasSubstr("did you mean '--time'?"));
  EXPECT_THAT(ErrorOf("#SBATCH --time\n"), HasSubstr("needs a value"));
  EXPECT_THAT(ErrorOf("#SBATCH -t soon\n"), HasSubstr("'soon'"));
  EXPECT_THAT(ErrorOf("#SBATCH -N 1-4\n"), HasSubstr("'1-4'"));
  EXPECT_THAT(ErrorOf("#SBATCH --signal=KILL@x\n"), HasSubstr("'KILL@x'"));
  EXPECT_THAT(ErrorOf("#SBATCH --signal=64\n"), HasSubstr("signal 64"));
  EXPECT_THAT(ErrorOf("#SBATCH train.sh\n"), HasSubstr("'train.sh'"));
}

TEST(SbatchTest, OurLinesGoOverThose) {
  const JobOptions o = Read(
      "#!/bin/sh\n"
      "#CCSCHED --name ours\n"
      "#SBATCH --job-name=theirs --account=a\n");
  EXPECT_EQ(o.name, "ours");
  EXPECT_EQ(o.project, "a");
}

TEST(ScriptHeaderTest, NeverCrashesOnRandomLines) {
  static const char* const kPieces[] = {"#SBATCH",
                                        "#CCSCHED",
                                        " ",
                                        "\n",
                                        "--time",
                                        "=",
                                        "-",
                                        "--",
                                        "-t",
                                        "1:2",
                                        "--gres",
                                        "gpu:",
                                        ":",
                                        "'",
                                        "\"",
                                        "\\",
                                        "--array",
                                        "afterok:",
                                        "--signal",
                                        "B:",
                                        "--export",
                                        "--env",
                                        "A=",
                                        "\xff",
                                        "--name",
                                        "é",
                                        "\r",
                                        "--gpus",
                                        "99999999999999999999",
                                        "-G",
                                        "-N",
                                        "0",
                                        "#",
                                        "\t"};
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::string script = "#!/bin/sh\n";
    for (uint64_t i = random.Below(40); i > 0; --i) {
      script += kPieces[random.Below(std::size(kPieces))];
    }
    const auto header = ReadScriptHeader(script, "fuzz");
    if (!header.ok()) {
      EXPECT_THAT(std::string(header.status().message()), HasSubstr("fuzz:"));
    }
  }
}

}  // namespace
}  // namespace ccsched
