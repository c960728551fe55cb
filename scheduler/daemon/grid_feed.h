// Grid data from files and pushes, handed to the engine as the clock goes on.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_GRID_FEED_H_
#define CCSCHED_SCHEDULER_DAEMON_GRID_FEED_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/config.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "scheduler/base/ids.h"
#include "scheduler/carbon/forecast_errors.h"
#include "scheduler/carbon/forecaster.h"
#include "scheduler/carbon/grid_record.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/event.h"
#include "scheduler/wire/cluster_config.h"

namespace ccsched {

// Not thread safe.
class GridFeed {
 public:
  // Reads the regions' files; paths are relative to `config_file`.
  // Errors: those of ReadGridCsv, naming file and line.
  static absl::StatusOr<GridFeed> Load(const Cluster& cluster,
                                       const std::string& config_file);

  // Takes up a recorded series. Errors: as Accept.
  absl::Status Restore(const GridRow& row);
  // Checks a pushed series and takes it up. Returns its row for the ledger.
  // Errors: NotFound for the region; InvalidArgument naming field and value.
  absl::StatusOr<GridRow> Accept(const v1::GridSeries& series, absl::Time now);

  // Appends what the engine should now know and does not: forecasts that were
  // issued or have changed since the last call.
  void Update(absl::Time now, std::vector<Event>& events);
  // A forecast issued some time before, as recorded, from which errors are
  // learnt; in the order of issue, before the first Update.
  void LearnFrom(const GridRow& row);

  // When Update is due again if nothing is pushed: the next full hour.
  absl::Time next_update() const { return next_update_; }

  // The known future of a region over [now, now + horizon), as the engine has
  // it, with the band of its error where one is learnt; no values where nothing
  // is known.
  v1::GridSeries View(RegionId region, absl::Time now,
                      absl::Duration horizon) const;

  // What is known of the hours of [from, from + horizon), which ends where
  // nothing is known; see GridRecord::Slices.
  v1::GridSeries Known(RegionId region, absl::Time from,
                       absl::Duration horizon) const;

  // How good what is known is; of a forecaster of our own by the age of the
  // actual values that it goes by.
  GridState State(RegionId region, absl::Time now) const;
  // How long before `now` the newest data of the region are from; absent where
  // they do not age (a file taken for the truth) or there are none.
  std::optional<absl::Duration> Age(RegionId region, absl::Time now) const;

  const GridRecord& record() const { return *record_; }
  // See GridRecord::TakeChanges.
  std::vector<TimeSpan> TakeChanges(RegionId region) {
    return record_->TakeChanges(region);
  }
  // Tells one reading of the region's file from another; "" where it has none.
  const std::string& file_digest(RegionId region) const {
    return regions_[region.value()].file_digest;
  }
  absl::StatusOr<RegionId> FindRegion(const std::string& name) const;

 private:
  struct Region {
    v1::RegionConfig config;
    std::unique_ptr<Forecaster> forecaster;  // null: nothing is forecast here
    std::string file_digest;
    std::shared_ptr<const Forecast> told;  // what the engine has
    StepSeries p10, p90;    // of the forecaster's own; empty: by `errors`
    ForecastErrors errors;  // of what was told
    absl::Time known = absl::InfinitePast();       // end of the actual values
    absl::Time told_until = absl::InfinitePast();  // of its actual values
  };
  // Tells of the hours that are over, where forecasts may err.
  void TellActuals(RegionId id, const StepSeries& actuals,
                   std::vector<Event>& events);
  static void Learn(Region& region, const StepSeries& actuals, absl::Time now);
  absl::Status LoadFile(RegionId id, const std::string& config_file);
  absl::Status Take(RegionId region, const v1::GridSeries& series,
                    absl::Time received);

  std::vector<Region> regions_;
  absl::flat_hash_map<std::string, RegionId> ids_;  // by name
  std::unique_ptr<GridRecord> record_;
  absl::Time next_update_ = absl::InfinitePast();
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_GRID_FEED_H_
