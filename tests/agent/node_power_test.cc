// The node's board: hwmon as a directory tree, IPMI as a program, Redfish.
// SPDX-License-Identifier: Apache-2.0
#include "agent/node_power.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/attempt_meter.h"
#include "agent/boot_clock.h"
#include "agent/spawn.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/loopback.h"
#include "tests/temporary_folder.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

class NodePowerTest : public testing::Test {
 protected:
  std::string Put(const std::string& path, const std::string& text) const {
    return own_.Write(path, text);
  }
  // What it reads first.
  static std::optional<Watts> First(const NodePower& power) {
    const int64_t until = BootNanos() + 10 * kNanosPerSecond;
    std::optional<Watts> watts;
    while (!(watts = power.Latest()) && BootNanos() < until) {
    }
    return watts;
  }

  const TemporaryFolder own_;
  const std::filesystem::path folder_ = own_.path();
};

TEST_F(NodePowerTest, ReadsTheAcpiMeterOfHwmonAndNoOther) {
  Put("class/hwmon/hwmon0/name", "coretemp\n");
  Put("class/hwmon/hwmon0/power1_average", "1\n");
  Put("class/hwmon/hwmon3/name", "power_meter\n");
  Put("class/hwmon/hwmon3/power1_average", "412000000\n");
  const auto power = NodePower::Open("auto", folder_, "");
  ASSERT_TRUE(power.ok()) << power.status();
  ASSERT_NE(*power, nullptr);
  EXPECT_EQ((*power)->name(), "hwmon");
  EXPECT_EQ(First(**power), Watts(412));
}

TEST_F(NodePowerTest, WithoutABoardAutoIsNothingAndWhatIsNamedIsAnError) {
  const auto none = NodePower::Open("auto", folder_, "");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, nullptr);
  EXPECT_THAT(
      std::string(NodePower::Open("hwmon", folder_, "").status().message()),
      HasSubstr("no power can be read"));
  EXPECT_THAT(
      std::string(NodePower::Open("steam", folder_, "").status().message()),
      HasSubstr("steam"));
}

TEST_F(NodePowerTest, AMeterThatSaysNothingIsForAutoNone) {
  Put("class/hwmon/hwmon0/name", "power_meter\n");
  Put("class/hwmon/hwmon0/power1_average", "0\n");
  const auto power = NodePower::Open("auto", folder_, "");
  ASSERT_TRUE(power.ok()) << power.status();
  EXPECT_EQ(*power, nullptr);
  EXPECT_FALSE(NodePower::Open("hwmon", folder_, "").ok());
}

TEST_F(NodePowerTest, WhatOpenReadIsTheFirstValue) {
  Put("class/hwmon/hwmon0/name", "power_meter\n");
  Put("class/hwmon/hwmon0/power1_average", "150000000\n");
  const auto power = NodePower::Open("hwmon", folder_, "");
  ASSERT_TRUE(power.ok()) << power.status();
  EXPECT_EQ((*power)->Latest(), Watts(150));
}

TEST_F(NodePowerTest, AsksIpmiByItsProgram) {
  const std::string program =
      Put("ipmitool",
          "#!/bin/sh\n[ \"$*\" = 'dcmi power reading' ] || exit 1\n"
          "echo\necho '    Instantaneous power reading:                   218 "
          "Watts'\necho '    Minimum during sampling period:      10 Watts'\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const auto power = NodePower::Open("ipmi:" + program, "/sys", "");
  ASSERT_TRUE(power.ok()) << power.status();
  EXPECT_EQ(First(**power), Watts(218));
}

TEST_F(NodePowerTest, AsksRedfishWithItsLogin) {
  const LoopbackListener listener;
  std::string asked;
  std::thread board([&] {
    const Fd client = listener.Accept();
    char bytes[4096];
    const ssize_t n = read(client.get(), bytes, sizeof(bytes));
    asked.assign(bytes, n > 0 ? n : 0);
    const std::string body = R"({"PowerControl":[{"PowerConsumedWatts":344}]})";
    const std::string answer = absl::StrCat(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ", body.size(),
        "\r\n\r\n", body);
    send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  const auto power =
      NodePower::Open(absl::StrCat("redfish:http://127.0.0.1:", listener.port(),
                                   "/redfish/v1/Chassis/1/Power"),
                      "/sys", Put("login", "admin:secret\n"));
  board.join();
  EXPECT_TRUE(power.ok()) << power.status();
  EXPECT_THAT(asked, HasSubstr("GET /redfish/v1/Chassis/1/Power "));
  EXPECT_THAT(asked, HasSubstr("Authorization: Basic YWRtaW46c2VjcmV0"));
}

TEST_F(NodePowerTest, UnknownIsNeverZero) {
  EXPECT_FALSE(ParseDcmiPower("DCMI request failed"));
  EXPECT_FALSE(ParseDcmiPower("Instantaneous power reading: 0 Watts"));
  EXPECT_FALSE(ParseRedfishPower("not json"));
  EXPECT_FALSE(ParseRedfishPower(R"({"PowerControl":[]})"));
  EXPECT_FALSE(
      ParseRedfishPower(R"({"PowerControl":[{"PowerConsumedWatts":null}]})"));
  EXPECT_EQ(ParseRedfishPower(R"({"Reading":118.5})"), Watts(118.5));
}

// What jobs are charged and what is left add up to what the board says.
TEST_F(NodePowerTest, TheSumsOfANodeCloseOnItsBoard) {
  NodeMeters meters;
  meters.node = std::make_unique<NodePower>(
      "board", [] { return std::optional<Watts>(Watts(500)); });
  ASSERT_EQ(First(*meters.node), Watts(500));
  AttemptMeter meter(std::move(meters), 4);
  EXPECT_EQ(meter.name(), "modelled+board");
  v1::Registered registered;
  registered.set_clock_rate(1);
  registered.set_idle_watts(40);
  registered.set_active_watts(300);
  meter.set_clock(ClusterTime(registered));
  KnownAttempt attempt;
  attempt.accelerators = {0, 1};
  attempt.started = absl::UnixEpoch();
  int64_t now = BootNanos();
  attempt.began_ns = now;
  AttemptMeter::State state = meter.Begin(attempt, now);
  meter.Node(now);
  now += 10 * kNanosPerSecond;
  const auto samples = meter.Sample(
      {{.id = {1, 1}, .attempt = &attempt, .state = &state, .cpu_ns = 0}}, now);
  ASSERT_EQ(samples.size(), 1u);
  const v1::Telemetry node = meter.Node(now);
  EXPECT_NEAR(node.node_joules(), 5000, 1);
  EXPECT_NEAR(node.unallocated_joules() + samples[0].joules(), 5000, 1);
}

}  // namespace
}  // namespace ccsched
