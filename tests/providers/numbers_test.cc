// Values that are no numbers: no provider lets one through.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/providers/provider_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

struct Service {
  const char* name;
  const char* zone;
  const char* basis;   // of the accounts
  const char* answer;  // with @ for the value
};

void PrintTo(const Service& service, std::ostream* out) {
  *out << service.name;
}

constexpr Service kServices[] = {
    {"electricity-maps", "XX", "average-lifecycle", R"({"zone":"XX","history":[
       {"carbonIntensity":5,"datetime":"2030-01-02T04:00:00Z"},
       {"carbonIntensity":@,"datetime":"2030-01-02T05:00:00Z"}],"forecast":[
       {"carbonIntensity":5,"datetime":"2030-01-02T06:00:00Z"},
       {"carbonIntensity":@,"datetime":"2030-01-02T07:00:00Z"}]})"},
    {"watttime", "CAISO_NORTH", "average-lifecycle", R"({"token":"t","data":[
       {"point_time":"2030-01-02T04:00:00+00:00","value":870},
       {"point_time":"2030-01-02T04:05:00+00:00","value":@}],
       "meta":{"region":"CAISO_NORTH","signal_type":"co2_moer","units":
       "lbs_co2_per_mwh","data_point_period_seconds":300,
       "generated_at":"2030-01-02T06:00:00+00:00"}})"},
    {"gb-carbon-intensity", "national", "average-direct", R"({"data":[
       {"from":"2030-01-02T05:30Z","to":"2030-01-02T06:00Z",
        "intensity":{"forecast":@,"actual":@}}]})"},
    {"carbon-aware-sdk", "westus", "average-direct", R"([{"generatedAt":
       "2030-01-02T05:00:00Z","location":"westus","forecastData":[{"location":
       "westus","timestamp":"2030-01-02T06:00:00Z","duration":5,"value":@}],
       "time":"2030-01-02T05:00:00Z","rating":@,"duration":"01:00:00"}])"},
    {"eia", "CISO", "average-lifecycle", R"({"response":{"total":"1","data":[
       {"period":"2030-01-02T05","respondent":"CISO","fueltype":"NG",
        "value":@,"value-units":"megawatthours"}]}})"},
    {"entsoe", "10YXX", "average-lifecycle",
     R"(<GL_MarketDocument><TimeSeries><inBiddingZone_Domain.mRID>10YXX
       </inBiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>
       <curveType>A01</curveType><MktPSRType>
       <psrType>B04</psrType></MktPSRType><Period><timeInterval><start>
       2030-01-02T04:00Z</start><end>2030-01-02T05:00Z</end></timeInterval>
       <resolution>PT60M</resolution><Point><position>1</position>
       <quantity>@</quantity></Point></Period></TimeSeries>
       </GL_MarketDocument>)"}};

class NumbersTest : public ProviderTest,
                    public ::testing::WithParamInterface<Service> {
 protected:
  NumbersTest() {
    config_.set_name(GetParam().name);
    config_.set_zone(GetParam().zone);
    config_.set_url(server_.url());
    region_.set_basis(GetParam().basis);
    if (config_.name() == "watttime") {
      region_.set_decision_basis("marginal-direct");
      ::setenv("CCSCHED_TEST_KEY", "me:s3cret-key", 1);
    }
    if (config_.name() == "carbon-aware-sdk") config_.set_factors("direct");
  }
  PollResult PollFor(const std::string& value) {
    server_.Then(200, absl::StrReplaceAll(GetParam().answer, {{"@", value}}));
    server_.SkipToLast();
    return Poll();
  }
};

// So that a refusal below is the value's, not the answer's.
TEST_P(NumbersTest, TakesANumber) {
  const PollResult result = PollFor("40");
  ASSERT_FALSE(result.updates.empty()) << result.status;
}

TEST_P(NumbersTest, RefusesWhatIsNone) {
  for (const char* value :
       {"NaN", "\"NaN\"", "nan", "Infinity", "\"-inf\"", "1e999", "\"1e999\"",
        "-1e999", "{}", "\"forty\""}) {
    const PollResult result = PollFor(value);
    EXPECT_TRUE(result.updates.empty()) << value;
    EXPECT_FALSE(result.status.ok()) << value;
    EXPECT_THAT(result.status.ToString(), HasSubstr(GetParam().name)) << value;
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllProviders, NumbersTest, ::testing::ValuesIn(kServices),
    [](const ::testing::TestParamInfo<Service>& info) {
      return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
    });

}  // namespace
}  // namespace ccsched
