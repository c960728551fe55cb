// Job requests into the model: what is taken, and what is refused by name.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/carbon/forecast.h"
#include "scheduler/wire/time.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// oslo: a100, v100; rome: v100; on two grids.
Topology TwoSites() {
  Topology t;
  t.regions = {{"NO"}, {"IT"}};
  t.sites = {{"oslo", RegionId(0), 1.1}, {"rome", RegionId(1), 1.5}};
  t.accelerators = {"a100", "v100"};
  t.pools = {
      {SiteId(0), AcceleratorId(0), Watts(50), Watts(400)},
      {SiteId(0), AcceleratorId(1), Watts(40), Watts(300)},
      {SiteId(1), AcceleratorId(1), Watts(40), Watts(300)},
  };
  return t;
}

const absl::Time kNow = ParseRfc3339("2026-01-05T12:00:00Z").value();

v1::JobSpec Parsed(const std::string& yaml) {
  v1::JobSpec job;
  const absl::Status status = ParseYaml(yaml, "job.yaml", job);
  EXPECT_TRUE(status.ok()) << status;
  if (job.command_size() == 0) job.add_command("true");
  return job;
}

absl::StatusOr<ModelJob> Converted(const std::string& yaml,
                                   const std::string& defaults = "{}") {
  v1::JobDefaults d;
  EXPECT_TRUE(ParseYaml(defaults, "defaults", d).ok());
  return ToModel(Parsed(yaml), d, TwoSites(), kNow);
}

std::string ErrorOf(const std::string& yaml,
                    const std::string& defaults = "{}") {
  const auto job = Converted(yaml, defaults);
  EXPECT_EQ(job.status().code(), absl::StatusCode::kInvalidArgument) << yaml;
  return std::string(job.status().message());
}

TEST(ToModelTest, AJobThatAsksForNothingMayRunAnywhere) {
  const ModelJob job = Converted("name: x").value();
  EXPECT_THAT(job.placement, ElementsAre(PoolId(0), PoolId(1), PoolId(2)));
  EXPECT_EQ(job.shape.count, 1);
  EXPECT_EQ(job.shape.min_count, 1);
  EXPECT_EQ(job.shape.max_count, 1);
  EXPECT_EQ(job.spec.submitted, kNow);
  EXPECT_EQ(job.spec.finish_by, absl::InfiniteFuture());
  EXPECT_EQ(job.spec.max_delay, absl::InfiniteDuration());
  EXPECT_EQ(job.spec.time_limit, absl::InfiniteDuration());
  EXPECT_FALSE(job.spec.runtime.has_value());
}

TEST(ToModelTest, TypesComeInTheUsersOrderSitesInThatOfTheCluster) {
  EXPECT_THAT(Converted("accelerator: [v100, a100]").value().placement,
              ElementsAre(PoolId(1), PoolId(2), PoolId(0)));
  EXPECT_THAT(
      Converted("site: [rome, oslo]\naccelerator: v100").value().placement,
      ElementsAre(PoolId(1), PoolId(2)));
  EXPECT_THAT(Converted("region: IT").value().placement,
              ElementsAre(PoolId(2)));
  EXPECT_THAT(Converted("accelerator: [v100, v100]").value().placement,
              ElementsAre(PoolId(1), PoolId(2)));
}

TEST(ToModelTest, DefaultsFillWhatTheJobLeavesOut) {
  const std::string defaults = "{max_delay: 12h, runtime: 1h, time_limit: 48h}";
  const ModelJob job = Converted("name: x", defaults).value();
  EXPECT_EQ(job.spec.max_delay, absl::Hours(12));
  EXPECT_EQ(job.spec.runtime, absl::Hours(1));
  EXPECT_EQ(job.spec.time_limit, absl::Hours(48));
  // A deadline is a promise of its own.
  const ModelJob by =
      Converted("finish_by: 2026-01-09T00:00:00Z", defaults).value();
  EXPECT_EQ(by.spec.max_delay, absl::InfiniteDuration());
  EXPECT_EQ(by.spec.finish_by, ParseRfc3339("2026-01-09T00:00:00Z").value());
  const ModelJob zero = Converted("max_delay: 0s", defaults).value();
  EXPECT_EQ(zero.spec.max_delay, absl::ZeroDuration());
}

// A scheduler that planned up to the year 9999 had no memory left for it.
TEST(ToModelTest, WhatNobodyPlansForBindsAsWhatIsNearer) {
  const ModelJob far = Converted("finish_by: 9999-12-31T00:00:00Z").value();
  EXPECT_EQ(far.spec.finish_by, kNow + absl::Hours(24 * 366));
  const ModelJob delay = Converted("max_delay: 80000000h").value();
  EXPECT_EQ(delay.spec.max_delay, absl::Hours(24 * 366));
  // It can be kept still.
  const ModelJob runs =
      Converted("{finish_by: 9999-12-31T00:00:00Z, runtime: 60000000h}")
          .value();
  EXPECT_EQ(runs.spec.runtime, absl::Hours(24 * 3660));
  EXPECT_EQ(runs.spec.finish_by, kNow + absl::Hours(24 * 3660));
}

TEST(ToModelTest, AnElasticJobHasItsRange) {
  const ModelJob job = Converted("{accelerators: 4, elastic: '2:8'}").value();
  EXPECT_EQ(job.shape.count, 4);
  EXPECT_EQ(job.shape.min_count, 2);
  EXPECT_EQ(job.shape.max_count, 8);
  EXPECT_EQ(Converted("{elastic: '2:8'}").value().shape.count, 8);
  EXPECT_EQ(job.shape.speedup, nullptr);
  EXPECT_EQ(job.shape.SpeedAt(8), 2);
  const ModelJob measured =
      Converted(
          "{accelerators: 4, elastic: '2:8', speedup: ["
          "{width: 0.5, speed: 0.6}, {width: 2, speed: 1.7}]}")
          .value();
  EXPECT_DOUBLE_EQ(measured.shape.SpeedAt(2), 0.6);
  EXPECT_DOUBLE_EQ(measured.shape.SpeedAt(4), 1);
  EXPECT_DOUBLE_EQ(measured.shape.SpeedAt(8), 1.7);
  EXPECT_EQ(measured.shape.WorkIn(absl::Hours(2), 8), absl::Minutes(204));
  EXPECT_FALSE(measured.shape == job.shape);
}

TEST(ToModelTest, NamesUnknownThingsAndTheNearest) {
  EXPECT_EQ(ErrorOf("site: olso"),
            "site: there is no 'olso'; did you mean 'oslo'? (known: oslo, "
            "rome)");
  EXPECT_THAT(ErrorOf("region: XX"), HasSubstr("region: there is no 'XX'"));
  EXPECT_THAT(ErrorOf("accelerator: [a100, h100]"),
              HasSubstr("accelerator: there is no 'h100'"));
  EXPECT_EQ(ErrorOf("{site: rome, accelerator: a100}"),
            "no pool of the cluster has all that was asked for: accelerator "
            "a100 site rome");
  EXPECT_THAT(ErrorOf("{site: rome, region: [NO]}"), HasSubstr("site rome"));
}

TEST(ToModelTest, RefusesADeadlineThatCannotBeKept) {
  EXPECT_EQ(ErrorOf("finish_by: 2026-01-05T11:59:59Z"),
            "finish_by: 2026-01-05T11:59:59Z is in the past; now it is "
            "2026-01-05T12:00:00Z");
  EXPECT_THAT(ErrorOf("{finish_by: 2026-01-05T13:00:00Z, runtime: 61m}"),
              HasSubstr("can't be kept"));
  EXPECT_TRUE(
      Converted("{finish_by: 2026-01-05T13:00:00Z, runtime: 60m}").ok());
  // The cluster's default runtime is a guess: it refuses nobody.
  EXPECT_TRUE(
      Converted("finish_by: 2026-01-05T13:00:00Z", "{runtime: 5h}").ok());
}

struct BadJob {
  const char *yaml, *error;
};
class BadJobTest : public testing::TestWithParam<BadJob> {};
TEST_P(BadJobTest, IsRefusedByFieldAndValue) {
  EXPECT_THAT(ErrorOf(GetParam().yaml), HasSubstr(GetParam().error));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadJobTest,
    testing::ValuesIn(std::vector<BadJob>{
        {"accelerators: 0", "accelerators: 0"},
        {"accelerators: 1000001", "accelerators: 1000001; at most"},
        {"{accelerators: 8, nodes: 3}",
         "nodes: 8 accelerators can't be spread evenly over 3 nodes"},
        {"nodes: 0", "nodes: 0"},
        {"elastic: '8:2'", "elastic: '8:2' must have 1 <= MIN <= MAX"},
        {"elastic: '0:2'", "elastic: '0:2'"},
        {"elastic: '2'", "elastic: '2' must be MIN:MAX"},
        {"elastic: '-1:2'", "elastic: '-1:2' must be MIN:MAX"},
        {"{elastic: '2:4', accelerators: 8}", "does not hold the 8"},
        {"{speedup: [{width: 1, speed: 1}]}", "the job is not elastic"},
        {"{elastic: '2:8', accelerators: 4, speedup: [{width: 1.5, speed: 1.2}"
         "]}",
         "speedup: it ends at width 1.5, but the job may have 2 times"},
        {"{elastic: '2:8', accelerators: 4, speedup: [{width: 2, speed: 0.9}]}",
         "speedup: width 2, speed 0.9: more accelerators are no slower"},
        {"{elastic: '2:4', accelerators: 4, nodes: 2}",
         "can't be had with a number of nodes"},
        {"time_limit: -1h", "time_limit: -1h is negative"},
        {"time_limit: 0s", "time_limit: 0s is no time"},
        {"runtime: -5m", "runtime: -5m is negative"},
        {"max_delay: -1s", "max_delay: -1s is negative"},
        {"grace: -1s", "grace: -1s is negative"},
        {"grace: 25h", "grace: 1d1h is more than a day"},
        {"{runtime: 2h, time_limit: 1h}",
         "runtime: 2h is longer than the time limit, 1h"},
        {"checkpoint: 5m", "checkpoint: given, but the job is not suspendable"},
        {"restart: 5m", "restart: given"},
        {"array: 0-9%0", "array: '0-9%0' must have a number of jobs"},
        {"array: 0-9%", "array: '0-9%' must have a number of jobs"},
        {"array: '%5'", "array: '%5' must be numbers"},
        {"array: 9-0", "array: '9-0' must be"},
        {"array: x", "array: 'x' must be"},
        {"array: '-5'", "array: '-5' must be"},
        {"array: 0-4294967295", "makes more than 100000 jobs"},
        {"after: 0", "after: 0 is not"},
        {"workdir: here", "workdir: 'here' must be an absolute path"},
        {"warn_signal: KILL", "warn_signal: 'KILL' must be TERM"},
        {"image: --privileged", "image: '--privileged' is not the name"},
        {"name: \"a\\nb\"", "name: 'a\\x0ab' has a control character"},
        {"name: \"a\\u009bb\"", "name: 'a\\xc2\\x9bb' has a control character"},
        {"env: {'A=B': c}", "env: 'A=B' is not"},
        {"command: ['']", "the name of the program is empty"},
    }));

TEST(CheckJobTest, BoundsEveryText) {
  const auto error = [](const std::function<void(v1::JobSpec*)>& change) {
    v1::JobSpec job;
    job.add_command("true");
    change(&job);
    return std::string(CheckJob(job).status().message());
  };
  const std::string name(257, 'x'), big(200'000, 'x');
  EXPECT_THAT(error([&](auto* j) { j->set_name(name); }),
              HasSubstr("name: 257 bytes; at most 256"));
  EXPECT_THAT(error([&](auto* j) { j->set_key(name); }), HasSubstr("key: 257"));
  EXPECT_THAT(error([&](auto* j) { j->set_project(name); }),
              HasSubstr("project: 257"));
  EXPECT_THAT(error([&](auto* j) { j->set_workdir("/" + big); }),
              HasSubstr("workdir: 200001"));
  EXPECT_THAT(error([&](auto* j) { j->add_command(big); }),
              HasSubstr("command: 200000"));
  EXPECT_THAT(error([&](auto* j) { (*j->mutable_env())["A"] = big; }),
              HasSubstr("env A: 200000"));
  EXPECT_THAT(error([&](auto* j) {
                for (int i = 0; i < 10; ++i) j->add_command(big);
              }),
              HasSubstr("job: 2000"));
  EXPECT_THAT(error([&](auto* j) {
                for (int i = 0; i < 1001; ++i) j->add_site("x");
              }),
              HasSubstr("site: 1001 of them; at most 1000"));
  EXPECT_THAT(error([&](auto* j) { j->set_array(std::string(20'000, '1')); }),
              HasSubstr("is too long"));
  EXPECT_THAT(error([&](auto* j) { j->add_command(std::string("a\0b", 3)); }),
              HasSubstr("zero byte"));
  EXPECT_THAT(error([&](auto* j) {
                j->set_script("echo");
                j->clear_command();
              }),
              HasSubstr("script: must begin with #!"));
  EXPECT_THAT(error([](auto* j) { j->clear_command(); }),
              HasSubstr("there is nothing to run"));
  // Durations that no program of ours writes.
  EXPECT_THAT(
      error([](auto* j) { j->mutable_runtime()->set_seconds(INT64_MAX); }),
      HasSubstr("out of range"));
  EXPECT_THAT(
      error([](auto* j) { j->mutable_finish_by()->set_seconds(INT64_MIN); }),
      HasSubstr("out of range"));
}

TEST(ParseArrayTest, ReadsListsRangesAndSteps) {
  EXPECT_THAT(ParseArray("0-3").value(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ParseArray("5,1,3,1").value(), ElementsAre(1, 3, 5));
  EXPECT_THAT(ParseArray("0-10:5,7").value(), ElementsAre(0, 5, 7, 10));
  EXPECT_THAT(ParseArray("4294967295").value(), ElementsAre(4294967295u));
  EXPECT_THAT(ParseArray("0-2%2").value(), ElementsAre(0, 1, 2));
  EXPECT_EQ(ArrayAtMost("0-2%2"), 2u);
  EXPECT_EQ(ArrayAtMost("0-2"), 0u);
}

TEST(CanNeverFitTest, SaysWhatTheLargestPoolHas) {
  const ModelJob job =
      Converted("{accelerators: 9, accelerator: v100}").value();
  EXPECT_THAT(std::string(CanNeverFit(job, TwoSites(), {16, 4, 8}).message()),
              HasSubstr("accelerators: 9 fit at no allowed site; the largest, "
                        "rome (v100), has 8"));
  EXPECT_THAT(std::string(CanNeverFit(job, TwoSites(), {0, 0, 0}).message()),
              HasSubstr("no allowed site has a node yet"));
}

TEST(ReasonTest, TellsTheSavingAndTheTime) {
  const Topology topology = TwoSites();
  DecisionRecord d;
  d.kind = DecisionKind::kDefer;
  d.until = kNow + absl::Hours(9);
  d.reason.code = ReasonCode::kCleanerHour;
  d.reason.chosen = {PoolId(0), d.until, GramsCo2e(47), true};
  d.reason.now = {PoolId(2), kNow, GramsCo2e(100), true};
  const OfferContext context{topology,          2,
                             absl::Hours(1),    absl::Minutes(40),
                             absl::Hours(2),    absl::Minutes(3),
                             absl::Minutes(30), kNow};
  EXPECT_EQ(ReasonText(d, kNow, context),
            "waits until 2026-01-05T21:00:00Z (9h from the decision) to run at "
            "oslo, a cleaner hour: 47.0 g CO2e instead of 100 g (-53 %)");
  const v1::Reason reason = ToProto(d, "lowest-window", kNow, context);
  EXPECT_EQ(reason.code(), "cleaner-hour");
  EXPECT_FALSE(reason.has_next());
  EXPECT_TRUE(reason.chosen().chosen());
  EXPECT_EQ(reason.chosen().site(), "oslo");
  // 2 × 400 W × 1.1 × 1 h
  EXPECT_NEAR(reason.chosen().energy_kwh(), 0.88, 1e-12);
  EXPECT_EQ(FromProto(reason.chosen().finish()), d.until + absl::Hours(1));
  // A planned start comes late now and then; one at once does not.
  EXPECT_EQ(FromProto(reason.chosen().start_p50()), d.until + absl::Minutes(3));
  EXPECT_EQ(FromProto(reason.chosen().start_p90()),
            d.until + absl::Minutes(30));
  EXPECT_EQ(FromProto(reason.chosen().finish_p50()),
            d.until + absl::Minutes(43));
  EXPECT_EQ(FromProto(reason.chosen().finish_p90()),
            d.until + absl::Minutes(150));
  EXPECT_EQ(FromProto(reason.now().start_p90()), kNow);
  EXPECT_EQ(FromProto(reason.now().finish_p90()), kNow + absl::Hours(2));
}

TEST(ReasonTest, SaysWhatIsLaterThanPromised) {
  const Topology topology = TwoSites();
  DecisionRecord d;
  d.kind = DecisionKind::kDefer;
  d.until = kNow + absl::Hours(9);
  d.reason.code = ReasonCode::kCapacity;
  d.reason.chosen = {PoolId(0), d.until, GramsCo2e(47), true};
  d.reason.now = {PoolId(2), kNow, GramsCo2e(100), true};
  OfferContext context{topology, 2};
  context.runtime = absl::Hours(1);
  context.promised_end = kNow + absl::Hours(3);
  const v1::Reason late = ToProto(d, "planner", kNow, context);
  EXPECT_EQ(late.text(),
            "waits until 2026-01-05T21:00:00Z (9h from the decision) to run at "
            "oslo, as room is short before; later than promised");
  EXPECT_EQ(late.chosen().note(), "later than promised");
  EXPECT_EQ(late.now().note(), "");
  d.kind = DecisionKind::kStart;
  d.reason.code = ReasonCode::kPromise;
  EXPECT_EQ(ReasonText(d, kNow, context),
            "runs at oslo now, as soon as there was room: later than promised");
  // As fast as at its own width it would be late; it is twice as fast there.
  context.runtime = absl::Hours(10);
  context.promised_end = kNow + absl::Hours(15);
  d.reason.chosen.count = 4;
  d.reason.chosen.speed = 2;
  EXPECT_EQ(ToProto(d.reason.chosen, context).note(), "");
  context.promised_end = d.until + absl::Hours(5) - absl::Minutes(2);
  EXPECT_EQ(ToProto(d.reason.chosen, context).note(), "later than promised");
}

TEST(ReasonTest, CarbonIsUnknownWhereNothingIsForecast) {
  const Topology topology = TwoSites();
  DecisionRecord d;
  d.kind = DecisionKind::kStart;
  d.reason.code = ReasonCode::kCleanerSite;
  d.reason.chosen = {PoolId(2), kNow, GramsCo2e(47), true};
  d.reason.now = {PoolId(0), kNow, GramsCo2e(1500), true};
  OfferContext context{topology, 1};
  std::vector<std::shared_ptr<const Forecast>> forecasts(
      topology.regions.size());
  forecasts[topology.region(PoolId(2)).value()] =
      std::make_shared<const Forecast>(
          kNow, *StepSeries::Create(kNow, absl::Hours(1), {100}));
  context.forecasts = forecasts;
  const v1::Reason reason = ToProto(d, "planner", kNow, context);
  EXPECT_EQ(reason.chosen().co2e_g(), 47);
  EXPECT_TRUE(reason.has_now());
  EXPECT_FALSE(reason.now().has_co2e_g()) << "whatever a policy assumes";
  EXPECT_THAT(reason.text(), Not(HasSubstr("CO2e")));
}

TEST(ReasonTest, EveryCodeHasASentence) {
  const Topology topology = TwoSites();
  const OfferContext context{topology, 1};
  for (int code = 1; code <= static_cast<int>(ReasonCode::kOperator); ++code) {
    DecisionRecord d;
    d.until = kNow + absl::Hours(1);
    d.reason.code = static_cast<ReasonCode>(code);
    EXPECT_GT(ReasonText(d, kNow, context).size(), 8) << code;
  }
}

TEST(GramsTextTest, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(GramsText(0), "0 g");
  EXPECT_EQ(GramsText(-1e-9), "0 g") << "what is left of a difference";
  EXPECT_EQ(GramsText(0.0123), "12.3 mg");
  EXPECT_EQ(GramsText(1.234), "1.23 g");
  EXPECT_EQ(GramsText(999.6), "1.00 kg");
  EXPECT_EQ(GramsText(-45.67), "-45.7 g");
  EXPECT_EQ(GramsText(552.123e6), "552 t");
}

v1::GridSeries Series(const std::string& yaml) {
  v1::GridSeries series;
  const absl::Status status = ParseYaml(yaml, "series", series);
  EXPECT_TRUE(status.ok()) << status;
  return series;
}

TEST(ToIntensityTest, TakesIntensityOrAShareWithItsResidual) {
  const std::string head =
      "region: DE\nstart: 2026-01-05T00:00:00Z\nstep: 1h\n";
  EXPECT_THAT(
      ToIntensity(Series(head + "intensity: [300, 310.5]"), std::nullopt)
          .value()
          .values(),
      ElementsAre(300, 310.5));
  EXPECT_THAT(
      ToIntensity(Series(head + "cfe_pct: [0, 75, 100]"), GramsPerKwh(800))
          .value()
          .values(),
      ElementsAre(800, 200, 0));
  const auto error = [&](const std::string& rest) {
    return std::string(
        ToIntensity(Series(head + rest), std::nullopt).status().message());
  };
  EXPECT_THAT(error("cfe_pct: [50]"), HasSubstr("no residual"));
  EXPECT_THAT(error("intensity: [300, -1]"),
              HasSubstr("series of DE: intensity[1]: -1 is not between"));
  EXPECT_THAT(error("cfe_pct: [101]"), HasSubstr("cfe_pct[0]: 101"));
  EXPECT_THAT(error("intensity: [1, 2]\nestimated: [true]"),
              HasSubstr("unequal length"));
  EXPECT_THAT(error("basis: x"), HasSubstr("no values"));
  v1::GridSeries still = Series(head + "intensity: [1]");
  still.mutable_step()->set_seconds(0);
  EXPECT_THAT(std::string(ToIntensity(still, std::nullopt).status().message()),
              HasSubstr("step: 0s"));
  EXPECT_THAT(std::string(ToIntensity(Series("intensity: [1]"), std::nullopt)
                              .status()
                              .message()),
              HasSubstr("no start"));
}

}  // namespace
}  // namespace ccsched
