// A service of grid data, as a region is configured to use it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_PROVIDER_H_
#define CCSCHED_SCHEDULER_PROVIDERS_PROVIDER_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "scheduler/base/clock.h"
#include "scheduler/providers/fetcher.h"
#include "scheduler/providers/http.h"
#include "scheduler/providers/points.h"

namespace ccsched {

// What one poll brought: all that could be had, and the first error.
struct PollResult {
  std::vector<GridUpdate> updates;
  absl::Status status;
};

// Not thread safe.
class Provider {
 public:
  virtual ~Provider() = default;
  // Asks for the actual values of the last days and the newest forecast, as far
  // as the service has them.
  virtual PollResult Poll(absl::Time now) = 0;
};

// What providers are made with; all outlives them.
struct ProviderDeps {
  HttpClient* http = nullptr;
  const Clock* clock = nullptr;  // real time
  Fetcher::Pause pause;
  const std::atomic<bool>* stop = nullptr;
  uint64_t seed = 1;
  absl::Duration first_pause = absl::Seconds(1);  // between tries
};

// The provider that `config` of `region` describes; its key is read now.
// Errors: InvalidArgument naming region, field and value: an unknown service, a
// missing zone, a basis that is neither the region's nor its decision basis;
// FailedPrecondition for a key that can't be read.
absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(
    const v1::RegionConfig& region, const v1::ProviderConfig& config,
    const ProviderDeps& deps);

// As what goes to the scheduler, by region; a share is put beside the intensity
// of the same hours, and left out where there is only other intensity.
std::vector<v1::GridSeries> ToGridSeries(
    const std::string& region, const std::vector<GridUpdate>& updates);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_PROVIDER_H_
