// Meters on hardware that isn't there, and the arithmetic on what they read.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/dcgm_text.h"
#include "agent/device_track.h"
#include "agent/host_energy.h"
#include "agent/meter.h"
#include "agent/meter_bank.h"
#include "agent/patient_meter.h"
#include "agent/rapl.h"
#include "agent/spawn.h"
#include "scheduler/base/random.h"
#include "tests/agent/loopback.h"
#include "tests/agent/meters_fixture.h"

namespace ccsched {
namespace {

constexpr Watts kFallback(400);

TEST_F(MetersTest, NvmlReadsEveryDeviceInItsUnits) {
  Put("nvml",
      "5000 250000 75 1000 4000 61 0\n"
      "- - - - - - -\n");
  const auto meter = OpenNvml(CCSCHED_FAKE_NVML_LIBRARY);
  ASSERT_NE(meter, nullptr);
  ASSERT_EQ(meter->device_count(), 2u);
  const auto readings = meter->Read();
  EXPECT_DOUBLE_EQ(readings[0].energy->value(), 5);
  EXPECT_DOUBLE_EQ(readings[0].power->value(), 250);
  EXPECT_DOUBLE_EQ(*readings[0].utilisation, 0.75);
  EXPECT_DOUBLE_EQ(*readings[0].memory_used_bytes, 1000);
  EXPECT_DOUBLE_EQ(*readings[0].celsius, 61);
  // Unknown is never zero.
  EXPECT_FALSE(readings[1].energy);
  EXPECT_FALSE(readings[1].power);
  EXPECT_FALSE(readings[1].utilisation);
  EXPECT_FALSE(readings[1].memory_used_bytes);
}

TEST_F(MetersTest, ADeviceCutByMigHasNoUtilisation) {
  Put("nvml", "5000 250000 75 1000 4000 61 1\n");
  const auto readings = OpenNvml(CCSCHED_FAKE_NVML_LIBRARY)->Read();
  EXPECT_FALSE(readings[0].utilisation);
  EXPECT_TRUE(readings[0].energy);
}

// Else what holds the third one would be charged for the fourth.
TEST_F(MetersTest, OneThatIsLostLeavesTheOthersTheirNumbers) {
  Put("nvml",
      "5000 250000 75 1000 4000 61 0\n"
      "lost\n"
      "7000 250000 75 1000 4000 61 0\n");
  const auto meter = OpenNvml(CCSCHED_FAKE_NVML_LIBRARY);
  ASSERT_EQ(meter->device_count(), 3u);
  const auto readings = meter->Read();
  EXPECT_DOUBLE_EQ(readings[0].energy->value(), 5);
  EXPECT_FALSE(readings[1].energy);
  EXPECT_FALSE(readings[1].power);
  EXPECT_DOUBLE_EQ(readings[2].energy->value(), 7);
  Put("nvml", "lost\n");
  EXPECT_EQ(OpenNvml(CCSCHED_FAKE_NVML_LIBRARY), nullptr);
}

TEST_F(MetersTest, WithoutALibraryOrADeviceThereIsNoNvml) {
  EXPECT_EQ(OpenNvml("libno-such-library.so"), nullptr);
  Put("nvml", "");
  EXPECT_EQ(OpenNvml(CCSCHED_FAKE_NVML_LIBRARY), nullptr);
}

DeviceReading Counted(double joules, std::optional<double> watts = {}) {
  DeviceReading reading;
  reading.energy = Joules(joules);
  if (watts) reading.power = Watts(*watts);
  return reading;
}

TEST(DeviceTrackTest, BillsTheCounterWhateverThePowerSays) {
  DeviceTrack track;
  track.Feed(Counted(1000, 900), absl::ZeroDuration(), kFallback);
  track.Feed(Counted(1250, 900), absl::Seconds(1), kFallback);
  EXPECT_DOUBLE_EQ(track.total().joules.value(), 250);
  EXPECT_DOUBLE_EQ(track.total().estimated.value(), 0);
}

TEST(DeviceTrackTest, ACounterThatFallsIsStoodInForByPower) {
  DeviceTrack track;
  track.Feed(Counted(1000, 200), absl::ZeroDuration(), kFallback);
  track.Feed(Counted(3, 300), absl::Seconds(2), kFallback);
  EXPECT_DOUBLE_EQ(track.total().joules.value(), 500);
  EXPECT_DOUBLE_EQ(track.total().estimated.value(), 500);
  track.Feed(Counted(103, 300), absl::Seconds(1), kFallback);
  EXPECT_DOUBLE_EQ(track.total().joules.value(), 600);
  EXPECT_DOUBLE_EQ(track.total().estimated.value(), 500);
}

TEST(DeviceTrackTest, WhatWasNeverReadIsEstimatedNotZero) {
  DeviceTrack track;
  track.Feed(DeviceReading(), absl::ZeroDuration(), kFallback);
  track.Feed(DeviceReading(), absl::Seconds(3), kFallback);
  EXPECT_DOUBLE_EQ(track.total().joules.value(), 1200);
  EXPECT_DOUBLE_EQ(track.total().estimated.value(), 1200);
}

TEST_F(MetersTest, AnExclusiveDeviceIsBilledWholeAndASharedOneSplitAndMarked) {
  Put("nvml", "1000 1 50 0 0 0 0\n7000 1 100 0 0 0 0\n");
  for (const uint32_t slots : {2u, 4u}) {
    Put("nvml", "1000 1 50 0 0 0 0\n7000 1 100 0 0 0 0\n");
    MeterBank bank(OpenNvml(CCSCHED_FAKE_NVML_LIBRARY), slots);
    bank.Poll(kNanosPerSecond);
    const auto mark = bank.MarkOf({slots - 1});
    Put("nvml", "2000 1 50 0 0 0 0\n17000 1 100 0 0 0 0\n");
    bank.Poll(2 * kNanosPerSecond);
    const auto use = bank.Since(mark, {slots - 1});
    EXPECT_DOUBLE_EQ(use.joules.value(), slots == 2 ? 10 : 5);
    EXPECT_EQ(use.estimated, slots == 4);
    EXPECT_DOUBLE_EQ(*use.utilisation, 1);
    EXPECT_DOUBLE_EQ(bank.total().value(), 11);
  }
}

TEST_F(MetersTest, UseIsTheMeanOverTimeAndDevices) {
  Put("nvml", "0 1 80 0 0 0 0\n0 1 0 0 0 0 0\n0 1 - 0 0 0 0\n");
  MeterBank bank(OpenNvml(CCSCHED_FAKE_NVML_LIBRARY), 3);
  bank.Poll(kNanosPerSecond);
  const auto mark = bank.MarkOf({0, 1});
  const auto unknown = bank.MarkOf({2});
  bank.Poll(2 * kNanosPerSecond);
  EXPECT_DOUBLE_EQ(*bank.Since(mark, {0, 1}).utilisation, 0.4);
  Put("nvml", "0 1 20 0 0 0 0\n0 1 0 0 0 0 0\n0 1 - 0 0 0 0\n");
  bank.Poll(4 * kNanosPerSecond);
  EXPECT_DOUBLE_EQ(*bank.Since(mark, {0, 1}).utilisation, 0.2);
  EXPECT_FALSE(bank.Since(unknown, {2}).utilisation);
}

TEST_F(MetersTest, AmdIsReadFromSysfs) {
  const std::string card = "class/drm/card1/device/";
  Put(card + "vendor", "0x1002\n");
  Put(card + "gpu_busy_percent", "42\n");
  Put(card + "hwmon/hwmon3/power1_average", "301000000\n");
  Put(card + "mem_info_vram_total", "64000\n");
  Put("class/drm/card0/device/vendor", "0x8086\n");
  Put("class/drm/card1-DP-1/device/vendor", "0x1002\n");
  const auto meter = OpenAmd(folder_);
  ASSERT_NE(meter, nullptr);
  ASSERT_EQ(meter->device_count(), 1u);
  const auto reading = meter->Read()[0];
  EXPECT_DOUBLE_EQ(reading.power->value(), 301);
  EXPECT_DOUBLE_EQ(*reading.utilisation, 0.42);
  EXPECT_DOUBLE_EQ(*reading.memory_total_bytes, 64000);
  EXPECT_FALSE(reading.memory_used_bytes);
  EXPECT_EQ(OpenIntel(folder_), nullptr);  // an integrated one does not count
}

TEST_F(MetersTest, TwoDiesThatReportAsOneShareIt) {
  for (int i = 0; i < 2; ++i) {
    const std::string card = absl::StrCat("class/drm/card", i, "/device/");
    Put(card + "vendor", "0x1002\n");
    Put(card + "hwmon/hwmon0/power1_average", i == 0 ? "500000000" : "0");
  }
  const auto readings = OpenAmd(folder_)->Read();
  for (const auto& reading : readings) {
    EXPECT_DOUBLE_EQ(reading.power->value(), 250);
    EXPECT_TRUE(reading.shared);
  }
}

TEST_F(MetersTest, IntelsCounterGoesOnOverItsWraparound) {
  const std::string card = "class/drm/card0/device/";
  Put(card + "vendor", "0x8086\n");
  Put(card + "hwmon/hwmon0/energy1_input", "262143000000");
  const auto meter = OpenIntel(folder_);
  ASSERT_NE(meter, nullptr);
  const Joules before = *meter->Read()[0].energy;
  Put(card + "hwmon/hwmon0/energy1_input", "2000000");
  EXPECT_NEAR((*meter->Read()[0].energy - before).value(), 3, 1e-6);
}

TEST_F(MetersTest, RaplCountsPackagesAndMemoryOnceOverAWraparound) {
  const auto zone = [&](const std::string& at, const std::string& name,
                        const std::string& uj) {
    Put(at + "/name", name + "\n");
    Put(at + "/max_energy_range_uj", "1000000000\n");
    Put(at + "/energy_uj", uj + "\n");
  };
  zone("intel-rapl:0", "package-0", "999000000");
  zone("intel-rapl:0:0", "core", "5000000");
  zone("intel-rapl:0:1", "dram", "1000000");
  zone("intel-rapl:1", "psys", "9000000");
  zone("intel-rapl-mmio:0", "package-0", "7000000");
  const auto rapl = Rapl::Open(folder_);
  ASSERT_NE(rapl, nullptr);
  const Joules before = *rapl->Read();
  zone("intel-rapl:0", "package-0", "2000000");  // turned: +3 J
  zone("intel-rapl:0:0", "core", "50000000");
  zone("intel-rapl:0:1", "dram", "1500000");  // +0.5 J
  zone("intel-rapl:1", "psys", "90000000");
  EXPECT_NEAR((*rapl->Read() - before).value(), 3.5, 1e-9);
  std::filesystem::remove(folder_ / "intel-rapl:0:1/energy_uj");
  EXPECT_FALSE(rapl->Read());
  EXPECT_EQ(Rapl::Open(folder_ / "nowhere"), nullptr);
}

constexpr char kDcgm[] = R"(# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization.
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",modelName="A100"} 83
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a"} 288.5
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a"} 1234567
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b"} 9223372036854775794
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b"} 140737488355328.000000
DCGM_FI_PROF_SM_ACTIVE{gpu="0",UUID="GPU-a"} 0.5
DCGM_FI_DEV_GPU_TEMP{gpu="1",UUID="GPU-b"} 40
DCGM_FI_DEV_POWER_USAGE{gpu="1",GPU_I_ID="3"} 12
other_metric{gpu="2"} 5
DCGM_FI_DEV_POWER_USAGE{gpu="x
)";

TEST(DcgmTest, DropsBlanksAndReadsTheRest) {
  const auto readings = ParseDcgm(kDcgm);
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_DOUBLE_EQ(readings[0].energy->value(), 1234.567);
  EXPECT_DOUBLE_EQ(readings[0].power->value(), 288.5);
  EXPECT_DOUBLE_EQ(*readings[0].utilisation, 0.5);
  EXPECT_FALSE(readings[1].utilisation);
  EXPECT_FALSE(readings[1].power);
  EXPECT_DOUBLE_EQ(*readings[1].celsius, 40);
}

// Bytes that trickle in would keep the agent from its heartbeats.
TEST(DcgmTest, AnAnswerWithoutEndIsNotWaitedFor) {
  const LoopbackListener listener;
  std::thread server([&] {
    const Fd client = listener.Accept();
    // Until the other side has had enough.
    while (send(client.get(), "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL) > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // its pace
    }
  });
  EXPECT_EQ(OpenDcgm(absl::StrCat("127.0.0.1:", listener.port())), nullptr);
  server.join();
}

TEST(DcgmTest, IsScrapedOverHttp) {
  const LoopbackListener listener;
  std::thread server([&] {
    for (int i = 0; i < 3; ++i) {
      const Fd client = listener.Accept();
      char request[4096];
      if (recv(client.get(), request, sizeof(request), 0) <= 0) return;
      const std::string answer =
          i == 2 ? std::string("HTTP/1.1 500 no\r\n\r\n")
                 : std::string("HTTP/1.1 200 OK\r\n\r\n") + kDcgm;
      send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  });
  const auto meter = OpenDcgm(absl::StrCat("127.0.0.1:", listener.port()));
  ASSERT_NE(meter, nullptr);
  EXPECT_DOUBLE_EQ(meter->Read()[0].power->value(), 288.5);
  EXPECT_FALSE(meter->Read()[0].power) << "an error is unknown, not the last";
  server.join();
  EXPECT_EQ(OpenDcgm("127.0.0.1:1"), nullptr);
}

TEST(HostEnergyTest, IdleIsSharedByAllocationAndTheRestByCpuTime) {
  HostEnergy host(8);
  // 100 W idle is learnt from an interval without work.
  auto split = host.Close(Joules(1000), absl::Seconds(10), 0, {});
  EXPECT_DOUBLE_EQ(split.unallocated.value(), 1000);
  // Two jobs with 2 and 4 of 8; 600 J above idle, CPU time 3 : 1 : 2 (system).
  split = host.Close(
      Joules(1600), absl::Seconds(10), 6'000'000'000,
      {{.count = 2, .real = absl::Seconds(10), .cpu_ns = 3'000'000'000},
       {.count = 4, .real = absl::Seconds(10), .cpu_ns = 1'000'000'000}});
  EXPECT_DOUBLE_EQ(split.shares[0].value(), 250 + 300);
  EXPECT_DOUBLE_EQ(split.shares[1].value(), 500 + 100);
  EXPECT_DOUBLE_EQ(split.unallocated.value(), 250 + 200);
}

TEST(HostEnergyTest, OneThatBeganWithinTheIntervalHasItsPartOfTheIdlePower) {
  HostEnergy host(8);
  host.Close(Joules(1000), absl::Seconds(10), 0, {});
  const auto split =
      host.Close(Joules(1000), absl::Seconds(10), 0,
                 {{.count = 4, .real = absl::Seconds(4), .cpu_ns = 0},
                  {.count = 4, .real = absl::Seconds(10), .cpu_ns = 0}});
  EXPECT_DOUBLE_EQ(split.shares[0].value(), 200);
  EXPECT_DOUBLE_EQ(split.shares[1].value(), 500);
  EXPECT_DOUBLE_EQ(split.unallocated.value(), 300);
}

TEST(HostEnergyTest, SumsCloseOnTheMeterWhateverTheJobsDo) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    HostEnergy host(16);
    double metered = 0;
    double billed = 0;
    double unallocated = 0;
    for (int interval = 0; interval < 50; ++interval) {
      const double seconds = 1 + 9 * random.Uniform();
      for (uint64_t ended = random.Below(3); ended > 0; --ended) {
        billed +=
            host.Advance(
                    {.count = 1,
                     .real = absl::Seconds(random.Uniform()),
                     .cpu_ns = static_cast<int64_t>(random.Uniform() * 5e8)})
                .value();
      }
      std::vector<HostEnergy::Use> uses(random.Below(5));
      for (auto& use : uses) {
        use = {.count = static_cast<uint32_t>(random.Below(5)),
               .real = absl::Seconds(seconds * random.Uniform()),
               .cpu_ns = static_cast<int64_t>(random.Uniform() * 4e9)};
      }
      const double joules = seconds * (100 + 300 * random.Uniform());
      metered += joules;
      const auto split =
          host.Close(Joules(joules), absl::Seconds(seconds),
                     static_cast<int64_t>(random.Uniform() * 2e10), uses);
      for (const Joules share : split.shares) {
        EXPECT_GE(share.value(), 0);
        billed += share.value();
      }
      EXPECT_GE(split.unallocated.value(), 0);
      unallocated += split.unallocated.value();
    }
    EXPECT_NEAR(billed + unallocated, metered, 1e-6 * metered)
        << "seed " << seed;
  }
}

// One of a single device, that hangs as long as it is told to.
class HangingMeter : public Meter {
 public:
  struct Door {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    std::optional<std::promise<void>> gone;
    void Set(bool now) {
      const std::lock_guard lock(mutex);
      open = now;
      changed.notify_all();
    }
  };
  explicit HangingMeter(std::shared_ptr<Door> door) : door_(std::move(door)) {}
  ~HangingMeter() override { door_->gone->set_value(); }
  HangingMeter(const HangingMeter&) = delete;
  HangingMeter& operator=(const HangingMeter&) = delete;
  std::string name() const override { return "hanging"; }
  size_t device_count() const override { return 1; }
  std::vector<DeviceReading> Read() override {
    std::unique_lock lock(door_->mutex);
    door_->changed.wait(lock, [this] { return door_->open; });
    return {{.power = Watts(9)}};
  }

 private:
  const std::shared_ptr<Door> door_;
};

TEST(PatientMeterTest, WhatHangsIsUnknownUntilItAnswers) {
  const auto door = std::make_shared<HangingMeter::Door>();
  door->gone.emplace();
  std::future<void> gone = door->gone->get_future();
  auto meter = std::make_unique<PatientMeter>(
      std::make_unique<HangingMeter>(door), std::chrono::milliseconds(20));
  EXPECT_EQ(meter->name(), "hanging");
  for (int i = 0; i < 3; ++i) {
    const auto readings = meter->Read();
    ASSERT_EQ(readings.size(), 1u);
    EXPECT_FALSE(readings[0].power);
  }
  door->Set(true);
  while (!meter->Read()[0].power) {
  }
  EXPECT_DOUBLE_EQ(meter->Read()[0].power->value(), 9);
  door->Set(false);
  EXPECT_FALSE(meter->Read()[0].power);
  meter.reset();  // does not wait for it
  EXPECT_EQ(gone.wait_for(std::chrono::seconds(0)),
            std::future_status::timeout);
  door->Set(true);
  gone.wait();
}

}  // namespace
}  // namespace ccsched
