// Checks of money in configurations: currencies, rates, weights.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_MONEY_H_
#define CCSCHED_SCHEDULER_WIRE_MONEY_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ccsched/v1/config.pb.h"
#include "scheduler/carbon/price_series.h"
#include "scheduler/model/cluster.h"

namespace ccsched {

// Errors: InvalidArgument for what is no currency's code, a rate that is not
// positive, rates without a currency to convert to.
absl::Status CheckMoney(const v1::MoneyConfig& money);

// In money.currency where there is a rate for it, else as it is.
PriceSeries InCurrency(PriceSeries prices, const v1::MoneyConfig& money);

// Errors: InvalidArgument for a negative or infinite price, or one without a
// currency.
absl::Status CheckHourlyPrice(double price, const std::string& currency);

// Whether a policy with these parameters can weigh money: if it is to, every
// region needs a price, all in one currency, which is also that of the pools'.
// `prices` are by region, null where unknown. Errors: FailedPrecondition naming
// region and currency.
absl::Status CheckMoneyWeight(
    const std::map<std::string, double>& parameters,
    absl::Span<const std::shared_ptr<const PriceSeries>> prices,
    const Topology& topology);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_MONEY_H_
