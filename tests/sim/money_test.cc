// Money in scenarios: what runs cost, and policies that weigh it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sim/sweep.h"
#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Stamp(int hour) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                          absl::FromUnixSeconds(1646092800) + absl::Hours(hour),
                          absl::UTCTimeZone());
}

// One job of two accelerators for two hours, two sites. At `here` power costs
// 300 a MWh for six hours, then -50; its grid emits 100 g/kWh, then 120. Power
// `there` costs 100 and emits 200.
class MoneyTest : public ::testing::Test {
 protected:
  MoneyTest() {
    std::string here = "utc,ci_lca\n", there = here;
    std::string price = "utc,price,currency\n", flat = price;
    for (int h = 0; h < 96; ++h) {
      absl::StrAppend(&here, Stamp(h), ",", h < 6 ? 100 : 120, "\n");
      absl::StrAppend(&there, Stamp(h), ",200\n");
      absl::StrAppend(&price, Stamp(h), ",", h < 6 ? 300 : -50, ",EUR/MWh\n");
      absl::StrAppend(&flat, Stamp(h), ",100,EUR/MWh\n");
    }
    folder_.Write("here.csv", here);
    folder_.Write("there.csv", there);
    folder_.Write("price.csv", price);
    folder_.Write("flat.csv", flat);
    folder_.Write("jobs.csv", "job_id,submit_s,duration_s,slots\na,0,7200,2\n");
  }
  nlohmann::json Run(const std::string& policy, const std::string& more = "") {
    const Ran ran = Play(policy, more);
    EXPECT_TRUE(ran.ok) << ran.error;
    return ran.ok ? ran.json["runs"][0] : nlohmann::json();
  }
  Ran Play(const std::string& policy, const std::string& more = "") {
    const std::string path = folder_.Write(
        "money.yaml",
        absl::StrCat(
            "version: 1\nstart: 2022-03-01T00:00:00Z\n", more,
            "jobs: {trace: jobs.csv, format: relative, defaults: {accelerator: "
            "v100, max_delay: 12h, runtime: known}}\n"
            "regions:\n"
            "  - {name: here, intensity: here.csv, column: ci_lca, price: "
            "price.csv}\n"
            "  - {name: there, intensity: there.csv, column: ci_lca, price: "
            "flat.csv}\n"
            "sites:\n"
            "  - {name: a, region: here, pue: 1.5, pools: [{accelerator: v100, "
            "count: 4, active_watts: 500",
            hourly_,
            "}]}\n"
            "  - {name: b, region: there, pue: 1.5, pools: [{accelerator: "
            "v100, count: 4, active_watts: 500}]}\n"
            "policies: [fcfs]\n"));
    return RunScenario(
        {.scenario = path, .policies = {policy}, .output = "json"});
  }

  std::string hourly_;
  const TemporaryFolder folder_;
};

class TwoCurrenciesTest : public MoneyTest {
 protected:
  TwoCurrenciesTest() {
    std::string flat = "utc,price,currency\n";
    for (int h = 0; h < 96; ++h) {
      absl::StrAppend(&flat, Stamp(h), ",100,USD/MWh\n");
    }
    folder_.Write("flat.csv", flat);
  }
};

TEST_F(MoneyTest, CostsWhatItsEnergyCosts) {
  const nlohmann::json run = Run("fcfs");
  // 2 × 500 W × 1.5 × 2 h = 3 kWh at 0.30.
  EXPECT_NEAR(run["electricity_cost"]["amount"], 0.9, 1e-9);
  EXPECT_EQ(run["electricity_cost"]["currency"], "EUR");
  EXPECT_TRUE(run["accelerator_cost"].is_null());
  EXPECT_EQ(run["unpriced_energy_kwh"], 0);
}

TEST_F(MoneyTest, ChargesAcceleratorsApart) {
  hourly_ = ", price_per_hour: 2.5";
  const nlohmann::json run = Run("fcfs", "money: {currency: EUR}\n");
  EXPECT_NEAR(run["electricity_cost"]["amount"], 0.9, 1e-9);
  EXPECT_NEAR(run["accelerator_cost"]["amount"], 2 * 2 * 2.5, 1e-9);
  EXPECT_THAT(Play("fcfs").error, HasSubstr("money.currency"));
}

TEST_F(MoneyTest, DecidesNothingUnlessItIsGivenAWeight) {
  const nlohmann::json run = Run("planner");
  EXPECT_NEAR(run["co2e_g"], 300, 1e-6);
  EXPECT_NEAR(run["electricity_cost"]["amount"], 0.9, 1e-9);
}

TEST_F(MoneyTest, MovesThePlanAsFarAsItsWeightGoes) {
  // Six hours later it emits 60 g more and costs 1.05 less.
  EXPECT_NEAR(Run("planner:money_g_per_unit=50")["co2e_g"], 300, 1e-6);
  const nlohmann::json run = Run("planner:money_g_per_unit=70");
  EXPECT_NEAR(run["co2e_g"], 360, 1e-6);
  EXPECT_NEAR(run["electricity_cost"]["amount"], -0.15, 1e-9);
}

TEST_F(MoneyTest, WaitsNoLongerThanTheWeightOfWaitingAllows) {
  // Waiting 6 h with two accelerators: 12 accelerator-hours against 13.5 g.
  EXPECT_NEAR(Run("planner:money_g_per_unit=70,wait_g_per_h=1")["co2e_g"], 360,
              1e-6);
  EXPECT_NEAR(Run("planner:money_g_per_unit=70,wait_g_per_h=1.2")["co2e_g"],
              300, 1e-6);
}

TEST_F(TwoCurrenciesTest, AreReportedApart) {
  const nlohmann::json run = Run("fcfs");
  EXPECT_TRUE(run["electricity_cost"].is_null());
  ASSERT_EQ(run["costs"].size(), 2);
  EXPECT_EQ(run["costs"][0]["currency"], "EUR");
  EXPECT_NEAR(run["costs"][0]["electricity"]["amount"], 0.9, 1e-9);
  EXPECT_EQ(run["costs"][1]["currency"], "USD");
}

TEST_F(TwoCurrenciesTest, CanNotShareOneWeight) {
  EXPECT_THAT(Play("planner:money_g_per_unit=1").error,
              AllOf(HasSubstr("there"), HasSubstr("USD"), HasSubstr("EUR")));
}

TEST_F(TwoCurrenciesTest, AreOneAtARateThatTheOperatorStates) {
  const nlohmann::json run = Run("planner:money_g_per_unit=70",
                                 "money: {currency: EUR, rates: {USD: 0.9}}\n");
  EXPECT_EQ(run["electricity_cost"]["currency"], "EUR");
  EXPECT_NEAR(run["electricity_cost"]["amount"], -0.15, 1e-9);
}

TEST(ParetoTest, HasCostForItsThirdGoal) {
  std::vector<SweepRow> rows(3);
  rows[0].co2e_g.mean = 10;
  rows[1].co2e_g.mean = 12;
  rows[2].co2e_g.mean = 12;
  rows[0].cost.mean = 9;
  rows[1].cost.mean = 5;
  rows[2].cost.mean = 6;
  MarkPareto(rows);
  EXPECT_TRUE(rows[0].pareto);
  EXPECT_TRUE(rows[1].pareto);
  EXPECT_FALSE(rows[2].pareto);
}

}  // namespace
}  // namespace ccsched::testing
