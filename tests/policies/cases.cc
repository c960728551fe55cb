// Instances that every policy is put through.
// SPDX-License-Identifier: Apache-2.0
#include "tests/policies/cases.h"

#include <cmath>
#include <numbers>

#include "scheduler/base/random.h"
#include "tests/builders.h"

namespace ccsched::testing {
namespace {

Topology Sites() {
  ClusterBuilder cluster;
  cluster.Site("east").Site("west").Site("north");
  Topology topology = cluster.topology();
  topology.sites[1].pue = 1.2;
  topology.pools[2].active = Watts(350);
  return topology;
}

// Four days of a grid that is cleanest `phase` hours after midnight.
std::vector<double> Grid(Random& random, double mean, double swing,
                         double phase) {
  std::vector<double> values;
  for (int h = 0; h < 96; ++h) {
    const double turn = 2 * std::numbers::pi * (h - phase) / 24;
    values.push_back(mean - swing * std::cos(turn) + 20 * random.Uniform());
  }
  return values;
}

PlayJob RandomJob(Random& random, double submit_h) {
  PlayJob job;
  job.submit_h = submit_h;
  job.runtime_h = 0.05 + std::min(20.0, random.Exponential(2.0));
  job.count = 1u << random.Below(4);
  if (random.Below(4) == 0) job.believed_h = 0.1 + 4 * random.Uniform();
  if (random.Below(5) != 0) job.max_delay_h = 30 * random.Uniform();
  job.suspendable = random.Below(2) == 0;
  if (job.suspendable && random.Below(2) == 0) {
    job.checkpoint_h = job.restart_h = 1.0 / 12;
  }
  if (job.suspendable && random.Below(3) == 0) {
    job.min_count = std::max(1u, job.count / 2);
    job.max_count = job.count * 2;
  }
  if (random.Below(6) == 0) job.priority = 1;
  if (random.Below(4) == 0) {
    job.pools = {static_cast<uint16_t>(random.Below(3))};
  }
  return job;
}

}  // namespace

PlayCase MixedCase(uint64_t seed, int jobs, uint32_t room) {
  Random random(seed);
  PlayCase c;
  c.name = "mixed";
  c.topology = Sites();
  c.forecasts = {Grid(random, 400, 120, 13), Grid(random, 300, 150, 3),
                 Grid(random, 350, 60, 20)};
  for (uint16_t p = 0; p < 3; ++p) {
    for (uint32_t left = room; left > 0;) {
      const uint32_t size = std::min(left, 16u);
      c.nodes.emplace_back(p, size);
      left -= size;
    }
  }
  double submit_h = 0;
  for (int i = 0; i < jobs; ++i) {
    submit_h += random.Exponential(0.15);
    c.jobs.push_back(RandomJob(random, submit_h));
  }
  return c;
}

PlayCase AmpleCase(uint64_t seed, int jobs) {
  PlayCase c = MixedCase(seed, jobs, 16);
  c.name = "ample";
  c.ample = true;
  c.nodes = {{0, kUnlimited}, {1, kUnlimited}, {2, kUnlimited}};
  return c;
}

PlayCase SmallCase() {
  ClusterBuilder cluster;
  cluster.Site("east").Site("west");
  PlayCase c;
  c.name = "small";
  c.topology = cluster.topology();
  c.forecasts = {{300, 280, 260, 200, 150, 120, 150, 220, 300, 340, 360, 380,
                  400, 380, 360, 340, 320, 300, 300, 300, 300, 300, 300, 300},
                 {250, 260, 270, 280, 290, 300, 310, 320, 330, 340, 200, 100,
                  90,  110, 220, 300, 310, 320, 330, 330, 320, 300, 280, 260}};
  c.nodes = {{0, 8}, {1, 8}};
  c.jobs = {
      {.submit_h = 0, .runtime_h = 2, .count = 4, .max_delay_h = 6},
      {.submit_h = 0, .runtime_h = 4, .count = 4, .max_delay_h = 12},
      {.submit_h = 0.25, .runtime_h = 1, .count = 8, .max_delay_h = 3},
      {.submit_h = 0.5,
       .runtime_h = 3,
       .count = 2,
       .max_delay_h = 12,
       .suspendable = true},
      {.submit_h = 1, .runtime_h = 1, .count = 8},
      {.submit_h = 1.5, .runtime_h = 0.5, .count = 1, .max_delay_h = 2},
      {.submit_h = 2,
       .runtime_h = 4,
       .count = 2,
       .min_count = 1,
       .max_count = 4,
       .max_delay_h = 10,
       .suspendable = true,
       .checkpoint_h = 0.1,
       .restart_h = 0.1},
      {.submit_h = 2,
       .runtime_h = 2,
       .believed_h = 1,
       .count = 4,
       .max_delay_h = 8,
       .pools = {1}},
      {.submit_h = 2.5, .runtime_h = 6, .count = 8, .max_delay_h = 0},
      {.submit_h = 3,
       .runtime_h = 1,
       .count = 1,
       .max_delay_h = 24,
       .priority = 5},
  };
  return c;
}

}  // namespace ccsched::testing
