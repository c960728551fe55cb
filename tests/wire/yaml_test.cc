// YAML into messages: what is read, and what is refused with its line.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/time/clock.h"
#include "ccsched/v1/config.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "ccsched/v1/scenario.pb.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string ErrorOf(const std::string& text) {
  v1::ClusterConfig config;
  return std::string(ParseYaml(text, "c.yaml", config).message());
}

v1::Scenario ParsedScenario(const std::string& text) {
  v1::Scenario scenario;
  const absl::Status status = ParseYaml(text, "s.yaml", scenario);
  EXPECT_TRUE(status.ok()) << status;
  return scenario;
}

constexpr char kScenario[] = R"(version: 1
start: 2021-10-03T00:00:00Z
jobs:
  shift: 209w
  defaults: {accelerator: v100, max_delay: 24h, runtime: known}
  classes:
    - {name: short, shorter_than: 2h, max_delay: 6h}
    - {name: long, max_delay: 1d}
regions:
  - {name: DE, intensity: de.csv, forecast: perfect}
  - {name: FR, forecast: {csv: fr.csv, issued: day-ahead, offset: -1h}}
sites:
  - name: frankfurt
    region: DE
    pue: 1.1
    pools: [{accelerator: v100, count: unlimited, active_watts: 300}]
policies: [fcfs, {name: planner, label: p2, parameters: {price: 1.50}}]
)";

// Where a message has room for it; elsewhere a time is RFC 3339.
TEST(YamlTest, KeepsATimeAsWrittenThatDependsOnWhenItIsRead) {
  v1::JobSpec job;
  ASSERT_TRUE(ParseYaml("finish_by: +3h", "j.yaml", job).ok());
  EXPECT_EQ(job.finish_by_text(), "+3h");
  EXPECT_FALSE(job.has_finish_by());
  job.Clear();
  ASSERT_TRUE(ParseYaml("finish_by: 2026-01-05T08:00:00Z", "j", job).ok());
  EXPECT_EQ(job.finish_by_text(), "");
  EXPECT_TRUE(job.has_finish_by());
  EXPECT_THAT(std::string(ParseYaml("finish_by: soon", "j", job).message()),
              StartsWith("j:1: finish_by: 'soon'"));
  EXPECT_THAT(
      std::string(ParseYaml("finish_by_text: +3h", "j", job).message()),
      AllOf(StartsWith("j:1: unknown key 'finish_by_text'; known are name, "),
            Not(HasSubstr("finish_by_text, ")),
            // A file that has these is refused as well.
            Not(HasSubstr("env_exported")), Not(HasSubstr("env_given"))));
  v1::Scenario scenario;
  EXPECT_THAT(std::string(ParseYaml("start: +3h", "s", scenario).message()),
              StartsWith("s:1: start: '+3h'"));
}

TEST(YamlTest, ReadsTheScenarioSchema) {
  const v1::Scenario s = ParsedScenario(kScenario);
  EXPECT_EQ(s.version(), 1);
  EXPECT_EQ(s.start().seconds(), 1633219200);
  EXPECT_EQ(s.jobs().shift().seconds(), 209LL * 7 * 86400);
  EXPECT_EQ(s.jobs().classes(0).max_delay().seconds(), 6 * 3600);
  EXPECT_EQ(s.jobs().classes(1).max_delay().seconds(), 86400);
  EXPECT_EQ(s.regions(1).forecast().offset().seconds(), -3600);
  EXPECT_EQ(s.sites(0).pools(0).count(), "unlimited");
  EXPECT_TRUE(s.sites(0).has_pue());
  EXPECT_FALSE(s.sites(0).pools(0).has_idle_watts());
}

TEST(YamlTest, AScalarWhereAMapIsExpectedIsItsName) {
  const v1::Scenario s = ParsedScenario(kScenario);
  EXPECT_EQ(s.regions(0).forecast().name(), "perfect");
  EXPECT_EQ(s.policies(0).name(), "fcfs");
  EXPECT_EQ(s.policies(1).label(), "p2");
}

TEST(YamlTest, KeepsTheTextOfValuesInStringMaps) {
  EXPECT_EQ(ParsedScenario(kScenario).policies(1).parameters().at("price"),
            "1.50");
}

TEST(YamlTest, ALoneScalarFillsAList) {
  v1::JobSpec job;
  ASSERT_TRUE(ParseYaml("accelerator: a100\nafter: [3, 4]", "j", job).ok());
  ASSERT_EQ(job.accelerator_size(), 1);
  EXPECT_EQ(job.accelerator(0), "a100");
  EXPECT_EQ(job.after(1), 4);
}

TEST(YamlTest, RemembersTheLinesOfValues) {
  v1::Scenario s;
  YamlSource source;
  ASSERT_TRUE(ParseYaml(kScenario, "s.yaml", s, &source).ok());
  EXPECT_EQ(source.At("sites[0].pue"), "s.yaml:15");
  EXPECT_EQ(source.At("sites[0].pools[0].count"), "s.yaml:16");
  EXPECT_EQ(source.At("sites[0].nothing"), "s.yaml:13");
  EXPECT_EQ(source.At("nothing"), "s.yaml");
}

TEST(YamlTest, NamesAnUnknownKeyItsLineAndTheNearest) {
  EXPECT_EQ(ErrorOf("version: 1\nsites:\n  - name: a\n    regoin: DE\n"),
            "c.yaml:4: unknown key 'regoin' in sites[0]; did you mean "
            "'region'?");
  EXPECT_THAT(ErrorOf("zzzzzzzz: 1"), HasSubstr("known are version, listen"));
}

TEST(YamlTest, NamesAWrongTypeWithKeyAndValue) {
  EXPECT_EQ(ErrorOf("sites:\n- {name: a, pue: much}"),
            "c.yaml:2: sites[0].pue must be a number, not 'much'");
  EXPECT_EQ(ErrorOf("version: -1"),
            "c.yaml:1: version must be a whole number from 0 to 4294967295, "
            "not '-1'");
  EXPECT_THAT(ErrorOf("version: 4294967296"), HasSubstr("4294967296"));
  EXPECT_THAT(ErrorOf("sites: [{pue: .nan}]"), HasSubstr("must be a number"));
  EXPECT_THAT(ErrorOf("lease: 10"), HasSubstr("lease: '10' is not a duration"));
  EXPECT_THAT(ErrorOf("clock: {start: 2021-10-03 00:00}"),
              HasSubstr("clock.start: '2021-10-03 00:00' is not a time"));
  EXPECT_EQ(ErrorOf("sites: [[a]]"),
            "c.yaml:1: sites[0] must be a map with keys like name, not a list");
  EXPECT_EQ(ErrorOf("listen: {address: [a]}"),
            "c.yaml:1: listen.address must be one value, not a list");
  EXPECT_THAT(ErrorOf("just text"), HasSubstr("the document must be a map"));
}

TEST(YamlTest, RefusesAKeyGivenTwice) {
  EXPECT_EQ(ErrorOf("version: 1\nlease: 1m\nversion: 1\n"),
            "c.yaml:3: key 'version' is given twice");
}

TEST(YamlTest, RefusesNothing) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("there is nothing in it"));
  EXPECT_THAT(ErrorOf("# only this\n"), HasSubstr("there is nothing in it"));
  EXPECT_EQ(ErrorOf("version: 1\nsites:\n"),
            "c.yaml:2: sites has no value; remove the key or give it one");
}

TEST(YamlTest, RefusesASecondDocument) {
  EXPECT_EQ(ErrorOf("version: 1\n---\nversion: 2\n"),
            "c.yaml:3: a second document; only one is read");
}

TEST(YamlTest, NamesTheLineOfMalformedText) {
  EXPECT_THAT(ErrorOf("version: 1\nsites: [a, b\nlease: 5m\n"),
              HasSubstr("c.yaml:"));
  EXPECT_THAT(ErrorOf("a: b: c"), HasSubstr("c.yaml:1: "));
  EXPECT_THAT(ErrorOf(std::string("a: \0b", 5)), HasSubstr("not text"));
}

TEST(YamlTest, AliasesAreCopies) {
  v1::ClusterConfig config;
  ASSERT_TRUE(ParseYaml("sites:\n- {name: a, pools: &p [{accelerator: x}]}\n"
                        "- {name: b, pools: *p}\n",
                        "c", config)
                  .ok());
  EXPECT_EQ(config.sites(1).pools(0).accelerator(), "x");
}

TEST(YamlTest, RefusesAnAliasThatContainsItself) {
  EXPECT_THAT(ErrorOf("sites: &a\n- pools: *a\n"),
              HasSubstr("c.yaml:2: an alias to what it is part of"));
}

TEST(YamlTest, BoundsWhatAliasesMultiply) {
  // 10^9 values behind a few hundred bytes.
  std::string laughs = "after: [1]\nenv:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    laughs += std::string("  ") + c + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) {
      laughs += std::string(i ? ",*" : "*") + static_cast<char>(c - 1);
    }
    laughs += "]\n";
  }
  v1::JobSpec job;
  EXPECT_FALSE(ParseYaml(laughs, "j", job).ok());

  // Where lists of messages hold lists of messages, each visit counts.
  std::string wide = "sites:\n- pools: &p [";
  for (int i = 0; i < 2000; ++i) wide += "{accelerator: x},";
  wide += "]\n";
  for (int i = 0; i < 1000; ++i) wide += "- pools: *p\n";
  v1::ClusterConfig config;
  EXPECT_THAT(std::string(ParseYaml(wide, "c", config).message()),
              HasSubstr("too many values"));
}

TEST(YamlTest, BoundsNesting) {
  EXPECT_THAT(ErrorOf("a: " + std::string(40, '[') + std::string(40, ']')),
              HasSubstr("nested deeper than 32"));
  EXPECT_FALSE(ErrorOf("sites: " + std::string(200'000, '[')).empty());
  EXPECT_FALSE(ErrorOf(std::string(200'000, '{')).empty());
  std::string blocks;
  for (int i = 0; i < 2000; ++i) blocks += std::string(i, ' ') + "a:\n";
  EXPECT_FALSE(ErrorOf(blocks).empty());
}

TEST(YamlTest, BoundsSize) {
  EXPECT_THAT(ErrorOf("a: " + std::string(9 << 20, 'x')),
              HasSubstr("larger than 8 MiB"));
}

TEST(YamlTest, MissingFilesAndFoldersAreNamed) {
  v1::ClusterConfig config;
  const absl::Status missing = ReadYamlFile("/nonexistent/c.yaml", config);
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/nonexistent/c.yaml"));
  EXPECT_EQ(ReadYamlFile("/tmp", config).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(YamlTest, AByteOrderMarkIsPassedOverAndOtherEncodingsAreNamed) {
  v1::ClusterConfig config;
  EXPECT_TRUE(ParseYaml("\xef\xbb\xbfversion: 1\n", "f", config).ok());
  EXPECT_EQ(config.version(), 1);
  const std::string utf16("\xff\xfev\0:\0 \0001\0\n\0", 12);
  EXPECT_THAT(ErrorOf(utf16), HasSubstr("it is in UTF-16"));
  EXPECT_THAT(ErrorOf(utf16.substr(2)), HasSubstr("save it as UTF-8"));
  EXPECT_THAT(ErrorOf("\xff\xfe"), HasSubstr("it is in UTF-16"));
}

// Texts made of pieces of YAML, and valid ones with bytes changed.
TEST(YamlTest, NeverCrashesOnRandomText) {
  static const char* const kPieces[] = {"version: 1\n",
                                        "sites:\n",
                                        "- name: a\n",
                                        "  ",
                                        "pools: ",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        "&a ",
                                        "*a",
                                        ": ",
                                        ", ",
                                        "\n",
                                        "- ",
                                        "? ",
                                        "| \n",
                                        ">-\n",
                                        "'",
                                        "\"",
                                        "#",
                                        "!!str ",
                                        "---\n",
                                        "...\n",
                                        "\t",
                                        "\\x",
                                        "%",
                                        "@",
                                        "1h",
                                        "\xef\xbf ",
                                        "<<: ",
                                        "~",
                                        "\r\n",
                                        "0"};
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::string text;
    if (seed % 2 == 0) text = kScenario;
    for (uint64_t i = random.Below(60); i > 0; --i) {
      const size_t at =
          seed % 2 == 0 ? random.Below(text.size() + 1) : text.size();
      if (random.Below(4) == 0 && at < text.size()) {
        text[at] = static_cast<char>(random.Below(256));
      } else {
        text.insert(at, kPieces[random.Below(std::size(kPieces))]);
      }
    }
    v1::Scenario scenario;
    const absl::Status status = ParseYaml(text, "fuzz", scenario);
    if (!status.ok()) {
      EXPECT_THAT(std::string(status.message()), HasSubstr("fuzz")) << text;
    }
  }
}

TEST(SetPathTest, SetsByNameIndexAndKey) {
  v1::Scenario s = ParsedScenario(kScenario);
  ASSERT_TRUE(SetPath(s, "jobs.defaults.max_delay=48h").ok());
  EXPECT_EQ(s.jobs().defaults().max_delay().seconds(), 48 * 3600);
  ASSERT_TRUE(SetPath(s, "sites.frankfurt.pue=1.3").ok());
  EXPECT_EQ(s.sites(0).pue(), 1.3);
  ASSERT_TRUE(SetPath(s, "sites.0.pools[0].count=17").ok());
  EXPECT_EQ(s.sites(0).pools(0).count(), "17");
  ASSERT_TRUE(SetPath(s, "policies.planner.parameters.x.y=3").ok());
  EXPECT_EQ(s.policies(1).parameters().at("x.y"), "3");
  EXPECT_EQ(s.policies(1).parameters().at("price"), "1.50");
  ASSERT_TRUE(SetPath(s, "policies=[fcfs, {name: oracle}]").ok());
  ASSERT_EQ(s.policies_size(), 2);
  EXPECT_EQ(s.policies(1).name(), "oracle");
  ASSERT_TRUE(SetPath(s, "regions.DE.forecast=persistence").ok());
  EXPECT_EQ(s.regions(0).forecast().name(), "persistence");
}

TEST(SetPathTest, LeavesNothingOfAValueThatItReplaces) {
  v1::Scenario s = ParsedScenario(kScenario);
  ASSERT_TRUE(SetPath(s, "regions.DE.forecast={csv: a.csv, column: x}").ok());
  ASSERT_TRUE(SetPath(s, "regions.DE.forecast=perfect").ok());
  const auto region =
      std::find_if(s.regions().begin(), s.regions().end(),
                   [](const auto& r) { return r.name() == "DE"; });
  EXPECT_EQ(region->forecast().name(), "perfect");
  EXPECT_TRUE(region->forecast().csv().empty());
}

TEST(SetPathTest, RefusesWhatDoesNotFitAndChangesNothing) {
  v1::Scenario s = ParsedScenario(kScenario);
  const std::string before = s.SerializeAsString();
  const auto error = [&](const char* assignment) {
    return std::string(SetPath(s, assignment).message());
  };
  EXPECT_THAT(error("sites.frankfurt.peu=1"),
              HasSubstr("--set sites.frankfurt.peu=1: no 'peu'; did you mean "
                        "'pue'?"));
  EXPECT_THAT(error("sites.frankfort.pue=1"),
              HasSubstr("no element of sites is named 'frankfort'; did you "
                        "mean 'frankfurt'?"));
  EXPECT_THAT(error("sites.7.pue=1"), HasSubstr("1 elements"));
  EXPECT_THAT(error("jobs.shift=soon"), HasSubstr("'soon' is not a duration"));
  EXPECT_THAT(error("jobs.shift.seconds.x=1"), HasSubstr("has no parts"));
  EXPECT_THAT(error("jobs"), HasSubstr("must be path=value"));
  EXPECT_THAT(error("=1"), HasSubstr("must be path=value"));
  EXPECT_THAT(error("jobs.shift="), HasSubstr("nothing in it"));
  EXPECT_THAT(error("policies=[fcfs, {nme: x}]"), HasSubstr("'nme'"));
  EXPECT_EQ(s.SerializeAsString(), before);
}

// What is found wrong later is blamed on where it came from.
TEST(SetPathTest, TellsTheSourceWhatTookThePlaceOfALine) {
  v1::Scenario s;
  YamlSource source;
  ASSERT_TRUE(ParseYaml(kScenario, "s.yaml", s, &source).ok());
  ASSERT_TRUE(SetPath(s, "sites.frankfurt.pue=1.3", "--set", &source).ok());
  EXPECT_EQ(source.At("sites[0].pue"), "--set sites.frankfurt.pue=1.3");
  EXPECT_EQ(source.At("sites[0].pools[0].count"), "s.yaml:16");
  ASSERT_TRUE(SetPath(s, "sites.0.pools[0].count=17", "--set", &source).ok());
  ASSERT_TRUE(SetPath(s, "sites.0.pools=[{accelerator: x, count: 3}]", "--vary",
                      &source)
                  .ok());
  EXPECT_EQ(source.At("sites[0].pools[0].count"),
            "--vary sites.0.pools=[{accelerator: x, count: 3}]");
  EXPECT_EQ(source.At("sites[0].pue"), "--set sites.frankfurt.pue=1.3");
  // Refused, it has taken no place.
  EXPECT_FALSE(SetPath(s, "jobs.shift=soon", "--set", &source).ok());
  EXPECT_EQ(source.At("jobs.shift"), source.At("jobs.shift.seconds"));
  EXPECT_THAT(source.At("jobs.shift"), StartsWith("s.yaml:"));
}

TEST(SetPathTest, BlamesTheOptionThatItWasGivenBy) {
  v1::Scenario s = ParsedScenario(kScenario);
  const auto error = [&](const char* assignment) {
    return std::string(SetPath(s, assignment, "--vary").message());
  };
  EXPECT_THAT(error("sites.frankfurt.peu=1"),
              StartsWith("--vary sites.frankfurt.peu=1: no 'peu'"));
  EXPECT_THAT(error("jobs.shift=soon"), StartsWith("--vary jobs.shift=soon: "));
  EXPECT_THAT(error("jobs.shift=soon"), Not(HasSubstr("--vary:1")));
  EXPECT_THAT(error("policies=[fcfs, {nme: x}]"),
              StartsWith("--vary policies"));
}

}  // namespace
}  // namespace ccsched
