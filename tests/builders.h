// Small builders of clusters and jobs for tests.
// SPDX-License-Identifier: Apache-2.0
//
//   ClusterBuilder cluster;
//   cluster.Site("iowa").Site("oregon");
//   std::unique_ptr<Engine> engine = cluster.Build(std::move(policy));
//   engine->Step(T(0), {Join(1, 0, 8), Submit(*engine, 1, 4)});
#ifndef CCSCHED_TESTS_BUILDERS_H_
#define CCSCHED_TESTS_BUILDERS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/carbon/forecast.h"
#include "scheduler/core/engine.h"

namespace ccsched::testing {

// Hours after the beginning of a test's time, 2021-10-03T00:00:00Z.
inline absl::Time T(double hours) {
  return absl::FromUnixSeconds(1633219200) + absl::Hours(1) * hours;
}

inline std::shared_ptr<const Forecast> HourlyForecast(
    std::vector<double> grams_per_kwh) {
  return std::make_shared<const Forecast>(
      T(0),
      *StepSeries::Create(T(0), absl::Hours(1), std::move(grams_per_kwh)));
}

// A topology of sites with one pool each, of one accelerator type "v100" (300 W
// active, 40 W idle); each site is its own region.
class ClusterBuilder {
 public:
  ClusterBuilder() { topology_.accelerators = {"v100"}; }
  // A site without nodes; Join() or the events of a test bring them.
  ClusterBuilder& Site(const std::string& name) {
    const auto n = static_cast<uint16_t>(topology_.sites.size());
    topology_.regions.push_back({name + "-grid"});
    topology_.sites.push_back({name, RegionId(n), 1.0});
    topology_.pools.push_back(
        {SiteId(n), AcceleratorId(0), Watts(40), Watts(300)});
    return *this;
  }
  std::unique_ptr<Engine> Build(std::unique_ptr<Policy> policy,
                                EngineOptions options = {}) const {
    return std::make_unique<Engine>(
        topology_, std::move(policy),
        [](std::string_view,
           const PolicyParameters&) -> absl::StatusOr<std::unique_ptr<Policy>> {
          return absl::UnimplementedError("no policies here");
        },
        std::move(options));
  }
  const Topology& topology() const { return topology_; }

 private:
  Topology topology_;
};

inline Event Join(uint32_t node, uint16_t pool, uint32_t count) {
  return NodeJoined{NodeId(node), PoolId(pool), count};
}

// A job that may run at every pool of the engine.
inline JobSubmitted Submit(Engine& engine, uint64_t id, uint32_t count = 1) {
  Placement everywhere;
  for (size_t p = 0; p < engine.topology().pools.size(); ++p) {
    everywhere.push_back(PoolId(static_cast<uint16_t>(p)));
  }
  JobSubmitted e;
  e.spec.id = JobId(id);
  e.spec.submitted = T(0);
  e.shape.placement = engine.InternPlacement(everywhere);
  e.shape.count = e.shape.min_count = e.shape.max_count = count;
  return e;
}

inline Event End(uint64_t job, uint32_t epoch, double hours,
                 Outcome outcome = Outcome::kSucceeded) {
  return AttemptEnded{.job = JobId(job),
                      .epoch = Epoch(epoch),
                      .at = T(hours),
                      .outcome = outcome};
}

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_BUILDERS_H_
