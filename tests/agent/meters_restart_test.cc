// What an attempt took while its node had no agent, by counters that went on.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/attempt_meter.h"
#include "agent/boot_clock.h"
#include "agent/meter.h"
#include "agent/meter_bank.h"
#include "agent/rapl.h"
#include "scheduler/wire/proto_time.h"
#include "tests/agent/meters_fixture.h"

namespace ccsched {
namespace {

// An attempt on one device, over a restart of its agent: what the next agent's
// first sample says of the time since.
class RestartTest : public MetersTest {
 protected:
  RestartTest() {
    attempt_.accelerators = {0};
    attempt_.started = absl::UnixEpoch();
  }
  std::unique_ptr<AttemptMeter> Agent() const {
    NodeMeters meters;
    meters.accelerators =
        std::make_unique<MeterBank>(OpenNvml(CCSCHED_FAKE_NVML_LIBRARY), 1);
    auto agent = std::make_unique<AttemptMeter>(std::move(meters), 1);
    v1::Registered clock;
    clock.set_active_watts(400);
    agent->set_clock(ClusterTime(clock));
    return agent;
  }
  void Counter(const std::string& millijoules) const {
    Put("nvml", millijoules + " 300000 100 0 0 60 0\n");
  }
  // Ten seconds after the start, at `later` millijoules.
  v1::EnergySample Next(const std::optional<v1::CountersSeen>& seen,
                        const std::string& later) {
    Counter(later);
    const auto agent = Agent();
    AttemptMeter::State state;
    state.counted.until = attempt_.started;
    agent->TakeUp(attempt_, seen, kNanosPerSecond, state);
    const auto samples = agent->Sample(
        {{.id = {1, 1}, .attempt = &attempt_, .state = &state, .cpu_ns = 0}},
        10 * kNanosPerSecond);
    return samples.at(0);
  }

  KnownAttempt attempt_;
};

TEST_F(RestartTest, ACounterThatWentOnSaysWhatWasUsedMeanwhile) {
  Counter("5000");
  const auto seen = Agent()->Begin(attempt_, 0).counters;
  ASSERT_TRUE(seen);
  const v1::EnergySample sample = Next(seen, "1205000");
  EXPECT_EQ(sample.method(), "measured");
  EXPECT_DOUBLE_EQ(sample.joules(), 1200);
  EXPECT_FALSE(sample.has_accelerator_utilisation());
}

TEST_F(RestartTest, WhatTheCounterCannotSayIsEstimated) {
  Counter("5000");
  const auto seen = Agent()->Begin(attempt_, 0).counters;
  ASSERT_TRUE(seen);
  v1::CountersSeen other_boot = *seen;
  other_boot.set_boot_id("another");
  v1::CountersSeen other_meter = *seen;
  other_meter.set_meter("dcgm");
  for (const auto& sample :
       {Next(seen, "4999"), Next(std::nullopt, "1205000"), Next(seen, "-"),
        Next(other_boot, "1205000"), Next(other_meter, "1205000")}) {
    EXPECT_EQ(sample.method(), "estimated");
    EXPECT_DOUBLE_EQ(sample.joules(), 4000);
  }
}

// An attempt on one of four accelerators that have no meter, charged for the
// host, over a restart of its agent.
class HostRestartTest : public MetersTest {
 protected:
  HostRestartTest() {
    attempt_.accelerators = {0};
    attempt_.started = absl::UnixEpoch();
  }
  void Counter(int64_t package_j, int64_t dram_j) const {
    const auto zone = [&](const std::string& at, const std::string& name,
                          int64_t joules) {
      Put(at + "/name", name + "\n");
      Put(at + "/max_energy_range_uj", "262143000000\n");
      Put(at + "/energy_uj", absl::StrCat(joules, "000000\n"));
    };
    zone("intel-rapl:0", "package-0", package_j);
    zone("intel-rapl:0:1", "dram", dram_j);
  }
  std::unique_ptr<AttemptMeter> Agent(bool share = true) const {
    NodeMeters meters;
    meters.host = Rapl::Open(folder_);
    meters.share_host = share;
    auto agent = std::make_unique<AttemptMeter>(std::move(meters), 4);
    agent->set_clock(ClusterTime(v1::Registered()));  // the model says 0 W
    return agent;
  }
  // What an agent had seen when it was killed, at these joules.
  std::optional<v1::CountersSeen> Seen(int64_t package_j, int64_t dram_j) {
    Counter(package_j, dram_j);
    return Agent()->Begin(attempt_, 0).counters;
  }
  // The next agent's first sample: it comes `gap` later, at these joules, and
  // sees 36 J more within nine seconds.
  v1::EnergySample Next(const std::optional<v1::CountersSeen>& seen,
                        absl::Duration gap, int64_t package_j, int64_t dram_j) {
    Counter(package_j, dram_j);
    const auto agent = Agent();
    AttemptMeter::State state;
    state.counted.until = attempt_.started;
    const int64_t came = absl::ToInt64Nanoseconds(gap);
    agent->TakeUp(attempt_, seen, came, state);
    Counter(package_j + 30, dram_j + 6);
    const std::vector<v1::EnergySample> samples = agent->Sample(
        {{.id = {1, 1}, .attempt = &attempt_, .state = &state, .cpu_ns = 0}},
        came + 9 * kNanosPerSecond);
    EXPECT_FALSE(state.host_bridged) << "it is charged once";
    return samples.at(0);
  }

  KnownAttempt attempt_;
};

TEST_F(HostRestartTest, WhatTheHostTookMeanwhileIsChargedByWhatItHeld) {
  const auto seen = Seen(1000, 500);
  ASSERT_TRUE(seen);
  const v1::EnergySample sample = Next(seen, absl::Seconds(2), 1400, 540);
  EXPECT_EQ(sample.method(), "estimated");
  EXPECT_DOUBLE_EQ(sample.joules(), (400 + 40) / 4.0 + 36 / 4.0);
  EXPECT_FALSE(Agent(false)->Begin(attempt_, 0).counters) << "not asked for";
}

TEST_F(HostRestartTest, OneTurnOfACounterIsUndone) {
  const auto seen = Seen(262100, 500);
  const v1::EnergySample sample = Next(seen, absl::Seconds(2), 357, 500);
  EXPECT_DOUBLE_EQ(sample.joules(), 400 / 4.0 + 36 / 4.0);
}

TEST_F(HostRestartTest, WhatTheCountersCannotSayIsNotInvented) {
  const auto seen = Seen(1000, 500);
  ASSERT_TRUE(seen);
  v1::CountersSeen other_boot = *seen;
  other_boot.set_boot_id("another");
  v1::CountersSeen fewer = *seen;
  fewer.mutable_host_microjoules()->RemoveLast();
  const absl::Duration soon = absl::Seconds(2);
  for (const v1::EnergySample& sample : {
           Next(other_boot, soon, 1400, 540),
           Next(fewer, soon, 1400, 540),
           Next(std::nullopt, soon, 1400, 540),
           // More than it can have taken: it was set anew.
           Next(seen, soon, 900, 540),
           // It may have come around once more, at a thousand watts.
           Next(seen, absl::Seconds(263), 1400, 540),
       }) {
    EXPECT_DOUBLE_EQ(sample.joules(), 36 / 4.0);
  }
}

}  // namespace
}  // namespace ccsched
