// Reads a region's electricity prices from CSV.
// SPDX-License-Identifier: Apache-2.0
//
//   utc,price,currency
//   2021-01-01T00:00:00Z,48.19,EUR/MWh
//   2021-01-01T01:00:00Z,,EUR/MWh          no price was published: unknown
#ifndef CCSCHED_SCHEDULER_CARBON_PRICE_CSV_H_
#define CCSCHED_SCHEDULER_CARBON_PRICE_CSV_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "scheduler/carbon/price_series.h"

namespace ccsched {

// Whether `text` is a currency's code as ISO 4217 writes them: "USD".
bool IsCurrencyCode(std::string_view text);

// The column `currency` names currency and unit, "USD/MWh" or "USD/kWh", the
// same on every line. A blank price is unknown; for plans the hour's price is
// taken from its neighbours as GapRule::kInterpolate does, blanks at the ends
// of the file shorten the series. Prices may be negative.
// Errors: NotFound if the file can't be read; InvalidArgument, "file:line: …".
absl::StatusOr<PriceSeries> ReadPriceCsv(const std::string& path);
absl::StatusOr<PriceSeries> ParsePriceCsv(std::string_view text,
                                          std::string_view file);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_PRICE_CSV_H_
