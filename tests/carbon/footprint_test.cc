// The paper's runs against what it printed, and the factors of its choices.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/footprint.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/carbon/what_if.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

TEST(FootprintTest, EveryRunOfThePaperIsWithinTheTolerancesOfItsPrint) {
  ASSERT_EQ(PaperRuns().size(), 11);
  for (const TrainingRun& run : PaperRuns()) {
    SCOPED_TRACE(run.name);
    ASSERT_TRUE(CheckRun(run).ok());
    const FootprintResult r = Footprint(run);
    // Table 1 prints kilowatt-hours and its net tonnes to two digits.
    const bool table1 = run.chips == 8;
    const double kwh = *run.printed.energy_kwh;
    EXPECT_NEAR(r.energy.value(), kwh, std::max(kwh * .008, table1 ? .5 : 0));
    const double gross = *run.printed.gross_co2e_kg;
    EXPECT_NEAR(r.gross.value() / 1000, gross, gross * .016);
    const double net = *run.printed.net_co2e_kg;
    EXPECT_NEAR(r.net.value() / 1000, net,
                std::max(net * .016, table1 ? .05 : 0));
  }
}

TEST(FootprintTest, ArithmeticIsExactTo1e12) {
  for (const TrainingRun& run : PaperRuns()) {
    const double kwh =
        run.days * 24 * run.chips * run.watts.value() * run.pue / 1000;
    EXPECT_NEAR(Footprint(run).energy.value() / kwh, 1, 1e-12) << run.name;
    EXPECT_NEAR(Footprint(run).gross.value() / (kwh * run.gross.value()), 1,
                1e-12);
  }
}

TEST(FootprintTest, TheFiveChoicesOfTable1MakeAFactorOf57) {
  const auto base = FindRun(PaperRuns(), "Big, P100, US average");
  const std::vector<std::string> what = {
      "datacenter=iowa", "accelerator=TPU v2", "model=Evolved Transformer"};
  const auto changes = WhatIf(*base, what, PaperRuns());
  ASSERT_TRUE(changes.ok()) << changes.status();
  ASSERT_EQ(changes->size(), 4);
  EXPECT_NEAR((*changes)[0].net_factor, 1.4, .05);  // PUE
  EXPECT_NEAR((*changes)[1].net_factor, 5.4, .05);  // energy mix
  EXPECT_NEAR((*changes)[2].net_factor, 5.6, .05);  // processor
  double net = 1;
  for (const Change& c : *changes) net *= c.net_factor;
  EXPECT_NEAR(net, 57, .5);
  EXPECT_NEAR(net, 135.68 / 2.39956, .01);
}

TEST(FootprintTest, GShardAgainstGpt3) {
  const auto base = FindRun(PaperRuns(), "GPT-3");
  const auto changes =
      WhatIf(*base, std::vector<std::string>{"GShard-600B"}, PaperRuns());
  ASSERT_TRUE(changes.ok()) << changes.status();
  double energy = 1;
  double gross = 1;
  double net = 1;
  for (const Change& c : *changes) {
    energy *= c.energy_factor;
    gross *= c.gross_factor;
    net *= c.net_factor;
  }
  EXPECT_NEAR((*changes)[0].energy_factor, 45, 2);
  EXPECT_NEAR(energy, 55, 2);
  EXPECT_NEAR(gross, 115, 2);
  EXPECT_NEAR(net, 130, 2);
}

TEST(FootprintTest, TheSearchEmitted88TimesLessThanHadBeenEstimated) {
  // Strubell et al. 2019: 626,155 lb.
  const double estimated_kg = 626155 * .45359237;
  const auto search = FindRun(PaperRuns(), "Evolved Transformer NAS");
  EXPECT_NEAR(estimated_kg / (Footprint(*search).gross.value() / 1000), 88, .5);
}

TEST(FootprintTest, LocationAloneMakesAFactorOf6Point8) {
  const auto base = FindRun(PaperRuns(), "T5");
  const auto changes =
      WhatIf(*base, std::vector<std::string>{"datacenter=iowa"}, PaperRuns());
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_NEAR((*changes)[1].net_factor, 6.8, .05);
}

TEST(FootprintTest, AnAcceleratorNobodyMeasuredTheModelOnIsScaled) {
  const auto base = FindRun(PaperRuns(), "GPT-3");
  const auto changes = WhatIf(
      *base, std::vector<std::string>{"accelerator=TPU v3"}, PaperRuns());
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_THAT((*changes)[0].what, HasSubstr("scaled"));
  const double tflops = (45.6 + 42.3 + 48.0 + 34.4) / 4;
  const double watts = (310 + 289 + 288 + 245) / 4.0;
  EXPECT_NEAR((*changes)[0].energy_factor, tflops / watts / (24.6 / 330), 1e-9);
}

TEST(FootprintTest, WhatMakesNoSenseIsRefusedByName) {
  const auto base = FindRun(PaperRuns(), "GPT-3");
  const auto error = [&](const char* change) {
    const auto changes =
        WhatIf(*base, std::vector<std::string>{change}, PaperRuns());
    EXPECT_FALSE(changes.ok()) << change;
    return std::string(changes.status().message());
  };
  EXPECT_THAT(error("pue=0"), HasSubstr("pue: 0 is not at least 1"));
  EXPECT_THAT(error("pue=low"), HasSubstr("what-if pue=low: not a number"));
  EXPECT_THAT(error("colour=green"), HasSubstr("\"colour\" is none of"));
  EXPECT_THAT(error("datacenter=mars"), HasSubstr("datacenter=mars: none of"));
  EXPECT_THAT(error("datacenter=georgia"), HasSubstr("more than one"));
  EXPECT_THAT(error("GPT-9"), HasSubstr("no run is named \"GPT-9\""));
}

TEST(FootprintTest, ARunWithoutSenseIsRefusedByField) {
  TrainingRun run = PaperRuns()[0];
  run.watts = Watts(0);
  EXPECT_THAT(CheckRun(run).message().data(), HasSubstr("watts: 0"));
  run = PaperRuns()[0];
  run.net = GramsPerKwh(500);
  EXPECT_THAT(CheckRun(run).message().data(), HasSubstr("net_g_per_kwh: 500"));
  run = PaperRuns()[0];
  run.days = std::nan("");
  EXPECT_THAT(CheckRun(run).message().data(), HasSubstr("days: nan"));
}

TEST(FootprintTest, FindsARunByItsWordsWhereOnlyOneHasThem) {
  EXPECT_EQ(FindRun(PaperRuns(), "gpt-3")->name, "GPT-3");
  EXPECT_EQ(FindRun(PaperRuns(), "switch")->name, "Switch Transformer");
  EXPECT_THAT(std::string(FindRun(PaperRuns(), "iowa").status().message()),
              HasSubstr("several runs could be named \"iowa\""));
}

}  // namespace
}  // namespace ccsched
