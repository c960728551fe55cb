// Decisions and choices as messages, and as sentences.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

const std::string& SiteName(const Choice& choice, const Topology& topology) {
  return topology.site(choice.pool).name;
}

bool CarbonKnown(const Choice& choice, const OfferContext& context) {
  if (context.forecasts.empty()) return true;
  const size_t region = context.topology.region(choice.pool).value();
  return region < context.forecasts.size() &&
         context.forecasts[region] != nullptr;
}

// "12.3 kg CO2e instead of 20 kg (-39 %)", or nothing where it is unknown.
std::string Compared(const Choice& with, const Choice& without,
                     const OfferContext& context) {
  if (!with.valid || !without.valid) return "";
  if (!CarbonKnown(with, context) || !CarbonKnown(without, context)) return "";
  const double a = with.carbon.value(), b = without.carbon.value();
  if (!std::isfinite(a) || !std::isfinite(b) || b <= 0) return "";
  return absl::StrFormat("%s CO2e instead of %s (%+.0f %%)", GramsText(a),
                         GramsText(b), (a / b - 1) * 100);
}

constexpr char kLate[] = "later than promised";

// What a job takes, and for how long, at the width that was chosen.
OfferContext AtWidthOf(const Choice& choice, OfferContext context) {
  if (choice.count == 0) return context;
  context.count = choice.count;
  for (std::optional<absl::Duration>* runtime :
       {&context.runtime, &context.runtime_p50, &context.runtime_p90}) {
    if (*runtime) **runtime /= choice.speed;
  }
  return context;
}

// Whether the job is expected to end later there than promised. Nobody calls a
// minute late: decisions take their time, and starts theirs.
bool IsLate(const Choice& choice, const OfferContext& at_width) {
  return at_width.runtime && choice.start + choice.paused + *at_width.runtime >
                                 at_width.promised_end + absl::Minutes(1);
}

std::string Joined(std::string_view sentence, const std::string& addition) {
  return addition.empty() ? std::string(sentence)
                          : absl::StrCat(ToAbsl(sentence), ": ", addition);
}

std::string Waits(const DecisionRecord& d, absl::Time decided,
                  const Topology& topology) {
  const Choice& chosen = d.reason.chosen;
  const absl::Time until =
      d.kind == DecisionKind::kDefer ? d.until : chosen.start;
  return absl::StrCat(
      "waits until ", FormatUtc(until), " (", ShortDuration(until - decided),
      " from the decision)",
      chosen.valid ? absl::StrCat(" to run at ", SiteName(chosen, topology))
                   : "");
}

}  // namespace

std::string GramsText(double grams) {
  const double size = std::fabs(grams);
  const auto text = [](double value, const char* unit) {
    const double v = std::fabs(value);
    return absl::StrFormat("%.*f %s",
                           v >= 99.95   ? 0
                           : v >= 9.995 ? 1
                                        : 2,
                           value, unit);
  };
  if (!std::isfinite(grams)) return "unknown";
  if (size < 0.000'005) return "0 g";  // less than any digit would show
  if (size < 0.9995) return text(grams * 1000, "mg");
  if (size < 999.5) return text(grams, "g");
  if (size < 999'500) return text(grams / 1000, "kg");
  return text(grams / 1'000'000, "t");
}

std::string MoneyText(double amount, std::string_view currency) {
  const double size = std::fabs(amount);
  return absl::StrFormat("%.*f %s", size > 0 && size < 0.995 ? 4 : 2, amount,
                         ToAbsl(currency));
}

namespace {

// Electricity and the accelerators' own price over the expected run, where
// they are known and in one currency.
void SetCost(const Choice& choice, const OfferContext& context,
             v1::Offer& offer) {
  const Topology& topology = context.topology;
  const Pool& pool = topology.pools[choice.pool.value()];
  const size_t region = topology.region(choice.pool).value();
  const PriceSeries* const price =
      region < context.prices.size() ? context.prices[region].get() : nullptr;
  if (price == nullptr) return;
  if (pool.hourly && price->currency() != topology.currency) return;
  const absl::Duration runtime = *context.runtime;
  Money cost = price->Expected(choice.start, choice.start + runtime) *
               (topology.GridPower(choice.pool, context.count).value() / 1000);
  if (pool.hourly) {
    cost += *pool.hourly * (context.count * absl::ToDoubleHours(runtime));
  }
  offer.set_cost(cost.value());
  offer.set_currency(price->currency());
}

}  // namespace

v1::Offer ToProto(const Choice& choice, const OfferContext& own) {
  const OfferContext context = AtWidthOf(choice, own);
  const Topology& topology = context.topology;
  v1::Offer offer;
  offer.set_site(SiteName(choice, topology));
  offer.set_accelerator(
      topology.accelerators[topology.pools[choice.pool.value()]
                                .accelerator.value()]);
  offer.set_count(context.count);
  if (choice.start > absl::InfinitePast() &&
      choice.start < absl::InfiniteFuture()) {
    const bool planned = choice.start > context.decided;
    const auto slipped = [&](absl::Duration slip) {
      return planned ? std::max(choice.start + slip, context.decided)
                     : choice.start;
    };
    const absl::Time p50 =
        std::max(slipped(context.slip_p50), context.free_p50);
    const absl::Time p90 =
        std::max(slipped(context.slip_p90), context.free_p90);
    *offer.mutable_start() = ToProto(choice.start);
    *offer.mutable_start_p50() = ToProto(p50);
    *offer.mutable_start_p90() = ToProto(p90);
    if (context.runtime) {
      *offer.mutable_finish() =
          ToProto(choice.start + choice.paused + *context.runtime);
    }
    if (context.runtime_p50) {
      *offer.mutable_finish_p50() =
          ToProto(p50 + choice.paused + *context.runtime_p50);
    }
    if (context.runtime) SetCost(choice, context, offer);
    if (context.runtime_p90) {
      *offer.mutable_finish_p90() =
          ToProto(p90 + choice.paused + *context.runtime_p90);
    }
  }
  if (context.runtime) {
    const KilowattHours energy =
        topology.GridPower(choice.pool, context.count) * *context.runtime;
    offer.set_energy_kwh(energy.value());
  }
  if (CarbonKnown(choice, context)) offer.set_co2e_g(choice.carbon.value());
  offer.set_price_g(choice.price.value());
  if (IsLate(choice, context)) offer.set_note(kLate);
  return offer;
}

v1::Reason ToProto(const DecisionRecord& decision, std::string_view policy,
                   absl::Time decided, const OfferContext& context) {
  const Reason& reason = decision.reason;
  v1::Reason out;
  out.set_code(std::string(ToString(reason.code)));
  out.set_text(ReasonText(decision, decided, context));
  if (reason.chosen.valid) {
    *out.mutable_chosen() = ToProto(reason.chosen, context);
    out.mutable_chosen()->set_chosen(true);
  }
  if (reason.now.valid) *out.mutable_now() = ToProto(reason.now, context);
  if (reason.next.valid) *out.mutable_next() = ToProto(reason.next, context);
  *out.mutable_decided() = ToProto(decided);
  out.set_policy(std::string(policy));
  out.set_capacity_price_g(reason.capacity_price.value());
  out.set_delay_price_g(reason.delay_price.value());
  out.set_money_price_g(reason.money_price.value());
  return out;
}

namespace {

constexpr char kAfterOthers[] =
    " as soon as the jobs that it waits for have succeeded";

// What is better there and then than at once at the first site.
const char* Better(ReasonCode code) {
  switch (code) {
    case ReasonCode::kCheaperHour:
      return "cheaper hour";
    case ReasonCode::kCheaperSite:
      return "cheaper site";
    case ReasonCode::kCleanerSite:
      return "cleaner site";
    default:
      return "cleaner hour";
  }
}

// The same of a job that runs now.
std::string BetterNow(ReasonCode code) {
  const bool hour =
      code == ReasonCode::kCheaperHour || code == ReasonCode::kCleanerHour;
  return absl::StrCat(hour ? " in a " : ", a ", Better(code),
                      hour ? "" : " than the first");
}

std::string WaitsForRoom(const DecisionRecord& d, absl::Time decided,
                         const OfferContext& context) {
  if (d.kind == DecisionKind::kDefer && d.reason.chosen.valid) {
    return absl::StrCat(Waits(d, decided, context.topology),
                        ", as room is short before");
  }
  return absl::StrCat("waits for ", context.count, " free accelerator",
                      context.count == 1 ? "" : "s", " at an allowed site");
}

std::string Sentence(const DecisionRecord& decision, absl::Time decided,
                     const OfferContext& context) {
  const Reason& r = decision.reason;
  const Topology& topology = context.topology;
  const std::string at =
      r.chosen.valid ? absl::StrCat(" at ", SiteName(r.chosen, topology)) : "";
  const bool waits = decision.kind == DecisionKind::kDefer ||
                     decision.kind == DecisionKind::kWait ||
                     decision.kind == DecisionKind::kSuspend;
  const std::string saving = Compared(r.chosen, r.now, context);
  switch (r.code) {
    case ReasonCode::kNone:
      break;
    case ReasonCode::kFirstFit:
      return absl::StrCat("runs", at, ", the first allowed site with room");
    case ReasonCode::kCleanestNow:
      return Joined(
          absl::StrCat("runs", at, ", the cleanest allowed site with room now"),
          saving);
    case ReasonCode::kCleanerHour:
    case ReasonCode::kCheaperHour:
    case ReasonCode::kCleanerSite:
    case ReasonCode::kCheaperSite:
      return Joined(waits ? absl::StrCat(Waits(decision, decided, topology),
                                         ", a ", Better(r.code))
                          : absl::StrCat("runs", at, BetterNow(r.code)),
                    saving);
    case ReasonCode::kBestIsNow:
      return absl::StrCat("runs", at,
                          " now: no later start or other site would emit less");
    case ReasonCode::kCapacity:
      return WaitsForRoom(decision, decided, context);
    case ReasonCode::kBackfill:
      return absl::StrCat("runs", at,
                          " ahead of the queue's head, without delaying it");
    case ReasonCode::kReserved:
      return absl::StrCat("waits at the head of the queue: room is being kept",
                          at);
    case ReasonCode::kPromise:
      return absl::StrCat("runs", at, " now to keep its promise");
    case ReasonCode::kNoData:
      return absl::StrCat(waits ? "waits" : "runs", at,
                          "; no carbon intensity is known, so nothing is "
                          "optimised");
    case ReasonCode::kThreshold:
      return Joined(
          waits ? absl::StrCat(Waits(decision, decided, topology),
                               ": the grid is above the threshold")
                : absl::StrCat("runs", at, ": the grid is below the threshold"),
          saving);
    case ReasonCode::kQuota:
      return "waits: the policy's quota of running work is used up";
    case ReasonCode::kNodeLost:
      return "queues again: its node was lost";
    case ReasonCode::kBudget:
      return "is held: its project's carbon budget has no room for it";
    case ReasonCode::kDependency:
      return absl::StrCat("runs", at, kAfterOthers);
    case ReasonCode::kOperator:
      return "an operator asked for it";
    case ReasonCode::kLosses:
      return absl::StrCat(
          "pauses until ", FormatUtc(decision.until),
          " before it is started again: its attempts were lost one after "
          "another");
    case ReasonCode::kResized:
      return absl::StrCat("goes on", at, " at another width");
  }
  return waits ? "waits" : absl::StrCat("runs", at);
}

}  // namespace

std::string ReasonText(const DecisionRecord& decision, absl::Time decided,
                       const OfferContext& context) {
  const Reason& r = decision.reason;
  const bool placed = decision.kind == DecisionKind::kStart ||
                      decision.kind == DecisionKind::kDefer;
  const bool late = placed && r.chosen.valid &&
                    IsLate(r.chosen, AtWidthOf(r.chosen, context));
  if (!late) return Sentence(decision, decided, context);
  if (r.code == ReasonCode::kPromise) {  // which it would keep if it could
    return absl::StrCat("runs at ", SiteName(r.chosen, context.topology),
                        " now, as soon as there was room: ", kLate);
  }
  return absl::StrCat(Sentence(decision, decided, context), "; ", kLate);
}

}  // namespace ccsched
