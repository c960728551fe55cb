// planner: what choices cost, and what decided them.
// SPDX-License-Identifier: Apache-2.0
#include "policies/dispatch.h"
#include "policies/planner/planner.h"

namespace ccsched {

Choice Planner::ChoiceOf(const PolicyInput& in,
                         const RollingPlan::Offer& offer) const {
  const PoolId pool(static_cast<uint16_t>(offer.pool));
  Choice choice = {.pool = pool,
                   .start = FromUs(offer.start),
                   .carbon = GramsCo2e(offer.carbon),
                   .valid = true,
                   .price = GramsCo2e(offer.price + offer.wait),
                   .count = offer.count,
                   .speed = static_cast<float>(offer.speed)};
  // The plan's own grams have the money in them.
  if (settings_.weights.money != 0) {
    choice.carbon = Goal(in).Carbon(pool, FromUs(offer.start),
                                    FromUs(offer.start + offer.duration)) *
                    offer.count;
    choice.price += MoneyPrice(in, offer);
  }
  return choice;
}

GramsCo2e Planner::MoneyPrice(const PolicyInput& in,
                              const RollingPlan::Offer& offer) const {
  if (settings_.weights.money == 0) return GramsCo2e(0);
  const Money cost =
      Goal(in).Cost(PoolId(static_cast<uint16_t>(offer.pool)),
                    FromUs(offer.start), FromUs(offer.start + offer.duration));
  return GramsCo2e(settings_.weights.money * offer.count * cost.value());
}

Reason Planner::Explain(const PolicyInput& in, JobRef ref, int pool,
                        int64_t start) const {
  const PlanJob plan = DescribeAsPlanned(in, ref);
  const int64_t now = ToUs(in.now);
  Reason reason;
  if (!plan_->planned()) {
    // It can't wait until all has been planned for the first time.
    reason.code = ReasonCode::kPromise;
    reason.chosen = {.pool = PoolId(static_cast<uint16_t>(pool)),
                     .start = FromUs(start)};
    return reason;
  }
  const RollingPlan::Offer chosen = plan_->Weigh(now, plan, pool, start);
  reason.chosen = ChoiceOf(in, chosen);
  reason.capacity_price = GramsCo2e(chosen.price);
  reason.delay_price = GramsCo2e(chosen.wait);
  const Placement& allowed = in.placement(ref);
  const RollingPlan::Offer at_once =
      plan_->Weigh(now, plan, allowed.front().value(), now);
  reason.now = ChoiceOf(in, at_once);
  RollingPlan::Offer next;
  for (const PoolId other : allowed) {
    if (static_cast<int>(other.value()) == pool && start <= now) continue;
    const RollingPlan::Offer offer =
        plan_->Weigh(now, plan, other.value(), now);
    if (next.pool < 0 || offer.cost() < next.cost()) next = offer;
  }
  if (next.pool >= 0) reason.next = ChoiceOf(in, next);
  reason.money_price = MoneyPrice(in, chosen);
  // What money has decided, if anything: more carbon than at once, here.
  const bool cheaper =
      settings_.weights.money != 0 && reason.chosen.carbon > reason.now.carbon;
  if (in.forecast(PoolId(static_cast<uint16_t>(pool))) == nullptr) {
    reason.code = ReasonCode::kNoData;
  } else if (plan.IsLateAt(start, now)) {
    reason.code = ReasonCode::kCapacity;  // else it would start in time
  } else if (start > now) {
    reason.code = cheaper ? ReasonCode::kCheaperHour
                  : next.pool >= 0 && reason.next.carbon < reason.chosen.carbon
                      ? ReasonCode::kCapacity
                      : ReasonCode::kCleanerHour;
  } else if (now >= plan.latest_start()) {
    reason.code = ReasonCode::kPromise;
  } else if (pool != allowed.front().value()) {
    reason.code = cheaper ? ReasonCode::kCheaperSite : ReasonCode::kCleanerSite;
  } else {
    reason.code = ReasonCode::kBestIsNow;
  }
  return reason;
}

std::vector<Choice> Planner::Offers(const PolicyInput& in, const Job& job,
                                    const JobShape& shape) const {
  if (plan_ == nullptr || !plan_->planned()) {
    return Policy::Offers(in, job, shape);
  }
  const PlanJob plan = Describe(in, job, shape);
  // No job may have named these pools before: the plan need not know them.
  const std::vector<RollingPlan::Offer> offers = plan_->Offers(
      ToUs(in.now), plan, PoolsOf(in.placements[shape.placement]));
  if (offers.empty()) return Policy::Offers(in, job, shape);
  std::vector<Choice> choices;
  for (const RollingPlan::Offer& offer : offers) {
    choices.push_back(ChoiceOf(in, offer));
    choices.back().valid = in.forecast(choices.back().pool) != nullptr;
  }
  return choices;
}

}  // namespace ccsched
