// Providers against a server that is slow, broken, strict or plain wrong.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/provider.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/providers/poller.h"
#include "tests/providers/provider_fixture.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ProviderTest, ElectricityMapsGivesActualValuesAndAForecast) {
  server_.Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"));
  const PollResult result = Poll();
  EXPECT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(result.updates.size(), 2);
  EXPECT_TRUE(result.updates[0].actual);
  EXPECT_EQ(result.updates[1].series.values().size(), 73);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 2);
  EXPECT_EQ(requests[0].path, "/v4/carbon-intensity/history");
  EXPECT_EQ(requests[0].get_header_value("auth-token"), kKey);
  EXPECT_EQ(requests[0].get_param_value("zone"), "XX-TEST");
  EXPECT_EQ(requests[0].get_param_value("disableCallerLookup"), "true");
  EXPECT_EQ(requests[1].get_param_value("horizonHours"), "72");
}

TEST_F(ProviderTest, WhatIsNotInThePlanIsNotAskedAgainAndTheRestServes) {
  server_.Then(200, Sample("electricity_maps_history.json"))
      .Then(401, Sample("electricity_maps_error_401.json"));
  const PollResult result = Poll();
  EXPECT_TRUE(absl::IsUnauthenticated(result.status));
  EXPECT_EQ(result.updates.size(), 1);
  EXPECT_EQ(server_.requests().size(), 2);
  EXPECT_TRUE(pauses_.empty());
  EXPECT_THAT(result.status.ToString(), HasSubstr("answered 401"));
  EXPECT_THAT(result.status.ToString(), Not(HasSubstr(kKey)));
}

TEST_F(ProviderTest, TriesAgainAfterFailuresThatPassWithLongerPauses) {
  server_.Then(500)
      .Then(503)
      .ThenCutOff("{\"zone\":")
      .Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"));
  const PollResult result = Poll();
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.updates.size(), 2);
  ASSERT_EQ(pauses_.size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_GE(pauses_[i], absl::Seconds(.5 * (1 << i)));
    EXPECT_LE(pauses_[i], absl::Seconds(1 << i));
  }
}

TEST_F(ProviderTest, GivesUpInTheEndAndSaysWhy) {
  server_.Then(500);
  const PollResult result = Poll();
  EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
  EXPECT_TRUE(result.updates.empty());
  EXPECT_EQ(server_.requests().size(), 8);  // two signals, four times each
}

TEST_F(ProviderTest, WaitsAsLongAsAServerThatHasHadEnoughAsksFor) {
  const auto too_many = [](const httplib::Request&, httplib::Response& r) {
    r.status = 429;
    r.set_header("Retry-After", "7");
  };
  server_.Then(too_many)
      .Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"));
  EXPECT_TRUE(Poll().status.ok());
  EXPECT_THAT(pauses_, ElementsAre(absl::Seconds(7)));
}

TEST_F(ProviderTest, LeavesAServerAloneThatAsksForAnHour) {
  server_.Then([](const httplib::Request&, httplib::Response& r) {
    r.status = 429;
    r.set_header("Retry-After", "3600");
  });
  const auto provider = Make();
  EXPECT_TRUE(absl::IsResourceExhausted(provider->Poll(clock_.now).status));
  EXPECT_TRUE(pauses_.empty());
  clock_.now += absl::Minutes(30);
  EXPECT_THAT(provider->Poll(clock_.now).status.ToString(),
              HasSubstr("left alone for 30m more"));
  EXPECT_EQ(server_.requests().size(), 1);
  clock_.now += absl::Minutes(30);
  provider->Poll(clock_.now).status.IgnoreError();
  EXPECT_EQ(server_.requests().size(), 2);
}

TEST_F(ProviderTest, LeavesAServerAloneUntilTheDateThatItNames) {
  server_.Then([](const httplib::Request&, httplib::Response& r) {
    r.status = 503;
    r.set_header("Retry-After", "Wed, 02 Jan 2030 08:00:00 GMT");
  });
  EXPECT_THAT(Poll().status.ToString(), HasSubstr("503"));
  EXPECT_EQ(server_.requests().size(), 1) << "two hours are too long to wait";
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(ProviderTest, AsksOnlyForWhatWasModifiedSince) {
  constexpr char kDate[] = "Wed, 02 Jan 2030 05:00:00 GMT";
  server_.Then([&](const httplib::Request& q, httplib::Response& r) {
    if (q.get_header_value("If-Modified-Since") == kDate) {
      r.status = 304;
      return;
    }
    r.set_header("Last-Modified", kDate);
    r.set_content(
        Sample(q.path.ends_with("history") ? "electricity_maps_history.json"
                                           : "electricity_maps_forecast.json"),
        "application/json");
  });
  const auto provider = Make();
  EXPECT_EQ(provider->Poll(clock_.now).updates.size(), 2);
  const PollResult second = provider->Poll(clock_.now);
  EXPECT_TRUE(second.status.ok()) << second.status;
  EXPECT_TRUE(second.updates.empty());
}

TEST_F(ProviderTest, AsksForTheCarbonFreeShareWhereItIsWanted) {
  server_.Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"))
      .Then(401, Sample("electricity_maps_error_401.json"));
  config_.set_cfe(true);
  const PollResult result = Poll();
  EXPECT_EQ(result.updates.size(), 2)
      << "what is not in the plan harms nothing";
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 4);
  EXPECT_EQ(requests[2].path, "/v4/carbon-free-energy/history");
  EXPECT_EQ(requests[3].path, "/v4/carbon-free-energy/forecast");
  config_.set_name("gb-carbon-intensity");
  region_.set_basis("average-direct");
  EXPECT_THAT(MakeError(), HasSubstr("cfe:"));
}

TEST_F(ProviderTest, DoesNotExceedItsQuota) {
  server_.Then(200, Sample("electricity_maps_history.json"));
  config_.set_requests_per_hour(3);
  const auto provider = Make();
  provider->Poll(clock_.now);
  const PollResult second = provider->Poll(clock_.now);
  EXPECT_THAT(second.status.ToString(), HasSubstr("quota of 3 requests"));
  EXPECT_EQ(server_.requests().size(), 3);
  clock_.now += absl::Hours(1);
  EXPECT_FALSE(absl::IsResourceExhausted(provider->Poll(clock_.now).status));
  EXPECT_GT(server_.requests().size(), 3);
}

TEST_F(ProviderTest, ASlowServerTimesOut) {
  server_.ThenHang();
  config_.mutable_timeout()->set_seconds(0);
  config_.mutable_timeout()->set_nanos(50'000'000);
  const PollResult result = Poll();
  EXPECT_TRUE(absl::IsDeadlineExceeded(result.status)) << result.status;
}

TEST_F(ProviderTest, AHugeBodyIsNotTakenIn) {
  server_.Then(200, std::string(3 << 20, 'x'));
  config_.set_max_bytes(1 << 20);
  const PollResult result = Poll();
  EXPECT_TRUE(absl::IsResourceExhausted(result.status));
  EXPECT_THAT(result.status.ToString(), HasSubstr("larger than 1048576 bytes"));
  EXPECT_EQ(server_.requests().size(), 2);
}

TEST_F(ProviderTest, FollowsNoRedirectionSoThatNoKeyGoesElsewhere) {
  server_.Then([](const httplib::Request&, httplib::Response& r) {
    r.set_redirect("http://127.0.0.1:1/");
  });
  EXPECT_THAT(Poll().status.ToString(), HasSubstr("answered 302"));
}

TEST_F(ProviderTest, AServerThatIsNotThereIsUnavailable) {
  config_.set_url("http://127.0.0.1:1/v4");
  EXPECT_TRUE(absl::IsUnavailable(Poll().status));
}

TEST_F(ProviderTest, AsksOnlyForWhatHasChanged) {
  const auto answer = [](const httplib::Request& q, httplib::Response& r) {
    if (q.get_header_value("If-None-Match") == "\"v1\"") {
      r.status = 304;
      return;
    }
    r.set_header("ETag", "\"v1\"");
    r.set_content(
        Sample(q.path.ends_with("history") ? "electricity_maps_history.json"
                                           : "electricity_maps_forecast.json"),
        "application/json");
  };
  server_.Then(answer);
  const auto provider = Make();
  EXPECT_EQ(provider->Poll(clock_.now).updates.size(), 2);
  const PollResult second = provider->Poll(clock_.now);
  EXPECT_TRUE(second.status.ok()) << second.status;
  EXPECT_TRUE(second.updates.empty());
}

TEST_F(ProviderTest, WattTimeLogsInWhenItsTokenHasRunOut) {
  config_.set_name("watttime");
  config_.set_url(server_.url());
  config_.set_zone("CAISO_NORTH");
  ::setenv("CCSCHED_TEST_KEY", "me:s3cret-key", 1);
  region_.set_decision_basis("marginal-direct");
  server_.Then(200, Sample("watttime_login.json"))
      .Then(200, Sample("watttime_historical.json"))
      .Then(401)
      .Then(200, Sample("watttime_login.json"))
      .Then(200, Sample("watttime_historical.json"))
      .Then(200, Sample("watttime_forecast.json"));
  const PollResult result = Poll();
  EXPECT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(result.updates.size(), 2);
  EXPECT_EQ(result.updates[1].basis, "marginal-direct");
  const auto requests = server_.requests();
  EXPECT_EQ(requests[0].get_header_value("Authorization"),
            "Basic bWU6czNjcmV0LWtleQ==");
  EXPECT_EQ(requests[1].get_header_value("Authorization"),
            "Bearer header.payload.signature");
}

TEST_F(ProviderTest, EiaReadsAllPages) {
  config_.set_name("eia");
  config_.set_zone("CISO");
  const auto page = [](const char* period) {
    return std::string(R"({"response":{"total":"7000","data":[{"period":")") +
           period + R"(","respondent":"CISO","fueltype":"NG","value":"5"}]}})";
  };
  server_.Then(200, page("2030-01-01T01")).Then(200, page("2030-01-01T02"));
  const PollResult result = Poll();
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(result.updates[0].series.values(), ElementsAre(490, 490));
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 2);
  EXPECT_EQ(requests[0].get_header_value("X-Api-Key"), kKey);
  EXPECT_THAT(requests[1].get_header_value("X-Params"),
              HasSubstr("\"offset\":5000"));
}

TEST_F(ProviderTest, EntsoesTokenIsInNoMessage) {
  config_.set_name("entsoe");
  config_.set_zone("10YXX");
  server_.Then(400, "<html>bad</html>");
  const PollResult result = Poll();
  EXPECT_EQ(server_.requests()[0].get_param_value("securityToken"), kKey);
  EXPECT_THAT(result.status.ToString(), HasSubstr("answered 400"));
  EXPECT_THAT(result.status.ToString(), Not(HasSubstr(kKey)));
}

TEST_F(ProviderTest, GbAndTheSdkNeedNoKey) {
  config_.clear_key_env();
  config_.set_name("gb-carbon-intensity");
  config_.set_zone("national");
  region_.set_basis("average-direct");
  server_.Then(200, R"({"data":[{"from":"2030-01-02T05:30Z","to":
      "2030-01-02T06:00Z","intensity":{"forecast":5,"actual":6}}]})");
  const PollResult gb = Poll();
  EXPECT_TRUE(gb.status.ok()) << gb.status;
  EXPECT_EQ(server_.requests()[0].path,
            "/v4/intensity/2030-01-02T06:00Z/pt24h");
  config_.set_name("carbon-aware-sdk");
  config_.set_factors("direct");
  MakeProvider(region_, config_, deps_).value();
}

TEST_F(ProviderTest, AConfigurationThatCantWorkIsRefusedByName) {
  config_.clear_zone();
  EXPECT_THAT(MakeError(), HasSubstr("region XX: provider electricity-maps: "
                                     "zone: missing"));
  config_.set_zone("XX-TEST");
  config_.set_key_env("CCSCHED_NO_SUCH_KEY");
  EXPECT_THAT(MakeError(), HasSubstr("CCSCHED_NO_SUCH_KEY is not set"));
  config_.set_key_env("CCSCHED_TEST_KEY");
  config_.set_factors("direct");
  EXPECT_THAT(MakeError(), HasSubstr("its values are average-direct; the "
                                     "region's basis is average-lifecycle"));
  config_.set_factors("mixed");
  EXPECT_THAT(MakeError(), HasSubstr("factors: \"mixed\""));
  config_.clear_factors();
  config_.set_url("ftp://example.org");
  EXPECT_THAT(MakeError(), HasSubstr("is not of http or https"));
  config_.set_name("oracle");
  EXPECT_THAT(MakeError(), HasSubstr("provider \"oracle\" is none of"));
}

TEST(ReadKeyTest, AFileThatOthersMayReadIsRefused) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("key." + std::to_string(::getpid()));
  std::ofstream(path) << "  s3cret-key \n";
  ::chmod(path.c_str(), 0644);
  EXPECT_THAT(std::string(ReadKey("", path.string()).status().message()),
              HasSubstr("others may read"));
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(*ReadKey("", path.string()), "s3cret-key");
  std::filesystem::remove(path);
}

TEST(ToGridSeriesTest, AShareStandsBesideTheIntensityOfItsHours) {
  GridUpdate intensity;
  intensity.source = "eia";
  intensity.actual = true;
  intensity.basis = "average-lifecycle";
  intensity.series =
      *StepSeries::Create(absl::UnixEpoch(), absl::Hours(1), {1, 2});
  intensity.estimated = {false, true};
  GridUpdate share = intensity;
  share.signal = GridSignal::kCarbonFree;
  GridUpdate other = share;
  other.series = *StepSeries::Create(absl::UnixEpoch() + absl::Hours(9),
                                     absl::Hours(1), {50});
  other.estimated = {false};
  const auto both = ToGridSeries("XX", {share, intensity, other});
  ASSERT_EQ(both.size(), 1);
  EXPECT_THAT(both[0].intensity(), ElementsAre(1, 2));
  EXPECT_THAT(both[0].cfe_pct(), ElementsAre(1, 2));
  EXPECT_THAT(both[0].estimated(), ElementsAre(false, true));
  EXPECT_EQ(both[0].factors(), "");
  share.factors = "lifecycle-ipcc2014/1";
  const auto alone = ToGridSeries("XX", {share});
  ASSERT_EQ(alone.size(), 1);
  EXPECT_EQ(alone[0].basis(), "");
  EXPECT_EQ(alone[0].factors(), "lifecycle-ipcc2014/1");
}

}  // namespace
}  // namespace ccsched
