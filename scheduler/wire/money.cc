// Checks of money in configurations: currencies, rates, weights.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/money.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/carbon/price_csv.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

constexpr char kWeight[] = "money_g_per_unit";

absl::Status CheckCode(const std::string& field, const std::string& code) {
  if (IsCurrencyCode(code)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": '", Printable(code),
                   "' is no currency's code of three capitals, as USD"));
}

}  // namespace

absl::Status CheckMoney(const v1::MoneyConfig& money) {
  if (!money.currency().empty()) {
    absl::Status status = CheckCode("money.currency", money.currency());
    if (!status.ok()) return status;
  }
  const std::map<std::string, double> rates(money.rates().begin(),
                                            money.rates().end());
  for (const auto& [code, rate] : rates) {
    absl::Status status = CheckCode("money.rates", code);
    if (!status.ok()) return status;
    if (!(rate > 0) || !std::isfinite(rate)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "money.rates.", code, ": ", rate, " is not a positive rate"));
    }
    if (money.currency().empty()) {
      return absl::InvalidArgumentError(
          "money.rates: rates need `money.currency`, what they convert to");
    }
  }
  return absl::OkStatus();
}

PriceSeries InCurrency(PriceSeries prices, const v1::MoneyConfig& money) {
  const auto rate = money.rates().find(prices.currency());
  if (rate == money.rates().end() || prices.currency() == money.currency()) {
    return prices;
  }
  return prices.Converted(money.currency(), rate->second);
}

absl::Status CheckHourlyPrice(double price, const std::string& currency) {
  if (!(price >= 0) || !std::isfinite(price)) {
    return absl::InvalidArgumentError(
        absl::StrCat(price, " is not a price of at least 0"));
  }
  if (currency.empty()) {
    return absl::InvalidArgumentError(
        "it needs `money.currency`, the currency that it is in");
  }
  return absl::OkStatus();
}

absl::Status CheckMoneyWeight(
    const std::map<std::string, double>& parameters,
    absl::Span<const std::shared_ptr<const PriceSeries>> prices,
    const Topology& topology) {
  const auto weight = parameters.find(kWeight);
  if (weight == parameters.end() || weight->second == 0) {
    return absl::OkStatus();
  }
  std::string currency = topology.currency;
  for (size_t r = 0; r < topology.regions.size(); ++r) {
    const std::string& name = topology.regions[r].name;
    const PriceSeries* const price =
        r < prices.size() ? prices[r].get() : nullptr;
    if (price == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat(kWeight, ": region ", name,
                       " has no `price`: money can't be weighed"));
    }
    if (currency.empty()) currency = price->currency();
    if (price->currency() != currency) {
      return absl::FailedPreconditionError(absl::StrCat(
          kWeight, ": the prices of region ", name, " are in ",
          price->currency(), ", others in ", currency,
          ": one weight can't serve both; give `money: {currency: ", currency,
          ", rates: {", price->currency(), ": …}}`"));
    }
  }
  return absl::OkStatus();
}

}  // namespace ccsched
