// Electricity prices from the configured files, handed to the engine.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_PRICE_FEED_H_
#define CCSCHED_SCHEDULER_DAEMON_PRICE_FEED_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/price_series.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/event.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

// Not thread safe.
class PriceFeed {
 public:
  // Reads the regions' files; paths are relative to `config_file`. Errors:
  // those of ReadPriceCsv.
  static absl::StatusOr<PriceFeed> Load(const Cluster& cluster,
                                        const std::string& config_file);

  // Appends what the engine does not know yet.
  void Update(std::vector<Event>& events);

  // By region; null where there is no price.
  absl::Span<const std::shared_ptr<const PriceSeries>> prices() const {
    return prices_;
  }
  // What a row of the ledger cost: the electricity of its energy (PUE
  // included), as far as a price was published for all of its time, and the
  // accelerators' own price. Nothing where no price is known at all.
  std::optional<CostRow> CostOf(const EmissionRow& row, PoolId pool,
                                uint32_t count, const Topology& topology) const;

 private:
  std::vector<std::shared_ptr<const PriceSeries>> prices_;
  bool told_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_PRICE_FEED_H_
