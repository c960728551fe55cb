// Electricity prices: unknown is not free, negative is legal, one currency.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/price_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/carbon/price_csv.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPrices[] =
    "utc,price,currency\n"
    "2021-01-01T00:00:00Z,100,EUR/MWh\n"
    "2021-01-01T01:00:00Z,,EUR/MWh\n"
    "2021-01-01T02:00:00Z,-40,EUR/MWh\n"
    "2021-01-01T03:00:00Z,20,EUR/MWh\n";

absl::Time At(double hours) {
  return absl::FromUnixSeconds(1609459200) + absl::Hours(1) * hours;
}

PriceSeries Parsed(std::string_view text) {
  absl::StatusOr<PriceSeries> prices = ParsePriceCsv(text, "p.csv");
  EXPECT_TRUE(prices.ok()) << prices.status();
  return *std::move(prices);
}

std::string ErrorOf(std::string_view text) {
  return std::string(ParsePriceCsv(text, "p.csv").status().message());
}

TEST(PriceSeriesTest, LeavesHoursWithoutAPriceOutOfAccounts) {
  const PriceSeries prices = Parsed(kPrices);
  EXPECT_EQ(prices.currency(), "EUR");
  const PriceSeries::Cost cost = prices.PerKilowatt(At(0.5), At(3));
  EXPECT_NEAR(cost.money.value(), 0.05 - 0.04, 1e-12);
  EXPECT_EQ(cost.unpriced, absl::Hours(1));
}

TEST(PriceSeriesTest, IsUnknownBeyondItsEnds) {
  const PriceSeries::Cost cost = Parsed(kPrices).PerKilowatt(At(-2), At(6));
  EXPECT_NEAR(cost.money.value(), 0.1 - 0.04 + 0.02, 1e-12);
  EXPECT_EQ(cost.unpriced, absl::Hours(5));
}

TEST(PriceSeriesTest, GivesPlansAValueForEveryHour) {
  const PriceSeries prices = Parsed(kPrices);
  // A straight line between 100 and -40.
  EXPECT_NEAR(prices.Expected(At(1), At(2)).value(), 0.03, 1e-12);
  // The last day again, which here is all there is.
  EXPECT_NEAR(prices.Expected(At(4), At(5)).value(), 0.1, 1e-12);
  EXPECT_NEAR(prices.lowest().value(), -0.04, 1e-12);
}

TEST(PriceSeriesTest, ConvertsAtTheRateThatItIsGiven) {
  const PriceSeries usd = Parsed(kPrices).Converted("USD", 1.5);
  EXPECT_EQ(usd.currency(), "USD");
  EXPECT_NEAR(usd.PerKilowatt(At(0), At(1)).money.value(), 0.15, 1e-12);
}

TEST(PriceSeriesTest, CutsAWindow) {
  const PriceSeries window = Parsed(kPrices).Window(At(1), At(3));
  EXPECT_EQ(window.series().start(), At(1));
  EXPECT_EQ(window.series().end(), At(3));
  EXPECT_FALSE(window.known()[0]);
  EXPECT_TRUE(window.known()[1]);
}

TEST(PriceCsvTest, RefusesTwoCurrenciesInOneFile) {
  EXPECT_THAT(
      ErrorOf("utc,price,currency\n"
              "2021-01-01T00:00:00Z,1,EUR/MWh\n"
              "2021-01-01T01:00:00Z,1,USD/MWh\n"),
      AllOf(HasSubstr("p.csv:3"), HasSubstr("USD/MWh"), HasSubstr("EUR/MWh")));
}

TEST(PriceCsvTest, RefusesUnitsThatItDoesNotKnow) {
  EXPECT_THAT(ErrorOf("utc,price,currency\n2021-01-01T00:00:00Z,1,EUR\n"
                      "2021-01-01T01:00:00Z,1,EUR\n"),
              AllOf(HasSubstr("p.csv:2"), HasSubstr("\"EUR\"")));
  EXPECT_THAT(ErrorOf("utc,price\n2021-01-01T00:00:00Z,1\n"
                      "2021-01-01T01:00:00Z,1\n"),
              AllOf(HasSubstr("p.csv:1"), HasSubstr("currency")));
}

TEST(PriceCsvTest, AByteOrderMarkIsPassedOver) {
  EXPECT_EQ(ErrorOf("\xef\xbb\xbf"
                    "currency,utc,price\n"
                    "EUR/MWh,2026-01-05T00:00:00Z,50\n"
                    "EUR/MWh,2026-01-05T01:00:00Z,60\n"),
            "");
  EXPECT_EQ(ErrorOf("\xff\xfe"),
            "p.csv: it is in UTF-16, as its byte order mark says; save it as "
            "UTF-8");
}

TEST(PriceCsvTest, RefusesTextForAPrice) {
  EXPECT_THAT(ErrorOf("utc,price,currency\n"
                      "2021-01-01T00:00:00Z,cheap,EUR/MWh\n"),
              AllOf(HasSubstr("p.csv:2"), HasSubstr("cheap")));
}

}  // namespace
}  // namespace ccsched
