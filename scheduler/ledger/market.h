// What is under contract on record, matched hour by hour to what sites used.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(const MarketBook book, MarketBook::Read(db, filter));
//   book.Add(slice, record);  // of each row of a report
#ifndef CCSCHED_SCHEDULER_LEDGER_MARKET_H_
#define CCSCHED_SCHEDULER_LEDGER_MARKET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/sqlite_db.h"

namespace ccsched {

// Whether a row of emissions or node_energy stands; ?1 is the time as of which
// that is asked, NULL for now.
#define CCSCHED_STANDS                                       \
  "(?1 IS NULL AND superseded_at IS NULL OR recorded <= ?1 " \
  "AND (superseded_at IS NULL OR superseded_at > ?1))"

// One row of energy, of a job or of nobody's, as a report adds it up.
struct EnergySlice {
  int64_t owner = 0;  // the attempt's id, or the node's
  absl::Time start, end;
  std::optional<int64_t> joules, milligrams;  // before PUE; PUE included
  double pue = 1;
  std::optional<double> intensity, grid_share, marginal;
  std::optional<int64_t> embodied;
  std::string method, site, region;
  bool estimated = false;
  uint32_t revision = 0;
  absl::Time recorded;
};

// The newest version of what is under contract that was on record at `as_of`.
absl::StatusOr<ContractSet> ReadContracts(SqliteDb& db, absl::Time as_of);

class MarketBook {
 public:
  // Reads the contracts and, if there are any, what all sites used in the hours
  // of the filter, whoever it was for.
  static absl::StatusOr<MarketBook> Read(SqliteDb& db,
                                         const ReportFilter& filter);

  // Adds the slice's energy and emissions to the record: gross, net, carbon-
  // free, marginal, embodied, lost on the way, and whether it was restated.
  void Add(const EnergySlice& slice, ReportRecord& record) const;

 private:
  struct Site {
    std::string name;
    size_t region;
  };
  using SiteHourKey = std::pair<size_t, int64_t>;  // site, hour since 1970

  size_t SiteOf(const std::string& site, const std::string& region);
  size_t RegionOf(const std::string& region);
  absl::Status ReadLoads(SqliteDb& db, const ReportFilter& filter);
  void Settle();
  // The part of [start, end) at this site that no contract covers, 0 to 1.
  double Uncovered(const EnergySlice& slice) const;

  ContractSet contracts_;
  absl::flat_hash_map<std::string, size_t> site_ids_, region_ids_;
  std::vector<Site> sites_;
  std::vector<std::optional<double>> residuals_, losses_;  // by region
  bool market_ = false;  // something is bought, or a residual mix is known
  absl::flat_hash_map<SiteHourKey, double> load_kwh_;
  absl::flat_hash_map<SiteHourKey, double> uncovered_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_MARKET_H_
