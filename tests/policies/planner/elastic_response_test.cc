// How an elastic job answers to prices.
// SPDX-License-Identifier: Apache-2.0
#include "policies/planner/elastic_response.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

constexpr int kPools = 3;
constexpr int kSlots = 30;
constexpr int kLooks = 60;
const std::vector<uint16_t> kAll = {0, 1, 2};

using Prices = std::vector<double>;  // pool by pool, a value a slot

// From one accelerator to four, its own width two, with a day's delay.
PlanJob Elastic() {
  PlanJob job;
  job.duration = 5 * kSlotUs + kSlotUs / 3;
  job.latest_end = 29 * kSlotUs;
  job.count = 2;
  job.suspendable = true;
  job.checkpoint = job.restart = kSlotUs / 12;
  job.corners = std::make_shared<const WidthCorners>(
      WidthCorners{{{1, 0.6}, {2, 1}, {4, 1.7}}});
  return job;
}

class ElasticSearchTest : public testing::Test {
 protected:
  ElasticSearchTest() {
    instance_.slots = kSlots;
    instance_.pools.resize(kPools);
    for (PlanPool& pool : instance_.pools) pool.grams.assign(kSlots, 0.0);
  }
  PriceTable TableOf(const Prices& prices) const {
    PriceTable table(instance_);
    for (int p = 0; p < kPools; ++p) {
      table.SetPrices(instance_, p, &prices[p * kSlots]);
    }
    return table;
  }
  Prices Random(class Random& random, double least, double most) const {
    Prices prices(kPools * kSlots);
    for (double& price : prices) {
      price = least + (most - least) * random.Uniform();
    }
    return prices;
  }
  // Adds `share` of what a plan takes of each slot.
  static void AddUsage(const std::vector<WideStretch>& plan, double share,
                       Prices& usage) {
    for (const WideStretch& s : plan) {
      for (int64_t k = s.start / kSlotUs; k * kSlotUs < s.end; ++k) {
        const double part =
            static_cast<double>(std::min(s.end, (k + 1) * kSlotUs) -
                                std::max(s.start, k * kSlotUs)) /
            kSlotUs;
        usage[s.pool * kSlots + k] += share * s.count * part;
      }
    }
  }

  PlanInstance instance_;
  ElasticSearch search_;
};

// The bound is concave in the prices, and what the ascent goes by must be one
// of its slopes: nowhere is the bound above the line that it draws.
TEST_F(ElasticSearchTest, TheMixedPlansAreASlopeOfTheBoundAndOneAloneIsNot) {
  class Random random(5);
  const PlanJob job = Elastic();
  double above = 0, above_alone = 0;  // the bound, by how much of it
  for (int round = 0; round < 20; ++round) {
    const Prices prices = Random(random, 50, 150);
    const PriceTable table = TableOf(prices);
    const WorthTop top = search_.Best(table, kAll, job, 100, kLooks);
    ASSERT_TRUE(top.more);
    const double duration = job.duration * (1.0 / kSlotUs);
    EXPECT_LT(top.less.useful, duration);
    EXPECT_GE(top.more->useful, duration);
    EXPECT_NEAR(top.less.useful * (1 - top.share_of_more) +
                    top.more->useful * top.share_of_more,
                duration, 1e-9);
    Prices mixed(prices.size()), alone(prices.size());
    AddUsage(search_.less(), 1 - top.share_of_more, mixed);
    AddUsage(search_.more(), top.share_of_more, mixed);
    std::vector<WideStretch> best;
    search_.At(table, kAll, job, top.best.worth, best);
    AddUsage(best, 1, alone);
    for (int trial = 0; trial < 20; ++trial) {
      const Prices change = Random(random, -2, 2);
      Prices changed = prices;
      double line = top.best.bound, line_alone = top.best.bound;
      for (size_t i = 0; i < prices.size(); ++i) {
        changed[i] += change[i];
        line += mixed[i] * change[i];
        line_alone += alone[i] * change[i];
      }
      const double bound =
          search_.Best(TableOf(changed), kAll, job, top.best.worth, kLooks)
              .best.bound;
      above = std::max(above, bound / line - 1);
      above_alone = std::max(above_alone, bound / line_alone - 1);
    }
  }
  EXPECT_LT(above, 1e-5);
  EXPECT_GT(above_alone, 1e-3);
}

}  // namespace
}  // namespace ccsched
