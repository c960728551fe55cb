// Asks the providers of all regions for what is new, again and again.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(auto poller, Poller::Make(config, &clock, deliver, {}));
//   for (const GridRow& row : grids) poller->Resume(series, received);
//   poller->Start();
#ifndef CCSCHED_SCHEDULER_PROVIDERS_POLLER_H_
#define CCSCHED_SCHEDULER_PROVIDERS_POLLER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/random.h"
#include "scheduler/providers/http.h"
#include "scheduler/providers/provider.h"

namespace ccsched {

// How a region's provider has been doing.
struct ProviderState {
  std::string region, name;
  std::optional<absl::Time> last_good;
  absl::Status last_status;  // of the last poll
  absl::Time next;
};

// One thread, which only waits and fetches: nobody ever waits for it. What a
// provider lacks or gets wrong is logged and tried again; what it brought, and
// was not brought before, is delivered from that thread.
class Poller {
 public:
  using Deliver = std::function<void(v1::GridSeries)>;

  // The providers of all regions of `config`; null if there are none. `clock`
  // is real time. Errors: those of MakeProvider.
  static absl::StatusOr<std::unique_ptr<Poller>> Make(
      const v1::ClusterConfig& config, const Clock* clock, Deliver deliver,
      absl::Duration first_pause = absl::Seconds(1));
  ~Poller();  // stops within moments, whatever is being fetched

  // What is on record already, before Start: it is not delivered again, and its
  // provider is not asked before its next turn.
  void Resume(const v1::GridSeries& series, absl::Time received);
  void Start();
  // Ends the polling; States() still tells how it went. Idempotent.
  void Stop();

  // Thread safe.
  std::vector<ProviderState> States() const;

  // One turn of all providers that are due; for tests. Not after Start.
  void PollDue();

 private:
  struct Source;
  Poller(const Clock* clock, Deliver deliver);
  void Run();
  void Poll(Source& source);
  // Without the values that were delivered before.
  std::vector<GridUpdate> News(Source& source, std::vector<GridUpdate> updates);
  bool Wait(absl::Duration d);  // false when told to stop

  const Clock* const clock_;
  const Deliver deliver_;
  std::unique_ptr<HttpClient> http_;
  std::vector<std::unique_ptr<Source>> sources_;
  Random random_{0x9e3779b97f4a7c15ULL};
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;  // of the sources' states
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_POLLER_H_
