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
#include "tests/providers/misbehaving_server.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "s3cret-key";

std::string Sample(const std::string& name) {
  std::ifstream in(CCSCHED_SOURCE_DIR "/tests/providers/samples/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class FakeClock : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Duration ToReal(absl::Duration d) const override { return d; }
  absl::Time now =
      absl::FromCivil(absl::CivilHour(2030, 1, 2, 6), absl::UTCTimeZone());
};

class ProviderTest : public ::testing::Test {
 protected:
  ProviderTest() : http_(MakeCurlClient()) {
    ::setenv("CCSCHED_TEST_KEY", kKey, 1);
    deps_.http = http_.get();
    deps_.clock = &clock_;
    deps_.pause = [this](absl::Duration d) {
      pauses_.push_back(d);
      clock_.now += d;
      return true;
    };
    region_.set_name("XX");
    config_.set_name("electricity-maps");
    config_.set_zone("XX-TEST");
    config_.set_key_env("CCSCHED_TEST_KEY");
    config_.set_url(server_.url() + "/v4");
    config_.mutable_timeout()->set_seconds(5);
  }

  std::unique_ptr<Provider> Make() {
    auto provider = MakeProvider(region_, config_, deps_);
    EXPECT_TRUE(provider.ok()) << provider.status();
    return *std::move(provider);
  }
  PollResult Poll() { return Make()->Poll(clock_.now); }
  std::string MakeError() {
    return std::string(
        MakeProvider(region_, config_, deps_).status().message());
  }

  FakeClock clock_;
  MisbehavingServer server_;
  std::unique_ptr<HttpClient> http_;
  std::vector<absl::Duration> pauses_;
  ProviderDeps deps_;
  v1::RegionConfig region_;
  v1::ProviderConfig config_;
};

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
  EXPECT_TRUE(absl::IsResourceExhausted(Poll().status));
  EXPECT_TRUE(pauses_.empty());
  EXPECT_EQ(server_.requests().size(), 2);  // one a signal
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

class PollerTest : public ProviderTest {
 protected:
  PollerTest() {
    *region_.add_provider() = config_;
    *cluster_.add_regions() = region_;
  }
  std::unique_ptr<Poller> MakePoller() {
    auto poller = Poller::Make(
        cluster_, &clock_,
        [this](v1::GridSeries s) {
          const std::lock_guard lock(mutex_);
          delivered_.push_back(std::move(s));
          some_.notify_all();
        },
        absl::ZeroDuration());
    EXPECT_TRUE(poller.ok()) << poller.status();
    return *std::move(poller);
  }
  void GoodServer() {
    server_.Then([](const httplib::Request& q, httplib::Response& r) {
      r.set_content(Sample(q.path.ends_with("history")
                               ? "electricity_maps_history.json"
                               : "electricity_maps_forecast.json"),
                    "application/json");
    });
  }

  v1::ClusterConfig cluster_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<v1::GridSeries> delivered_;
};

TEST_F(PollerTest, DeliversWhatIsNewAndNothingTwice) {
  GoodServer();
  const auto poller = MakePoller();
  poller->PollDue();
  ASSERT_EQ(delivered_.size(), 2);
  EXPECT_EQ(delivered_[0].region(), "XX");
  EXPECT_TRUE(delivered_[0].actual());
  EXPECT_EQ(delivered_[0].source(), "electricity-maps");
  EXPECT_EQ(delivered_[1].intensity_size(), 73);
  poller->PollDue();  // not due yet
  EXPECT_EQ(server_.requests().size(), 2);
  clock_.now += absl::Hours(1);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 4);
  EXPECT_EQ(delivered_.size(), 2);
}

TEST_F(PollerTest, ARevisedHourIsDeliveredAlone) {
  std::string revised = Sample("electricity_maps_history.json");
  const size_t at = revised.find("\"carbonIntensity\": 103");
  revised.replace(at, 22, "\"carbonIntensity\": 555");
  server_.Then(200, Sample("electricity_maps_history.json"))
      .Then(200, Sample("electricity_maps_forecast.json"))
      .Then(200, revised)
      .Then(200, Sample("electricity_maps_forecast.json"));
  const auto poller = MakePoller();
  poller->PollDue();
  clock_.now += absl::Hours(1);
  poller->PollDue();
  ASSERT_EQ(delivered_.size(), 3);
  EXPECT_THAT(delivered_[2].intensity(), ElementsAre(555));
  EXPECT_EQ(delivered_[2].start().seconds() % 86400, 3 * 3600);
}

TEST_F(PollerTest, ARestartFetchesNothingTwice) {
  GoodServer();
  MakePoller()->PollDue();
  const auto before = delivered_;
  delivered_.clear();
  const auto poller = MakePoller();
  for (const auto& s : before) poller->Resume(s, clock_.now);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 2);
  clock_.now += absl::Hours(1);
  poller->PollDue();
  EXPECT_EQ(server_.requests().size(), 4);
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(PollerTest, AFailureIsTriedAgainSoonerThanTheNextTurnAndIsVisible) {
  server_.Then(401);
  const auto poller = MakePoller();
  poller->PollDue();
  const ProviderState state = poller->States().at(0);
  EXPECT_TRUE(absl::IsUnauthenticated(state.last_status));
  EXPECT_FALSE(state.last_good.has_value());
  EXPECT_EQ(state.next, clock_.now + absl::Minutes(1));
}

TEST_F(PollerTest, StopsAtOnceWhileAServerHangs) {
  server_.ThenHang();
  auto poller = MakePoller();
  poller->Start();
  while (server_.requests().empty()) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  poller.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(PollerTest, ItsThreadDelivers) {
  GoodServer();
  const auto poller = MakePoller();
  poller->Start();
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(some_.wait_for(lock, std::chrono::seconds(20),
                             [this] { return delivered_.size() == 2; }));
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
  const auto alone = ToGridSeries("XX", {share});
  ASSERT_EQ(alone.size(), 1);
  EXPECT_EQ(alone[0].basis(), "");
}

}  // namespace
}  // namespace ccsched
