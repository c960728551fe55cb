// What is read from a CSV of grid data, and what is refused by file and line.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/grid_csv.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::StatusOr<GridColumn> Parse(const std::string& text,
                                 const std::string& column = "ci_lca",
                                 GapRule gaps = GapRule::kRefuse) {
  return ParseGridCsv(text, "grid.csv", column, gaps);
}

std::string Error(const std::string& text, const std::string& column = "ci_lca",
                  GapRule gaps = GapRule::kRefuse) {
  const auto result = Parse(text, column, gaps);
  EXPECT_FALSE(result.ok()) << text;
  return std::string(result.status().message());
}

constexpr char kOurs[] =
    "utc,ci_lca,ci_direct,cfe_pct,estimated\n"
    "2021-01-01T00:00:00Z,317.31,238.71,44.72,0\n"
    "2021-01-01T01:00:00Z,328.81,248.48,42.43,1\n";

TEST(GridCsvTest, ReadsOurLayout) {
  const auto column = Parse(kOurs);
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_THAT(column->series.values(), ElementsAre(317.31, 328.81));
  EXPECT_THAT(column->estimated, ElementsAre(false, true));
  EXPECT_EQ(column->basis, "average-lifecycle");
  EXPECT_EQ(column->series.start(),
            absl::FromCivil(absl::CivilHour(2021, 1, 1), absl::UTCTimeZone()));
  EXPECT_EQ(column->series.step(), absl::Hours(1));
}

TEST(GridCsvTest, TakesTheLifecycleColumnIfNoneIsNamed) {
  EXPECT_EQ(Parse(kOurs, "")->series.values()[0], 317.31);
  EXPECT_EQ(Parse(kOurs, "ci_direct")->basis, "average-direct");
}

constexpr char kPortalRow[] =
    "2021-01-01 00:00:00,Germany,Germany,DE,449.07,526.77,50.01,29.43,"
    "entsoe.eu,true,TIME_SLICER_AVERAGE\n"
    "2021-01-01 01:00:00,Germany,Germany,DE,455.08,533.40,49.59,28.78,"
    "entsoe.eu,false,\n";

TEST(GridCsvTest, ReadsThePortalsLayoutAsDownloaded) {
  const std::string text = absl::StrCat(
      "\xEF\xBB\xBF"
      "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh "
      "(direct),Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,"
      "Renewable Percentage,Data Source,Data Estimated,Data Estimation "
      "Method\r\n",
      kPortalRow);
  const auto lca = Parse(text, "ci_lca");
  ASSERT_TRUE(lca.ok()) << lca.status();
  EXPECT_THAT(lca->series.values(), ElementsAre(526.77, 533.4));
  EXPECT_THAT(lca->estimated, ElementsAre(true, false));
  EXPECT_THAT(Parse(text, "ci_direct")->series.values(),
              ElementsAre(449.07, 455.08));
  EXPECT_THAT(Parse(text, "cfe_pct")->series.values(),
              ElementsAre(50.01, 49.59));
  EXPECT_THAT(Parse(text, "renewable_pct")->series.values(),
              ElementsAre(29.43, 28.78));
}

TEST(GridCsvTest, ReadsThePortalsRenamedHeaders) {
  const std::string text = absl::StrCat(
      "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh "
      "(direct),Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy "
      "percentage (CFE%),Renewable energy percentage (RE%),Data source,Data "
      "estimated,Data estimation method\n",
      kPortalRow);
  EXPECT_THAT(Parse(text, "ci_lca")->series.values(),
              ElementsAre(526.77, 533.4));
  EXPECT_THAT(Parse(text, "cfe_pct")->series.values(),
              ElementsAre(50.01, 49.59));
  EXPECT_THAT(Parse(text, "renewable_pct")->series.values(),
              ElementsAre(29.43, 28.78));
  EXPECT_THAT(Parse(text, "")->estimated, ElementsAre(true, false));
}

TEST(GridCsvTest, NamesFileLineColumnAndValueOfWhatIsWrong) {
  const auto bad = [](const std::string& second) {
    return Error(absl::StrCat("utc,ci_lca\n2021-01-01T00:00:00Z,1\n", second));
  };
  EXPECT_EQ(bad("2021-01-01T01:00:00Z,abc\n"),
            "grid.csv:3: ci_lca: \"abc\" is not a number");
  EXPECT_EQ(bad("2021-01-01T01:00:00Z,-5\n"),
            "grid.csv:3: ci_lca: -5 is negative");
  EXPECT_EQ(bad("2021-01-01T01:00:00Z,380000\n"),
            "grid.csv:3: ci_lca: 380000 is more than any grid emits; "
            "gCO2e/kWh is needed");
  EXPECT_EQ(bad("2021-01-01T01:00:00Z,inf\n"),
            "grid.csv:3: ci_lca: \"inf\" is not a number");
  EXPECT_THAT(bad("2021-01-01T01:00:00Z,NaN\n"),
              StartsWith("grid.csv:3: ci_lca: no value from "
                         "2021-01-01T01:00:00Z"));
  EXPECT_THAT(bad("2021-01-01T01:00:00Z,\n"), HasSubstr("no value"));
  EXPECT_EQ(bad("2021-01-01T01:00:00Z\n"),
            "grid.csv:3: 1 fields, but the header has 2");
  EXPECT_EQ(bad("yesterday,1\n"),
            "grid.csv:3: utc: \"yesterday\" is not a UTC time");
  EXPECT_EQ(bad("2021-02-30T00:00:00Z,1\n"),
            "grid.csv:3: utc: \"2021-02-30T00:00:00Z\" is not a UTC time");
  EXPECT_EQ(bad("2021-01-01T00:00:00Z,1\n"),
            "grid.csv:3: 2021-01-01T00:00:00Z is there already, on line 2");
  EXPECT_EQ(bad("2020-12-31T23:00:00Z,1\n"),
            "grid.csv:3: 2020-12-31T23:00:00Z is out of order: line 2 has "
            "2021-01-01T00:00:00Z");
}

TEST(GridCsvTest, RefusesAShareBeyondHundred) {
  EXPECT_EQ(Error("utc,cfe_pct\n2021-01-01T00:00:00Z,100.1\n", "cfe_pct"),
            "grid.csv:2: cfe_pct: 100.1 is not a share in %");
}

TEST(GridCsvTest, ReadsNegativePrices) {
  EXPECT_THAT(
      Parse("utc,price\n2021-01-01T00:00:00Z,-3.5\n", "price")->series.values(),
      ElementsAre(-3.5));
}

TEST(GridCsvTest, RefusesHeadersThatDoNotFit) {
  EXPECT_EQ(Error("time,ci\n2021-01-01T00:00:00Z,1\n"),
            "grid.csv:1: no column of times in UTC (\"utc\" or \"Datetime "
            "(UTC)\") among: time, ci");
  EXPECT_EQ(Error("utc,ci\n2021-01-01T00:00:00Z,1\n"),
            "grid.csv:1: no column \"ci_lca\" among: utc, ci");
  EXPECT_THAT(Error("utc,ci_lca,ci_lca\n"), HasSubstr("two columns"));
  EXPECT_THAT(Error("utc,moer (lbs/MWh)\n", "moer (lbs/MWh)"),
              HasSubstr("pounds"));
  EXPECT_EQ(Error("utc,ci_lca\n"), "grid.csv:1: no rows of data");
  EXPECT_EQ(Error(""), "grid.csv:1: no rows of data");
}

// Hours 0 to `hours`, without those in [from, to).
std::string WithGap(int hours, int from, int to) {
  std::string text = "utc,ci_lca\n";
  const absl::Time start =
      absl::FromCivil(absl::CivilHour(2021, 1, 1), absl::UTCTimeZone());
  for (int h = 0; h < hours; ++h) {
    if (h >= from && h < to) continue;
    absl::StrAppend(
        &text,
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", start + absl::Hours(h),
                         absl::UTCTimeZone()),
        ",", h % 24 * 10, "\n");
  }
  return text;
}

TEST(GridCsvTest, RefusesAGapByNameUnlessToldToFillIt) {
  EXPECT_EQ(Error(WithGap(48, 30, 32)),
            "grid.csv:32: ci_lca: rows are missing from 2021-01-02T06:00:00Z "
            "to 2021-01-02T08:00:00Z (gaps: interpolate would fill it)");
}

TEST(GridCsvTest, FillsAShortGapByALineAndMarksIt) {
  const auto column = Parse(WithGap(48, 30, 32), "", GapRule::kInterpolate);
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_EQ(column->filled, 2);
  EXPECT_DOUBLE_EQ(column->series.values()[30], 60);
  EXPECT_DOUBLE_EQ(column->series.values()[31], 70);
  EXPECT_FALSE(column->estimated[29]);
  EXPECT_TRUE(column->estimated[30]);
  EXPECT_TRUE(column->estimated[31]);
  EXPECT_FALSE(column->estimated[32]);
}

TEST(GridCsvTest, FillsALongGapWithTheSameHourOfTheDayBefore) {
  const auto column = Parse(WithGap(96, 30, 60), "", GapRule::kInterpolate);
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_EQ(column->filled, 30);
  for (int h = 30; h < 60; ++h) {
    EXPECT_DOUBLE_EQ(column->series.values()[h], h % 24 * 10);
    EXPECT_TRUE(column->estimated[h]);
  }
}

TEST(GridCsvTest, FillsNoGapOfMoreThanAWeek) {
  EXPECT_THAT(Error(WithGap(400, 100, 269), "", GapRule::kInterpolate),
              HasSubstr("more than 7 days: not filled"));
}

TEST(GridCsvTest, EmptyValuesAtTheEndsShortenTheSeriesWhenFilling) {
  const std::string text =
      "utc,price\n2021-01-01T00:00:00Z,\n2021-01-01T01:00:00Z,4\n"
      "2021-01-01T02:00:00Z,5\n2021-01-01T03:00:00Z,\n";
  EXPECT_THAT(Error(text, "price"), HasSubstr("grid.csv:2: price: no value"));
  const auto column = Parse(text, "price", GapRule::kInterpolate);
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_THAT(column->series.values(), ElementsAre(4, 5));
  EXPECT_EQ(absl::ToUnixSeconds(column->series.start()) % 86400, 3600);
}

TEST(GridCsvTest, TextAndNegativeValuesAreErrorsEvenWhenFilling) {
  const std::string head = "utc,ci_lca\n2021-01-01T00:00:00Z,1\n";
  EXPECT_THAT(
      Error(head + "2021-01-01T01:00:00Z,x\n", "", GapRule::kInterpolate),
      HasSubstr("not a number"));
  EXPECT_THAT(
      Error(head + "2021-01-01T01:00:00Z,-1\n", "", GapRule::kInterpolate),
      HasSubstr("negative"));
}

TEST(GridCsvTest, ReadsStepsOfFiveMinutesAndRefusesRowsBetweenThem) {
  const std::string head =
      "utc,ci_lca\n2021-01-01T00:00Z,1\n2021-01-01T00:05Z,2\n"
      "2021-01-01T00:10Z,3\n";
  EXPECT_EQ(Parse(head)->series.step(), absl::Minutes(5));
  EXPECT_EQ(Error(head + "2021-01-01T00:17Z,3\n"),
            "grid.csv:5: 2021-01-01T00:17:00Z does not lie on the file's "
            "steps of 5m");
}

TEST(GridCsvTest, TimesWithAnOffsetMakeDaylightSavingDaysWhole) {
  // Europe/Berlin, 2020-03-29: 01:00+01:00 is followed by 03:00+02:00.
  const auto column = Parse(
      "utc,ci_lca\n2020-03-29T00:00:00+01:00,1\n"
      "2020-03-29T01:00:00+01:00,2\n2020-03-29T03:00:00+02:00,3\n");
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_EQ(column->series.values().size(), 3);
  // The same in local time without an offset is a gap, by name.
  EXPECT_THAT(Error("utc,ci_lca\n2020-03-29 00:00:00,1\n2020-03-29 "
                    "01:00:00,2\n2020-03-29 03:00:00,3\n"),
              HasSubstr("rows are missing from 2020-03-29T02:00:00Z"));
}

// A day on which clocks change shows it; all other days are as wrong.
TEST(GridCsvTest, ATimeWithoutAZoneIsReadOnlyWhereItsColumnSaysUtc) {
  const std::string rows = "2020-06-29 00:00:00,1\n2020-06-29 01:00:00,2\n";
  EXPECT_THAT(Error("datetime,ci_lca\n" + rows),
              StartsWith("grid.csv:2: datetime: \"2020-06-29 00:00:00\" has no "
                         "zone"));
  EXPECT_THAT(Error("Datetime (Local),ci_lca\n" + rows),
              StartsWith("grid.csv:1: no column of times in UTC"));
  for (const char* name :
       {"utc", "time_utc", "UTC time", "Datetime (UTC)", "timestamp_utc"}) {
    EXPECT_TRUE(Parse(absl::StrCat(name, ",ci_lca\n", rows)).ok()) << name;
  }
  EXPECT_TRUE(Parse("datetime,ci_lca\n2020-06-29 00:00:00+00:00,1\n").ok());
  EXPECT_TRUE(Parse("timestamp,ci_lca\n2020-06-29T00:00:00Z,1\n").ok());
}

TEST(GridCsvTest, RefusesIntensitiesInOtherUnitsByName) {
  const auto unit = [](const char* name) {
    return std::string(Parse(absl::StrCat("utc,Carbon intensity ", name,
                                          " (LCA)\n2021-01-01T00:00:00Z,0.3\n"))
                           .status()
                           .message());
  };
  EXPECT_THAT(unit("kgCO2eq/kWh"), StartsWith("grid.csv:1: column \"Carbon "
                                              "intensity kgCO2eq/kWh (LCA)\" "
                                              "is in kg/kwh"));
  for (const char* wrong :
       {"kg CO₂/kWh", "tCO2e/MWh", "gCO2/MWh", "gCO2/MJ", "lb/MWh", "kg/GWh"}) {
    EXPECT_THAT(unit(wrong), HasSubstr("gCO2e/kWh is needed")) << wrong;
  }
  for (const char* right : {"gCO₂eq/kWh", "g/kWh", "gCO2/kWh", "kgCO2/MWh",
                            "kg/MWh", "t/GWh", "grams CO2 per kWh", ""}) {
    EXPECT_EQ(unit(right), "") << right;
  }
}

TEST(GridCsvTest, ShareBecomesIntensityByTheResidualFactorOnly) {
  const auto cfe = Parse(kOurs, "cfe_pct");
  const auto column = IntensityFromCfe(*cfe, GramsPerKwh(500));
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_NEAR(column->series.values()[0], 0.5528 * 500, 1e-9);
  EXPECT_THAT(column->estimated, ElementsAre(true, true));
  EXPECT_EQ(column->basis, "average-residual");
  EXPECT_FALSE(IntensityFromCfe(*Parse(kOurs), GramsPerKwh(500)).ok());
  EXPECT_FALSE(IntensityFromCfe(*cfe, GramsPerKwh(0)).ok());
}

TEST(GridCsvTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_EQ(ReadGridCsv("no-such.csv", "", GapRule::kRefuse).status().code(),
            absl::StatusCode::kNotFound);
}

std::string Traces() {
  const char* dir = std::getenv("CCSCHED_TRACES");
  return dir != nullptr ? dir : CCSCHED_SOURCE_DIR "/../shared/traces";
}

TEST(GridCsvTest, ReadsEveryRealZoneWithoutAGap) {
  const std::string dir = Traces() + "/carbon";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << "no traces in " << dir;
  for (const char* zone :
       {"US-CAL-CISO", "US-MIDA-PJM", "US-TEX-ERCO", "DE", "GB", "CA-ON"}) {
    const auto column = ReadGridCsv(
        absl::StrCat(dir, "/", zone, "_2021_2022.csv"), "", GapRule::kRefuse);
    ASSERT_TRUE(column.ok()) << column.status();
    EXPECT_EQ(column->series.values().size(), 17520) << zone;
  }
}

TEST(GridCsvTest, ReadsNoDeviceWithoutEnd) {
  EXPECT_EQ(ReadGridCsv("/dev/zero", "", GapRule::kRefuse).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ccsched
