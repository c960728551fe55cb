// Reports in others' formats: units, names, what is unknown left empty.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/report_formats.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kStart =
    absl::FromCivil(absl::CivilDay(2022, 3, 1), absl::UTCTimeZone());

ReportEntry Bloom() {
  ReportEntry e;
  e.id = "7";
  e.name = "bloom, \"176B\"";
  e.project = "bigscience";
  e.site = "jean-zay";
  e.region = "FR";
  e.country = "France";
  e.country_code = "FRA";
  e.accelerator = "A100";
  e.accelerators = 384;
  e.start = kStart;
  e.end = kStart + absl::Hours(2);
  e.running = absl::Hours(2);
  e.pue = 1.2;
  e.energy_kwh = 433158;
  e.co2e_g = 24690000;
  e.method = "measured";
  e.intervals = {{kStart, kStart + absl::Hours(1), 200000.0, 57.0, 11400000.0},
                 {kStart + absl::Hours(1), kStart + absl::Hours(2), 233158.0,
                  57.0, 13290000.0}};
  return e;
}

// Fields of line `line`, by the header.
std::string Field(const std::string& csv, int line, const std::string& name) {
  const std::vector<std::string> lines = absl::StrSplit(csv, '\n');
  const std::vector<std::string> names = absl::StrSplit(lines[0], ',');
  const std::vector<std::string> fields = absl::StrSplit(lines[line], ',');
  const auto it = std::find(names.begin(), names.end(), name);
  EXPECT_NE(it, names.end()) << name;
  EXPECT_EQ(names.size(), fields.size());
  return fields[it - names.begin()];
}

TEST(CarbonFacts, Fact25GramsInAModelCardKilogramsInCodeCarbon) {
  ReportEntry e = Bloom();
  e.name = "bloom";
  EXPECT_THAT(*HuggingFaceCard({&e, 1}), HasSubstr("emissions: 24690000\n"));
  EXPECT_EQ(Field(CodeCarbonCsv({&e, 1}), 1, "emissions"), "24690");
}

TEST(ReportFormatsTest, CodeCarbonHasItsColumnsInItsUnits) {
  ReportEntry e = Bloom();
  e.name = "bloom";
  const std::string csv = CodeCarbonCsv({&e, 1});
  EXPECT_EQ(Field(csv, 1, "timestamp"), "2022-03-01T02:00:00");
  EXPECT_EQ(Field(csv, 1, "duration"), "7200");
  EXPECT_EQ(Field(csv, 1, "energy_consumed"), "433158");
  EXPECT_EQ(Field(csv, 1, "gpu_count"), "384");
  EXPECT_EQ(Field(csv, 1, "country_iso_code"), "FRA");
  EXPECT_EQ(Field(csv, 1, "pue"), "1.2");
  EXPECT_NEAR(std::stod(Field(csv, 1, "emissions_rate")), 24690 / 7200.0, 1e-9);
  EXPECT_NEAR(std::stod(Field(csv, 1, "gpu_power")), 433158 / 1.2 / 2 * 1000,
              1e-3);
}

TEST(ReportFormatsTest, UnknownIsEmptyAndNoCardIsMadeOfIt) {
  ReportEntry e = Bloom();
  e.name = "bloom";
  e.energy_kwh.reset();
  e.co2e_g.reset();
  EXPECT_EQ(Field(CodeCarbonCsv({&e, 1}), 1, "emissions"), "");
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1, "scope2_location_based_tco2e"), "");
  EXPECT_EQ(HuggingFaceCard({&e, 1}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  e.intervals[1].energy_kwh.reset();
  EXPECT_FALSE(MlperfPowerLogs({&e, 1}).ok());
}

TEST(ReportFormatsTest, NamesWithCommasAndQuotesAreQuoted) {
  const ReportEntry e = Bloom();
  EXPECT_THAT(CodeCarbonCsv({&e, 1}), HasSubstr("\"bloom, \"\"176B\"\"\""));
}

TEST(ReportFormatsTest, Scope2HasBothBasesSideBySide) {
  ReportEntry e = Bloom();
  e.name = "bloom";
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1, "scope2_location_based_tco2e"),
            "24.69");
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1, "scope2_market_based_tco2e"), "");
  e.net_co2e_g = 1e6;
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1, "scope2_market_based_tco2e"), "1");
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1,
                  "scope3_category3_transmission_loss_tco2e"),
            "")
      << "unknown";
  e.lost_co2e_g = 2e6;
  EXPECT_EQ(Field(GhgScope2Csv({&e, 1}), 1,
                  "scope3_category3_transmission_loss_tco2e"),
            "2");
}

TEST(ReportFormatsTest, PowerLogsHaveOneReadingASecond) {
  const ReportEntry e = Bloom();
  const auto log = MlperfPowerLogs({&e, 1});
  ASSERT_TRUE(log.ok());
  size_t readings = 0;
  for (size_t at = log->find("power_reading"); at != std::string::npos;
       at = log->find("power_reading", at + 1)) {
    ++readings;
  }
  EXPECT_EQ(readings, 7200);
  EXPECT_THAT(*log, HasSubstr("# power/result_0/node_0.txt"));
  EXPECT_THAT(*log, HasSubstr("power_measurement_stop"));
}

// Hours that follow each other, though no number of seconds divides them.
TEST(ReportFormatsTest, PowerLogsHaveAPauseOnlyWhereThereIsOne) {
  ReportEntry e = Bloom();
  e.intervals[0].start += absl::Microseconds(162'461);
  const auto log = MlperfPowerLogs({&e, 1});
  ASSERT_TRUE(log.ok());
  EXPECT_THAT(*log, Not(HasSubstr("\"power_reading\", \"value\": 0,")));
  e.intervals[1].start += absl::Seconds(1);
  EXPECT_THAT(*MlperfPowerLogs({&e, 1}),
              HasSubstr("\"power_reading\", \"value\": 0,"));
}

TEST(ReportFormatsTest, ImpactFrameworkListsTheHours) {
  const ReportEntry e = Bloom();
  const std::string yaml = ImpactFrameworkYaml({&e, 1});
  EXPECT_THAT(yaml, HasSubstr("    \"job-7\":\n      inputs:\n"
                              "        - timestamp: \"2022-03-01T00:00:00Z\"\n"
                              "          duration: 3600\n"
                              "          energy: 200000\n"
                              "          grid/carbon-intensity: 57\n"
                              "          carbon-operational: 11400000\n"));
}

TEST(ReportFormatsTest, TheSentenceSaysHowMuchWhereAndAgainstWhat) {
  ReportEntry e = Bloom();
  e.name = "bloom";
  EXPECT_EQ(ModelCardSentence(e),
            "bloom used 433158 kWh (measured, PUE 1.2 included) on 384 x "
            "A100 at jean-zay (FR) on 2022-03-01 and emitted "
            "24.69 t CO2e (location-based).");
  EXPECT_THAT(ModelCardSentence(e), Not(HasSubstr("at once")));
  e.baseline_co2e_g = 3e7;
  EXPECT_THAT(ModelCardSentence(e), HasSubstr("would have emitted 30 t."));
}

TEST(ReportFormatsTest, AnUnknownFormatIsRefused) {
  EXPECT_THAT(std::string(FormatReport("pdf", {}).status().message()),
              HasSubstr("\"pdf\" is none of"));
}

}  // namespace
}  // namespace ccsched
