// A provider against a server on loopback that misbehaves as it is told to.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_PROVIDERS_PROVIDER_FIXTURE_H_
#define CCSCHED_TESTS_PROVIDERS_PROVIDER_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "scheduler/base/clock.h"
#include "scheduler/providers/http.h"
#include "scheduler/providers/provider.h"
#include "tests/providers/misbehaving_server.h"

namespace ccsched {

inline constexpr char kKey[] = "s3cret-key";

// What a service answers: a file of samples/.
std::string Sample(const std::string& name);

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

}  // namespace ccsched

#endif  // CCSCHED_TESTS_PROVIDERS_PROVIDER_FIXTURE_H_
