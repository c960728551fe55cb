// The acceptance facts of carbon accounting, to the digits they are stated in.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "gtest/gtest.h"
#include "scheduler/carbon/accounting.h"
#include "scheduler/carbon/factors.h"
#include "scheduler/carbon/footprint.h"
#include "scheduler/carbon/impact.h"
#include "scheduler/carbon/matching.h"
#include "scheduler/carbon/mlperf.h"
#include "scheduler/carbon/power.h"
#include "scheduler/carbon/windows.h"

namespace ccsched {
namespace {

// Equal to 1e-9, relative.
void Exact(double actual, double expected) {
  EXPECT_NEAR(actual, expected, std::abs(expected) * 1e-9);
}
// Equal to the digits shown, the last of which is worth `digit`.
void Shown(double actual, double shown, double digit) {
  EXPECT_NEAR(actual, shown, digit / 2 * (1 + 1e-9));
}

FootprintResult Of(const char* name) {
  const auto run = FindRun(PaperRuns(), name);
  EXPECT_TRUE(run.ok()) << run.status();
  return Footprint(*run);
}
double Mwh(const FootprintResult& r) { return r.energy.value() / 1000; }
double GrossTonnes(const FootprintResult& r) { return r.gross.value() / 1e6; }
double NetTonnes(const FootprintResult& r) { return r.net.value() / 1e6; }

TEST(CarbonFacts, Fact1Gpt3FromRawInputs) { Exact(Mwh(Of("GPT-3")), 1289.376); }

TEST(CarbonFacts, Fact2Gpt3FromPrintedEnergy) {
  Exact((KilowattHours(1287000) * GramsPerKwh(429)).value() / 1e6, 552.123);
}

TEST(CarbonFacts, Fact3T5) {
  Shown(Mwh(Of("T5")), 85.3279, 1e-4);
  Shown(GrossTonnes(Of("T5")), 46.5037, 1e-4);
}

TEST(CarbonFacts, Fact4Meena) {
  Shown(Mwh(Of("Meena")), 232.251, 1e-3);
  Shown(GrossTonnes(Of("Meena")), 96.384, 1e-3);
}

TEST(CarbonFacts, Fact5GShard) {
  Shown(Mwh(Of("GShard-600B")), 23.9162, 1e-4);
  Shown(GrossTonnes(Of("GShard-600B")), 4.80715, 1e-5);
  Shown(NetTonnes(Of("GShard-600B")), 4.23316, 1e-5);
}

TEST(CarbonFacts, Fact6SwitchTransformer) {
  Shown(Mwh(Of("Switch Transformer")), 178.827, 1e-3);
  Shown(GrossTonnes(Of("Switch Transformer")), 72.0674, 1e-4);
  Shown(NetTonnes(Of("Switch Transformer")), 59.013, 1e-3);
}

TEST(CarbonFacts, Fact7EvolvedTransformerSearch) {
  Shown(Mwh(Of("Evolved Transformer NAS")) * 1000, 7468.03, 1e-2);
  Shown(GrossTonnes(Of("Evolved Transformer NAS")), 3.21872, 1e-5);
}

TEST(CarbonFacts, Fact8BigOnP100AtTheUsAverage) {
  Shown(Of("Big, P100, US average").energy.value(), 316.27, 1e-2);
  Shown(GrossTonnes(Of("Big, P100, US average")), .13568, 1e-5);
}

TEST(CarbonFacts, Fact9BigOnP100InIowa) {
  Shown(Of("Big, P100, Iowa").energy.value(), 220.792, 1e-3);
  Shown(GrossTonnes(Of("Big, P100, Iowa")), .105539, 1e-6);
  Shown(NetTonnes(Of("Big, P100, Iowa")), .0176634, 1e-7);
}

TEST(CarbonFacts, Fact10EvolvedOnTpuV2InIowa) {
  Shown(Of("Evolved, TPU v2, Iowa").energy.value(), 29.9945, 1e-4);
  Shown(GrossTonnes(Of("Evolved, TPU v2, Iowa")), .0143374, 1e-7);
  Shown(NetTonnes(Of("Evolved, TPU v2, Iowa")), .00239956, 1e-8);
}

TEST(CarbonFacts, Fact11Bloom) {
  Shown((KilowattHours(433196) * GramsPerKwh(57)).value() / 1e6, 24.6922, 1e-4);
  Shown((KilowattHours(256646) * GramsPerKwh(57)).value() / 1e6, 14.6288, 1e-4);
  const auto hour = Embodied({.total = GramsCo2e(2.5e6),
                              .lifetime = Years(6),
                              .reserved = absl::Hours(1),
                              .used = .85});
  Shown(hour->value() / 1000, .0559585, 1e-7);
}

TEST(CarbonFacts, Fact12Opt) {
  const KilowattHours energy = Watts(400) * absl::Hours(809472) * 1.1;
  Shown(energy.value() / 1000, 356.168, 1e-3);
  Shown((energy * GramsPerKwh(385)).value() / 1e6, 137.125, 1e-3);
}

TEST(CarbonFacts, Fact13EmbodiedOfOneHour) {
  const auto m = Embodied({.total = GramsCo2e(1e6),
                           .lifetime = Years(4),
                           .reserved = absl::Hours(1)});
  Shown(m->value(), 28.539, 1e-3);
}

TEST(CarbonFacts, Fact14MixByFactorSet) {
  Mix mix;
  mix[Fuel::kCoal] = 200;
  mix[Fuel::kGas] = 300;
  mix[Fuel::kNuclear] = 200;
  mix[Fuel::kWind] = 150;
  mix[Fuel::kSolar] = 100;
  mix[Fuel::kHydro] = 50;
  Exact(MixIntensity(mix, LifecycleFactors())->value(), 320.75);
  Exact(MixIntensity(mix, DirectFactors())->value(), 263.0);
  Exact(*MixCarbonFree(mix), .5);
}

TEST(CarbonFacts, Fact15HourlyMatching) {
  const double clean[] = {0, 50, 150, 200};
  const double share[] = {.2, .2, .4, .4};
  const double grid[] = {500, 480, 420, 400};
  std::vector<MatchedHour> hours;
  for (int h = 0; h < 4; ++h) {
    hours.push_back({KilowattHours(100), KilowattHours(clean[h]), share[h],
                     GramsPerKwh(grid[h]), std::nullopt});
  }
  const auto m = MatchHours(hours);
  ASSERT_TRUE(m.ok());
  Exact(*m->cfe_score, .70);
  Exact(m->gross.value(), 180e3);
  Exact(m->net.value(), 74e3);
}

TEST(CarbonFacts, Fact16Pounds) {
  Exact(FromPoundsPerMwh(1000).value(), 453.59237);
}

const absl::Time kStart =
    absl::FromCivil(absl::CivilDay(2022, 3, 1), absl::UTCTimeZone());

TEST(CarbonFacts, Fact17PowerAcrossThreeHours) {
  std::vector<GridSlice> slices;
  const double values[] = {300, 100, 500};
  for (int h = 0; h < 3; ++h) {
    slices.push_back({kStart + absl::Hours(h), kStart + absl::Hours(h + 1),
                      GramsPerKwh(values[h]), false, "v1"});
  }
  const absl::Time from = kStart + absl::Minutes(30);
  const absl::Time to = kStart + absl::Minutes(135);
  const KilowattHours energy = Watts(2000) * (to - from);
  Exact(energy.value(), 3.5);
  Exact(Emission(energy, 1, from, to, slices)->value(), 750);
  int64_t joules = 0;
  int64_t milligrams = 0;
  for (const auto& row : SplitEnergy({from, to, ToJoules(energy)}, 1, slices)) {
    joules += *row.joules;
    milligrams += *row.milligrams;
  }
  EXPECT_EQ(joules, 12'600'000);
  EXPECT_EQ(milligrams, 750'000);
}

TEST(CarbonFacts, Fact18IntensityIsWeightedByEnergy) {
  const KilowattHours a(100);
  const KilowattHours b(300);
  const GramsCo2e sum = a * GramsPerKwh(200) + b * GramsPerKwh(500);
  Exact((sum / (a + b)).value(), 425);
}

TEST(CarbonFacts, Fact19ThreeOfSixSlots) {
  const auto series =
      *StepSeries::Create(kStart, absl::Hours(1), {5, 4, 9, 2, 8, 1});
  Exact(series.IntegralHours(kStart, kStart + absl::Hours(3)), 18);
  const auto best = BestWindow(series, kStart, series.end(), absl::Hours(3));
  ASSERT_TRUE(best.has_value());
  Exact(best->mean.value() * 3, 11);
  EXPECT_EQ(best->start, kStart + absl::Hours(3));
  double sum = 0;
  for (const Window& w : BestSteps(series, kStart, series.end(), 3)) {
    sum += w.mean.value();
  }
  Exact(sum, 7);
}

TEST(CarbonFacts, Fact20LinearPower) {
  const auto watts = LinearPower(Watts(50), Watts(200), .4);
  Exact((*watts * absl::Hours(10) * 1.2).value(), 1.32);
}

TEST(CarbonFacts, Fact21MlperfNodeEnergy) {
  const auto at = [](int ms) { return kStart + absl::Milliseconds(ms); };
  MlperfNode node;
  node.start = at(0);
  node.stop = at(4500);
  node.readings = {{at(1000), Watts(300)},
                   {at(2000), Watts(310)},
                   {at(3000), Watts(290)},
                   {at(4500), Watts(320)}};
  node.conversion_efficiency = .94;
  const auto joules = MlperfEnergy(node, absl::Milliseconds(4000));
  ASSERT_TRUE(joules.ok());
  Shown(joules->value(), 1153.0667, 1e-4);
}

TEST(CarbonFacts, Fact22TransmissionLoss) {
  Shown(GeneratedEnergy(KilowattHours(1000), .045)->value(), 1047.12, 1e-2);
}

TEST(CarbonFacts, Fact23DaysOf23And25Hours) {
  absl::TimeZone berlin;
  if (!absl::LoadTimeZone("Europe/Berlin", &berlin)) {
    GTEST_SKIP() << "this machine has no time zone data";
  }
  const auto energy_on = [&](absl::CivilDay day) {
    const absl::Time from = absl::FromCivil(day, berlin);
    const absl::Time to = absl::FromCivil(day + 1, berlin);
    const auto slices =
        std::vector<GridSlice>{{from, to, GramsPerKwh(100), false, "v1"}};
    int64_t joules = 0;
    for (const auto& row : SplitEnergy(
             {from, to, ToJoules(Watts(100) * (to - from))}, 1, slices)) {
      joules += *row.joules;
    }
    return ToKilowattHours(Joules(joules)).value();
  };
  Exact(energy_on(absl::CivilDay(2020, 3, 29)), 2.3);
  Exact(energy_on(absl::CivilDay(2020, 10, 25)), 2.5);
}

TEST(CarbonFacts, Fact24IdlePowerIsSharedByAllocation) {
  const std::vector<NodeTenant> tenants = {{2, Watts(150)}, {4, Watts(300)}};
  const auto shares = ShareNodePower(Watts(400), 8, tenants);
  ASSERT_TRUE(shares.ok());
  Exact(shares->tenants[0].value(), 250);
  Exact(shares->tenants[1].value(), 500);
  Exact(shares->unallocated.value(), 100);
  Exact((shares->tenants[0] + shares->tenants[1] + shares->unallocated).value(),
        850);
}

}  // namespace
}  // namespace ccsched
