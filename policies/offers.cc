// What policies that never defer would offer a job.
// SPDX-License-Identifier: Apache-2.0
#include "policies/offers.h"

#include <algorithm>

namespace ccsched {

std::vector<Choice> OffersNow(const PolicyInput& in, const Job& job,
                              const JobShape& shape) {
  const absl::Duration length =
      in.runtimes.Remaining(job, shape, job.executed).mean;
  std::vector<Choice> offers;
  for (const PoolId pool : in.placements[shape.placement]) {
    Choice offer = {.pool = pool, .start = in.now};
    if (const Forecast* forecast = in.forecast(pool)) {
      offer.carbon = forecast->PerKilowatt(in.now, in.now + length) *
                     (in.topology.GridPower(pool, shape.count).value() / 1000);
      offer.valid = true;
    }
    offers.push_back(offer);
  }
  std::stable_partition(offers.begin(), offers.end(), [&](const Choice& offer) {
    return in.pools[offer.pool.value()].free >= shape.count;
  });
  return offers;
}

}  // namespace ccsched
