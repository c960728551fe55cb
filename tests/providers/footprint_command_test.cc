// The face of `ccsched footprint`: JSON, CSV, files of runs, what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/footprint_command.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Json = nlohmann::json;

class FootprintCommandTest : public ::testing::Test {
 protected:
  FootprintCommandTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("footprint." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~FootprintCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  int Run(FootprintOptions options) {
    out_.str("");
    err_.str("");
    return FootprintCommand(options, out_, err_);
  }

  std::filesystem::path folder_;
  std::ostringstream out_, err_;
};

TEST_F(FootprintCommandTest, JsonListsTheSixSystemsAndTheFiveChoices) {
  ASSERT_EQ(Run({.output = "json"}), 0) << err_.str();
  const Json j = Json::parse(out_.str());
  EXPECT_EQ(j["schema"], "ccsched.footprint/v1");
  ASSERT_EQ(j["runs"].size(), 11);
  const char* names[] = {
      "Evolved Transformer NAS", "T5",   "Meena", "GShard-600B",
      "Switch Transformer",      "GPT-3"};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(j["runs"][i]["name"], names[i]);
  const Json& gpt3 = j["runs"][5];
  EXPECT_NEAR(gpt3["energy_kwh"].get<double>(), 1289376, 1e-6);
  EXPECT_NEAR(gpt3["gross_co2e_kg"].get<double>(), 553142.304, 1e-6);
  EXPECT_EQ(gpt3["printed"]["energy_kwh"], 1287000);
  EXPECT_EQ(gpt3["printed"]["net_co2e_kg"], 552100);
}

TEST_F(FootprintCommandTest, WhatIfPrintsTheFactorOfEachChange) {
  FootprintOptions options;
  options.names = {"big p100 us average"};
  options.what_if = {"datacenter=iowa", "accelerator=TPU v2",
                     "model=Evolved Transformer"};
  ASSERT_EQ(Run(options), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("PUE 1.59 to 1.11"));
  EXPECT_THAT(out_.str(), HasSubstr("1.43x"));
  EXPECT_THAT(out_.str(), HasSubstr("56.54x"));
  options.output = "json";
  ASSERT_EQ(Run(options), 0);
  const Json j = Json::parse(out_.str());
  EXPECT_NEAR(j["runs"][0]["what_if"]["net_factor"].get<double>(), 57, .5);
  options.output = "csv";
  ASSERT_EQ(Run(options), 0);
  EXPECT_THAT(out_.str(),
              HasSubstr("\"Transformer (Big), P100, US average\",,316.27"));
}

TEST_F(FootprintCommandTest, OfNothingNothingIsAPart) {
  FootprintOptions options;
  options.names = {"T5"};
  options.what_if = {"net=0"};
  ASSERT_EQ(Run(options), 0) << err_.str();
  EXPECT_EQ(out_.str().find("inf"), std::string::npos) << out_.str();
  options.output = "csv";
  ASSERT_EQ(Run(options), 0);
  EXPECT_EQ(out_.str().find("inf"), std::string::npos) << out_.str();
}

TEST_F(FootprintCommandTest, ReadsRunsFromAFileAndTheirGridFromItsHours) {
  Write("grid.csv",
        "utc,ci_lca\n2022-01-01T00:00:00Z,100\n2022-01-01T01:00:00Z,300\n"
        "2022-01-01T02:00:00Z,500\n");
  const std::string file = Write("runs.yaml", R"(
version: 1
runs:
  - name: mine
    chips: 1000
    days: 0.0625   # 1.5 hours
    watts: 400
    pue: 1.0
    grid: {intensity: grid.csv, start: 2022-01-01T00:30:00Z}
  - {name: other, chips: 1, days: 1, watts: 100, pue: 1.5, gross_g_per_kwh: 10}
)");
  ASSERT_EQ(Run({.file = file, .output = "json"}), 0) << err_.str();
  const Json j = Json::parse(out_.str());
  ASSERT_EQ(j["runs"].size(), 2);
  EXPECT_NEAR(j["runs"][0]["energy_kwh"].get<double>(), 600, 1e-9);
  // Half an hour at 100 g and an hour at 300 g, 400 kW.
  EXPECT_NEAR(j["runs"][0]["gross_co2e_kg"].get<double>(), 20 + 120, 1e-9);
  EXPECT_TRUE(j["runs"][0]["printed"]["energy_kwh"].is_null());
}

TEST_F(FootprintCommandTest, AsksTheSchedulerForASitesHours) {
  FootprintOptions options{.file = Write("site.yaml", R"(
version: 1
runs:
  - {name: there, chips: 10, days: 2, watts: 100, site: oslo,
     start: 2022-01-01T00:00:00Z}
)"),
                           .output = "json"};
  EXPECT_EQ(Run(options), 2);
  EXPECT_THAT(err_.str(), HasSubstr("no scheduler to ask"));
  options.sites = [](const std::string& site, absl::Time start,
                     absl::Time end) -> absl::StatusOr<KnownSite> {
    EXPECT_EQ(site, "oslo");
    EXPECT_EQ(end - start, absl::Hours(48));
    return KnownSite{GramsPerKwh(50), 1.25, true};
  };
  ASSERT_EQ(Run(options), 0) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("there: some hours of the grid are"));
  const Json j = Json::parse(out_.str());
  EXPECT_NEAR(j["runs"][0]["energy_kwh"].get<double>(), 60, 1e-9);
  EXPECT_NEAR(j["runs"][0]["gross_co2e_kg"].get<double>(), 3, 1e-9);
  options.sites = [](const std::string&, absl::Time, absl::Time) {
    return absl::StatusOr<KnownSite>(absl::UnavailableError("nobody answers"));
  };
  EXPECT_EQ(Run(options), 3);
}

// A scheduler need not know, nor be there for, what nobody asks about.
TEST_F(FootprintCommandTest, AsksOnlyForTheGridsOfWhatIsAskedAbout) {
  std::vector<std::string> asked;
  FootprintOptions options{.names = {"plain"},
                           .file = Write("mixed.yaml", R"(
version: 1
runs:
  - {name: there, chips: 10, days: 2, watts: 100, site: oslo,
     start: 2022-01-01T00:00:00Z}
  - {name: lost, chips: 10, days: 2, watts: 100, site: rome,
     start: 2022-01-01T00:00:00Z}
  - {name: plain, chips: 1, days: 2, watts: 100, pue: 1, gross_g_per_kwh: 9}
)"),
                           .output = "json"};
  options.sites = [&asked](const std::string& site, absl::Time,
                           absl::Time) -> absl::StatusOr<KnownSite> {
    asked.push_back(site);
    if (site == "rome") return absl::UnavailableError("nobody answers");
    return KnownSite{GramsPerKwh(50), 1.25, true};
  };
  const auto asks = [&] {
    asked.clear();
    EXPECT_EQ(Run(options), 0) << err_.str();
    return asked;
  };
  EXPECT_THAT(asks(), IsEmpty());
  EXPECT_EQ(err_.str(), "");
  options.names = {"plain", "THERE", "there"};
  EXPECT_THAT(asks(), ElementsAre("oslo"));
  EXPECT_NEAR(Json::parse(out_.str())["runs"][1]["gross_co2e_kg"].get<double>(),
              3, 1e-9);
  options.names = {"plain"};
  options.what_if = {"pue=1.2", "chips=2"};
  EXPECT_THAT(asks(), IsEmpty());
  // What looks at other runs' grids needs them all.
  options.what_if = {"datacenter=oslo"};
  EXPECT_EQ(Run(options), 3);
  options.what_if.clear();
  options.names.clear();
  EXPECT_EQ(Run(options), 3);
}

TEST_F(FootprintCommandTest, WhatIsWrongIsNamedAndNothingIsPrinted) {
  const auto fails = [this](FootprintOptions options, const char* message) {
    EXPECT_EQ(Run(options), 2);
    EXPECT_EQ(out_.str(), "");
    EXPECT_THAT(err_.str(), HasSubstr(message));
  };
  fails({.names = {"GPT-9"}}, "no run is named \"GPT-9\"");
  fails({.output = "xml"}, "-o xml is none of table, json, csv");
  fails({.file = (folder_ / "none.yaml").string()}, "none.yaml");
  fails({.file = Write("next.yaml", "version: 2\nruns: [{name: x}]\n")},
        "next.yaml:1: version: 2; this program reads version 1");
  const auto run = [this](const std::string& fields) {
    return FootprintOptions{
        .file = Write("bad.yaml",
                      "version: 1\nruns:\n  - {name: x, " + fields + "}\n")};
  };
  fails(run("chips: 1, days: 1, watts: 1, gross_g_per_kwh: 1"),
        "bad.yaml:3: pue is missing");
  fails(run("chips: 1, days: 1, watts: 1, pue: 0, gross_g_per_kwh: 1"),
        "pue: 0 is not at least 1");
  fails(run("chips: 1, days: 1, watts: 1, pue: 1"), "gross_g_per_kwh");
  fails(run("chips: 1, days: 1, watts: -4, pue: 1, gross_g_per_kwh: 1"),
        "watts: -4 is not above 0");
  fails(run("chips: 1, days: 1, watts: 4, pue: 1, gross: 1"), "gross");
  Write("grid.csv", "utc,ci_lca\n2022-01-01T00:00:00Z,100\n");
  fails(run("chips: 1, days: 1, watts: 1, pue: 1, grid: {intensity: grid.csv, "
            "start: 2022-01-01T00:00:00Z}"),
        "the run is from 2022-01-01T00:00:00Z to 2022-01-02T00:00:00Z");
}

}  // namespace
}  // namespace ccsched
