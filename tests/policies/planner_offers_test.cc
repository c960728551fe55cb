// What the planner offers a job that has not been submitted.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "policies/registry.h"
#include "tests/builders.h"

namespace ccsched::testing {
namespace {

// Two sites of eight; a job holds all of the west until T(5).
std::unique_ptr<Engine> BusyWest() {
  ClusterBuilder cluster;
  cluster.Site("east").Site("west");
  auto engine = cluster.Build(*MakePolicy("planner", {}));
  JobSubmitted job = Submit(*engine, 1, 8);
  job.spec.runtime = absl::Hours(5);
  const std::vector<double> dirty(48, 400), clean(48, 100);
  const std::vector<Event> events = {
      Join(1, 0, 8), Join(2, 1, 8),
      ForecastIssued{RegionId(0), HourlyForecast(dirty)},
      ForecastIssued{RegionId(1), HourlyForecast(clean)}, job};
  engine->Step(T(0), events);
  return engine;
}

JobSubmitted Asked(Engine& engine, const Placement& pools) {
  JobSubmitted job = Submit(engine, 2, 2);
  job.shape.placement = engine.InternPlacement(pools);
  job.spec.runtime = absl::Hours(2);
  job.spec.max_delay = absl::Hours(12);
  return job;
}

TEST(PlannerOffersTest, KnowTheRoomOfPoolsThatNoJobHasNamedBefore) {
  const auto engine = BusyWest();
  const JobSubmitted job = Asked(*engine, {PoolId(1)});
  const std::vector<Choice> offers = engine->Offers(T(0), job.spec, job.shape);
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].pool, PoolId(1));
  EXPECT_GE(offers[0].start, T(5));
  EXPECT_LE(offers[0].start, T(12));
}

TEST(PlannerOffersTest, SayTheWidthAtPoolsThatNoJobHasNamedBefore) {
  const auto engine = BusyWest();
  JobSubmitted job = Asked(*engine, {PoolId(1)});
  job.shape.min_count = 1;
  job.shape.max_count = 8;
  const std::vector<Choice> offers = engine->Offers(T(0), job.spec, job.shape);
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_GE(offers[0].start, T(5));
  EXPECT_GE(offers[0].count, 1u);
}

TEST(PlannerOffersTest, WhereAPromiseCantBeKeptItIsTheFirstRoomAndComesLast) {
  const auto engine = BusyWest();
  JobSubmitted job = Asked(*engine, {PoolId(1), PoolId(0)});
  job.spec.max_delay = absl::Hours(1);
  const std::vector<Choice> offers = engine->Offers(T(0), job.spec, job.shape);
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_EQ(offers[0].pool, PoolId(0));
  EXPECT_LE(offers[0].start, T(1));
  EXPECT_EQ(offers[1].pool, PoolId(1));
  EXPECT_EQ(offers[1].start, T(5));
}

}  // namespace
}  // namespace ccsched::testing
