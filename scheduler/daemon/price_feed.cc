// Electricity prices from the configured files, handed to the engine.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/price_feed.h"

#include <cmath>
#include <utility>

#include "scheduler/base/status.h"
#include "scheduler/carbon/price_csv.h"
#include "scheduler/wire/money.h"

namespace ccsched {
namespace {

int64_t Micros(Money money) {
  return static_cast<int64_t>(std::llround(money.value() * 1e6));
}

}  // namespace

absl::StatusOr<PriceFeed> PriceFeed::Load(const Cluster& cluster,
                                          const std::string& config_file) {
  PriceFeed feed;
  for (const v1::RegionConfig& region : cluster.config.regions()) {
    auto& price = feed.prices_.emplace_back();
    if (region.price().empty()) continue;
    ASSIGN_OR_RETURN(PriceSeries read,
                     ReadPriceCsv(RelativeTo(config_file, region.price())));
    price = std::make_shared<const PriceSeries>(
        InCurrency(std::move(read), cluster.config.money()));
  }
  return feed;
}

void PriceFeed::Update(std::vector<Event>& events) {
  if (told_) return;
  told_ = true;
  for (size_t r = 0; r < prices_.size(); ++r) {
    if (prices_[r] == nullptr) continue;
    const RegionId region(static_cast<uint16_t>(r));
    events.emplace_back(PricesPublished{region, prices_[r]});
  }
}

std::optional<CostRow> PriceFeed::CostOf(const EmissionRow& row, PoolId pool,
                                         uint32_t count,
                                         const Topology& topology) const {
  const PriceSeries* const price = prices_[topology.region(pool).value()].get();
  const std::optional<Money> hourly = topology.pools[pool.value()].hourly;
  const double hours = absl::ToDoubleHours(row.end - row.start);
  if ((price == nullptr && !hourly) || hours <= 0) return std::nullopt;
  CostRow cost;
  cost.job = row.job;
  cost.epoch = row.epoch;
  cost.start = row.start;
  if (price != nullptr) {
    cost.currency = price->currency();
    const PriceSeries::Cost kilowatt = price->PerKilowatt(row.start, row.end);
    // Series count in microseconds, rows may be finer.
    if (row.joules && kilowatt.unpriced < absl::Milliseconds(1)) {
      const double kwh =
          ToKilowattHours(Joules(static_cast<double>(*row.joules))).value() *
          row.pue;
      cost.electricity_micros = Micros(kilowatt.money * (kwh / hours));
    }
  }
  if (hourly) {
    cost.accelerator_currency = topology.currency;
    cost.accelerator_micros = Micros(*hourly * (count * hours));
  }
  return cost;
}

}  // namespace ccsched
