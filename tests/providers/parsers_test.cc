// Answers of grid data services: as they should be, and as they should not.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/parsers.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/providers/xml.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time k2030 =
    absl::FromCivil(absl::CivilYear(2030), absl::UTCTimeZone());

std::string Sample(const std::string& name) {
  std::ifstream in(CCSCHED_SOURCE_DIR "/tests/providers/samples/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  EXPECT_FALSE(result.ok());
  return std::string(result.status().message());
}

ElectricityMapsRequest Asked(bool actual,
                             absl::Time now = k2030 + absl::Hours(30)) {
  return {{"", "average-lifecycle", now, std::nullopt}, "XX-TEST", actual};
}

TEST(ElectricityMapsTest, ReadsTheHistory) {
  const auto updates = ParseElectricityMaps(
      Sample("electricity_maps_history.json"), Asked(true));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 1);
  const GridUpdate& u = (*updates)[0];
  EXPECT_EQ(u.source, "electricity-maps");
  EXPECT_EQ(u.signal, GridSignal::kIntensity);
  EXPECT_EQ(u.basis, "average-lifecycle");
  EXPECT_TRUE(u.actual);
  EXPECT_EQ(u.series.start(), k2030);
  EXPECT_EQ(u.series.step(), absl::Hours(1));
  EXPECT_EQ(u.series.values()[0], 100);
  EXPECT_EQ(u.series.values()[4], 104);
  EXPECT_FALSE(u.estimated[0]);
}

TEST(ElectricityMapsTest, ReadsAForecastOf73HoursThatHoldsNoMoreThanItMust) {
  const auto updates = ParseElectricityMaps(
      Sample("electricity_maps_forecast.json"), Asked(false, k2030));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 1);
  EXPECT_EQ((*updates)[0].series.values().size(), 73);
  EXPECT_FALSE((*updates)[0].actual);
  EXPECT_EQ((*updates)[0].issued, k2030);
}

TEST(ElectricityMapsTest, ReadsTheLatestValueAndItsMark) {
  const auto updates =
      ParseElectricityMaps(Sample("electricity_maps_latest.json"), Asked(true));
  ASSERT_TRUE(updates.ok()) << updates.status();
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(111));
  EXPECT_THAT((*updates)[0].estimated, ElementsAre(true));
  EXPECT_EQ((*updates)[0].issued, k2030 + absl::Minutes(24));
}

TEST(ElectricityMapsTest, ReadsSharesAsShares) {
  for (const char* name : {"electricity_maps_cfe_latest.json",
                           "electricity_maps_cfe_forecast.json"}) {
    const auto updates = ParseElectricityMaps(Sample(name), Asked(true));
    ASSERT_TRUE(updates.ok()) << updates.status();
    EXPECT_EQ((*updates)[0].signal, GridSignal::kCarbonFree);
  }
}

TEST(ElectricityMapsTest, RefusesWhatWasNotAskedFor) {
  const std::string body = Sample("electricity_maps_history.json");
  ElectricityMapsRequest other = Asked(true);
  other.zone = "DE";
  EXPECT_THAT(Message(ParseElectricityMaps(body, other)),
              HasSubstr("is of zone XX-TEST, not of DE"));
  other = Asked(true);
  other.context.basis = "average-direct";
  EXPECT_THAT(Message(ParseElectricityMaps(body, other)),
              HasSubstr("history[0] has lifecycle factors where average-direct "
                        "was asked for"));
  EXPECT_THAT(Message(ParseElectricityMaps(
                  Sample("electricity_maps_error_401.json"), Asked(true))),
              HasSubstr("answered: Request unauthorized"));
}

TEST(ElectricityMapsTest, NamesTheRowThatIsWrong) {
  const auto with = [](const std::string& rows) {
    return ParseElectricityMaps(
        absl::StrCat(R"({"zone":"XX-TEST","history":[)", rows, "]}"),
        Asked(true));
  };
  const std::string good =
      R"({"carbonIntensity":5,"datetime":"2030-01-01T00:00:00.000Z"})";
  const std::string t1 = R"("datetime":"2030-01-01T01:00:00Z"})";
  EXPECT_THAT(Message(with(good + R"(,{"carbonIntensity":-5,)" + t1)),
              HasSubstr("intensity at 2030-01-01T01:00:00Z: -5 is not 0 or"));
  EXPECT_THAT(Message(with(good + R"(,{"carbonIntensity":null,)" + t1)),
              HasSubstr("history[1].carbonIntensity is missing"));
  EXPECT_THAT(Message(with(good + R"(,{"carbonIntensity":"NaN",)" + t1)),
              HasSubstr("history[1].carbonIntensity: \"NaN\" is not a number"));
  EXPECT_THAT(Message(with(good + R"(,{"carbonIntensity":1e999,)" + t1)),
              HasSubstr("electricity-maps"));
  EXPECT_THAT(Message(with(good + R"(,{"carbonIntensity":7,"datetime":7})")),
              HasSubstr("history[1].datetime: 7 is not a time"));
  EXPECT_THAT(Message(with(good + ",17")), HasSubstr("history[1]"));
  EXPECT_THAT(Message(with("")), HasSubstr("no values"));
  EXPECT_THAT(
      Message(with(good + "," + absl::StrReplaceAll(good, {{":5", ":6"}}))),
      HasSubstr("two values for 2030-01-01T00:00:00Z: 5 and 6"));
  EXPECT_THAT(
      Message(ParseElectricityMaps(
          Sample("electricity_maps_history.json").substr(0, 900), Asked(true))),
      HasSubstr("is not JSON, or was cut off"));
  for (const char* body :
       {"", "null", "[]", "17", "{}", "<html>", "\xff\xfe"}) {
    EXPECT_FALSE(ParseElectricityMaps(body, Asked(true)).ok()) << body;
  }
  EXPECT_FALSE(
      ParseElectricityMaps(std::string(100000, '['), Asked(true)).ok());
}

TEST(ElectricityMapsTest, AGapSplitsShuffledRowsSortAndEqualOnesCountOnce) {
  const auto updates = ParseElectricityMaps(
      R"({"zone":"XX-TEST","data":[
        {"carbonIntensity":4,"datetime":"2030-01-01T04:00:00Z"},
        {"carbonIntensity":1,"datetime":"2030-01-01T01:00:00Z"},
        {"carbonIntensity":0,"datetime":"2030-01-01T00:00:00Z"},
        {"carbonIntensity":1,"datetime":"2030-01-01T01:00:00Z"}]})",
      Asked(true));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2);
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(0, 1));
  EXPECT_THAT((*updates)[1].series.values(), ElementsAre(4));
  EXPECT_EQ((*updates)[1].series.start(), k2030 + absl::Hours(4));
}

TEST(ElectricityMapsTest, AClockThatIsAheadMakesNoActualValuesOfTheFuture) {
  const absl::Time now = k2030 + absl::Hours(2);
  const auto updates = ParseElectricityMaps(
      Sample("electricity_maps_history.json"), Asked(true, now));
  ASSERT_TRUE(updates.ok()) << updates.status();
  EXPECT_EQ((*updates)[0].series.values().size(), 3);  // the current hour too
  EXPECT_LE((*updates)[0].issued, now);
}

const absl::Time k2022 =
    absl::FromCivil(absl::CivilDay(2022, 7, 15), absl::UTCTimeZone());

TEST(WattTimeTest, PoundsBecomeGramsAndAreMarginal) {
  const auto updates = ParseWattTime(Sample("watttime_forecast.json"),
                                     "CAISO_NORTH", false, k2030);
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 1);
  const GridUpdate& u = (*updates)[0];
  EXPECT_EQ(u.basis, "marginal-direct");
  EXPECT_EQ(u.issued, k2022);
  EXPECT_EQ(u.series.step(), absl::Minutes(5));
  EXPECT_EQ(u.series.values().size(), 12);
  EXPECT_NEAR(u.series.values()[0], 870 * .45359237, 1e-9);
}

TEST(WattTimeTest, KeepsHistoricalForecastsByTheirIssue) {
  const auto updates = ParseWattTime(
      Sample("watttime_forecast_historical.json"), "CAISO_NORTH", false, k2030);
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2);
  EXPECT_EQ((*updates)[0].issued, k2022);
  EXPECT_EQ((*updates)[1].issued, k2022 + absl::Minutes(5));
}

TEST(WattTimeTest, RefusesOtherUnitsSignalsAndRegions) {
  const std::string body = Sample("watttime_historical.json");
  EXPECT_TRUE(ParseWattTime(body, "CAISO_NORTH", true, k2030).ok());
  const auto with = [&](const char* from, const char* to) {
    return Message(ParseWattTime(absl::StrReplaceAll(body, {{from, to}}),
                                 "CAISO_NORTH", true, k2030));
  };
  EXPECT_THAT(with("lbs_co2_per_mwh", "kg_co2_per_mwh"),
              HasSubstr("meta.units: \"kg_co2_per_mwh\""));
  EXPECT_THAT(with("co2_moer", "health_damage"), HasSubstr("health_damage"));
  EXPECT_THAT(with("CAISO_NORTH", "PJM"), HasSubstr("of region PJM"));
  EXPECT_THAT(with("300", "0"), HasSubstr("period_seconds: 0"));
  EXPECT_EQ(*ParseWattTimeLogin(Sample("watttime_login.json")),
            "header.payload.signature");
  EXPECT_FALSE(ParseWattTimeLogin("[]").ok());
}

TEST(GbTest, ReadsNationalHalfHoursBothForecastAndActual) {
  const auto updates = ParseGbCarbonIntensity(
      R"({"data":[
        {"from":"2030-01-01T00:00Z","to":"2030-01-01T00:30Z",
         "intensity":{"forecast":266,"actual":263,"index":"moderate"}},
        {"from":"2030-01-01T00:30Z","to":"2030-01-01T01:00Z",
         "intensity":{"forecast":250,"actual":null,"index":"moderate"}}]})",
      k2030 + absl::Minutes(40));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2);
  EXPECT_TRUE((*updates)[0].actual);
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(263));
  EXPECT_THAT((*updates)[1].series.values(), ElementsAre(266, 250));
  EXPECT_EQ((*updates)[1].series.step(), absl::Minutes(30));
  EXPECT_EQ((*updates)[1].basis, "average-direct");
}

TEST(GbTest, ReadsARegionsNestedData) {
  const auto updates = ParseGbCarbonIntensity(
      R"({"data":{"regionid":3,"shortname":"North West","data":[
        {"from":"2030-01-01T00:00Z","to":"2030-01-01T00:30Z",
         "intensity":{"forecast":66,"index":"low"},
         "generationmix":[{"fuel":"gas","perc":8.4}]}]}})",
      k2030);
  ASSERT_TRUE(updates.ok()) << updates.status();
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(66));
}

TEST(GbTest, PassesOnTheServicesError) {
  EXPECT_THAT(
      Message(ParseGbCarbonIntensity(
          R"({"error":{"code":"400 Bad Request","message":"Please enter"}})",
          k2030)),
      HasSubstr("answered: Please enter"));
}

TEST(CarbonAwareSdkTest, ReadsForecastsAndPastValues) {
  const AnswerContext context = {"", "average-lifecycle",
                                 k2030 + absl::Hours(9), std::nullopt};
  const auto forecast = ParseCarbonAwareSdk(
      R"([{"generatedAt":"2030-01-01T00:03:30.1234567Z","location":"westus",
        "windowSize":5,"optimalDataPoints":[],"forecastData":[
        {"location":"westus","timestamp":"2030-01-01T00:05:00+00:00",
         "duration":5,"value":359.2},
        {"location":"westus","timestamp":"2030-01-01T00:10:00+00:00",
         "duration":5,"value":358.8}]}])",
      "westus", false, context);
  ASSERT_TRUE(forecast.ok()) << forecast.status();
  EXPECT_THAT((*forecast)[0].series.values(), ElementsAre(359.2, 358.8));
  EXPECT_EQ((*forecast)[0].series.step(), absl::Minutes(5));
  EXPECT_GT((*forecast)[0].issued, k2030 + absl::Minutes(3));
  const auto past = ParseCarbonAwareSdk(
      R"([{"location":"westus","time":"2030-01-01T00:00:00+00:00",
         "rating":100,"duration":"01:00:00"}])",
      "westus", true, context);
  ASSERT_TRUE(past.ok()) << past.status();
  EXPECT_EQ((*past)[0].series.step(), absl::Hours(1));
  EXPECT_THAT(Message(ParseCarbonAwareSdk(R"({"title":"Not Implemented"})",
                                          "westus", true, context)),
              HasSubstr("answered: Not Implemented"));
}

TEST(EntsoeTest, FillsA03ForwardAndLeavesConsumptionOut) {
  const auto updates = ParseEntsoe(Sample("entsoe_a75_a03.xml"),
                                   LifecycleFactors(), k2030 + absl::Hours(6));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2);  // intensity, carbon-free share
  // Hydro alone: pumping, which goes out, does not count.
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(24, 24, 24, 24));
  EXPECT_THAT((*updates)[1].series.values(), ElementsAre(100, 100, 100, 100));
  EXPECT_EQ((*updates)[0].issued, k2030 + absl::Hours(6));
  EXPECT_EQ((*updates)[0].factors, "lifecycle-ipcc2014/1");
}

std::string Entsoe(const std::string& series) {
  return absl::StrCat("<?xml version=\"1.0\"?><GL_MarketDocument xmlns=\"u\">",
                      series, "</GL_MarketDocument>");
}
std::string EntsoeSeries(const std::string& type, const std::string& curve,
                         const std::string& points,
                         const std::string& resolution = "PT60M") {
  return absl::StrCat(
      "<TimeSeries><inBiddingZone_Domain.mRID>X</inBiddingZone_Domain.mRID>"
      "<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>",
      curve, "</curveType><MktPSRType><psrType>", type,
      "</psrType></MktPSRType><Period><timeInterval><start>2030-01-01T00:00Z"
      "</start><end>2030-01-01T03:00Z</end></timeInterval><resolution>",
      resolution, "</resolution>", points, "</Period></TimeSeries>");
}
std::string Point(int position, const std::string& quantity) {
  return absl::StrCat("<Point><position>", position, "</position><quantity>",
                      quantity, "</quantity></Point>");
}

TEST(EntsoeTest, AHourInWhichATypeIsMissingIsUnknownNotSmaller) {
  const auto updates = ParseEntsoe(
      Entsoe(EntsoeSeries("B05", "A01",
                          Point(1, "100") + Point(2, "100") + Point(3, "100")) +
             EntsoeSeries("B14", "A01", Point(1, "100") + Point(3, "300"))),
      LifecycleFactors(), k2030 + absl::Hours(6));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 4);
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre((820 + 12) / 2.0));
  EXPECT_EQ((*updates)[1].series.start(), k2030 + absl::Hours(2));
  EXPECT_THAT((*updates)[1].series.values(), ElementsAre((820 + 3 * 12) / 4.0));
}

TEST(EntsoeTest, QuarterHoursAreAveragedWhereAnotherTypeHasHours) {
  std::string quarters;
  for (int i = 1; i <= 12; ++i) {
    quarters += Point(i, i <= 4 ? std::to_string(i * 40) : "100");
  }
  const auto updates =
      ParseEntsoe(Entsoe(EntsoeSeries("B14", "A01", quarters, "PT15M") +
                         EntsoeSeries("B05", "A03", Point(1, "100"))),
                  LifecycleFactors(), k2030 + absl::Hours(6));
  ASSERT_TRUE(updates.ok()) << updates.status();
  EXPECT_EQ((*updates)[0].series.step(), absl::Hours(1));
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre(416, 416, 416));
}

TEST(EntsoeTest, RefusesWhatIsWrongByName) {
  const auto parse = [](const std::string& text) {
    return Message(ParseEntsoe(text, LifecycleFactors(), k2030));
  };
  EXPECT_THAT(parse(Entsoe(EntsoeSeries("B05", "A01", Point(4, "1")))),
              HasSubstr("position \"4\" is not between 1 and 3"));
  EXPECT_THAT(parse(Entsoe(EntsoeSeries("B05", "A01", Point(1, "NaN")))),
              HasSubstr("quantity \"NaN\""));
  EXPECT_THAT(parse(Entsoe(EntsoeSeries("B05", "A02", ""))),
              HasSubstr("curve type \"A02\""));
  EXPECT_THAT(parse(Entsoe(EntsoeSeries("B05", "A01", "", "P1Y"))),
              HasSubstr("resolution \"P1Y\""));
  EXPECT_THAT(parse("<Acknowledgement_MarketDocument><Reason><code>999</code>"
                    "<text>No matching data</text></Reason>"
                    "</Acknowledgement_MarketDocument>"),
              HasSubstr("answered: No matching data"));
  const std::string sample = Sample("entsoe_a75_a03.xml");
  EXPECT_THAT(parse(absl::StrReplaceAll(sample, {{"MAW", "MWH"}})),
              HasSubstr("unit \"MWH\" is not MAW"));
  for (size_t cut = 0; cut + 2 < sample.size(); cut += 7) {
    EXPECT_FALSE(
        ParseEntsoe(sample.substr(0, cut), LifecycleFactors(), k2030).ok())
        << cut;
  }
}

TEST(XmlTest, RefusesDocumentTypesEntitiesAndDepth) {
  EXPECT_FALSE(ParseXml("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>").ok());
  EXPECT_FALSE(ParseXml("<a>&b;</a>").ok());
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseXml(deep).ok());
  EXPECT_EQ(
      ParseXml("<x:a b=\">\"><!-- c --> d &amp; <![CDATA[<e>]]></x:a>")->text,
      "d & <e>");
}

std::string EiaRow(const char* period, const char* fuel,
                   const std::string& value) {
  return absl::StrCat(
      R"({"period":")", period, R"(","respondent":"CISO","fueltype":")", fuel,
      R"(","value":)", value, R"(,"value-units":"megawatthours"})");
}
std::string EiaPage(const std::string& rows) {
  return absl::StrCat(R"({"response":{"total":"3","data":[)", rows, "]}}");
}

TEST(EiaTest, AnHourIsNamedByItsEndAndValuesMayBeText) {
  const auto updates =
      ParseEia({EiaPage(EiaRow("2030-01-01T01", "NG", "\"300\"") + "," +
                        EiaRow("2030-01-01T01", "SUN", "100") + "," +
                        EiaRow("2030-01-01T01", "BAT", "-50")),
                EiaPage(EiaRow("2030-01-01T02", "NG", "100") + "," +
                        EiaRow("2030-01-01T02", "SUN", "null"))},
               "CISO", LifecycleFactors(), k2030 + absl::Hours(6));
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2);
  EXPECT_EQ((*updates)[0].series.start(), k2030);
  // The second hour's sun is unknown, and so is the hour.
  EXPECT_THAT((*updates)[0].series.values(), ElementsAre((3 * 490 + 45) / 4.0));
  EXPECT_THAT((*updates)[1].series.values(), ElementsAre(25));
}

TEST(EiaTest, RefusesTwoValuesOfOneHourOtherUnitsAndOthersRows) {
  const auto parse = [](const std::string& rows) {
    return Message(ParseEia({EiaPage(rows)}, "CISO", LifecycleFactors(),
                            k2030 + absl::Hours(6)));
  };
  const std::string row = EiaRow("2030-01-01T01", "NG", "300");
  EXPECT_THAT(parse(row + "," + EiaRow("2030-01-01T01", "NG", "301")),
              HasSubstr("two values of NG for 2030-01-01T00:00:00Z"));
  EXPECT_THAT(parse(absl::StrReplaceAll(row, {{"megawatthours", "kilowatts"}})),
              HasSubstr("value-units: \"kilowatts\""));
  EXPECT_THAT(parse(absl::StrReplaceAll(row, {{"CISO", "PJM"}})),
              HasSubstr("of respondent PJM"));
  EXPECT_THAT(parse(EiaRow("2030-01-01", "NG", "1")), HasSubstr("not an hour"));
  EXPECT_THAT(parse(EiaRow("2030-01-01T01", "NG", "\"much\"")),
              HasSubstr("\"much\" is not a number"));
  EXPECT_THAT(Message(ParseEia({R"({"error":"API_KEY_MISSING"})"}, "CISO",
                               LifecycleFactors(), k2030)),
              HasSubstr("answered: API_KEY_MISSING"));
  EXPECT_EQ(*ParseEiaTotal(EiaPage("")), 3);
}

}  // namespace
}  // namespace ccsched
