// What the registry knows of the planner.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <vector>

#include "policies/all.h"
#include "policies/planner/planner.h"

namespace ccsched {
namespace {

PlannerSettings Settings(const PolicyParameters& parameters) {
  PlannerSettings s;
  s.patience_hours = parameters.at("max_wait_h");
  s.margin_hours = parameters.at("margin_h");
  s.spread = parameters.at("spread") > 0;
  s.correct = parameters.at("correct") > 0;
  s.rolling.book.pauses.least_gain = parameters.at("least_gain");
  s.rolling.book.pauses.reluctance = parameters.at("reluctance");
  s.replan_minutes = parameters.at("replan_minutes");
  s.rolling.book.horizon_slots =
      static_cast<int32_t>(parameters.at("horizon_h"));
  s.rolling.ascent_rounds = static_cast<int>(parameters.at("price_rounds"));
  s.rolling.improve_rounds =
      static_cast<int64_t>(parameters.at("improve_rounds"));
  s.rolling.demand.scale = parameters.at("demand");
  s.rolling.book.trust_hours = parameters.at("trust_h");
  s.rolling.book.settle_hours = parameters.at("settle_h");
  s.weights.money = parameters.at("money_g_per_unit");
  s.wait = parameters.at("wait_g_per_h");
  s.haste = parameters.at("haste");
  s.haste_unsure = parameters.at("haste_unsure");
  return s;
}

std::vector<ParameterSpec> Parameters() {
  return {
      {"max_wait_h", "h", 24, 0, 24 * 366,
       "how long a job may be deferred that has neither a longest "
       "delay nor a time to finish by",
       "as of the other policies"},
      {"margin_h", "h", 4, 0, 24,
       "jobs of unknown runtime are planned to start so long (at most a sixth "
       "of their longest delay) before their latest start, as room then is "
       "only believed in",
       "measured"},
      {"spread", "", 1, 0, 1,
       "1: jobs of unknown runtime are weighed over all lengths that "
       "are likely; 0: at their mean",
       "measured"},
      {"correct", "", 1, 0, 1,
       "1: forecasts are corrected by how they have turned out so far "
       "(their mean error at that hour of the day, the fading last "
       "one, and the usual day beyond their end); 0: taken as issued",
       "measured"},
      {"least_gain", "", 0.01, 0, 1,
       "pauses must save such a share of what running on costs", "measured"},
      {"reluctance", "", 1, 0, 100,
       "taking a suspended job up again is taken to cost so many times its "
       "checkpoint and restart beyond them, as the room planned for it may be "
       "gone by then",
       "measured"},
      {"replan_minutes", "min", 60, 1, 24 * 60,
       "time between two plannings of all that waits", "measured"},
      {"horizon_h", "h", 168, 24, 24 * 60, "how far ahead prices are sought",
       "a week of history repeats"},
      {"price_rounds", "", 15, 1, 10000, "rounds of prices in a planning",
       "measured"},
      {"improve_rounds", "", 1200, 0, 1e9,
       "rounds of taking out and putting back in a planning", "measured"},
      {"demand", "", 1, 0, 10,
       "the share of the jobs expected from history that is planned for",
       "measured"},
      {"trust_h", "h", 150, 1, 1e9,
       "prices of hours beyond the next 96 are believed 1/e so far ahead",
       "measured"},
      {"settle_h", "h", 8, 0, 168,
       "room that is free within so many hours is offered below its "
       "price, from nothing at once",
       "measured"},
      {"haste", "", 0.004, 0, 1,
       "an hour of waiting costs such a share of what the work emits in an "
       "hour, as far as capacity has a price in the coming day: of almost "
       "equal starts the early one "
       "is taken, which leaves later room to those that come",
       "measured"},
      {"haste_unsure", "", 0.05, 0, 1,
       "the same for jobs of unknown runtime, most of which are short: what "
       "waiting could save them is little, and uncertain",
       "measured"},
      {"money_g_per_unit", "g", 0, 0, 1e9,
       "what a unit of the currency is worth in grams of CO2e: plans "
       "then minimise carbon and money together; each is told apart",
       "the operator's choice"},
      {"wait_g_per_h", "g/h", 0, 0, 1e9,
       "what an hour of an accelerator's work that waits is worth in "
       "grams of CO2e",
       "the operator's choice"},
  };
}

}  // namespace

PolicySpec PlannerPolicy() {
  return {
      .name = "planner",
      .summary =
          "a rolling plan of all jobs, in place and time, under prices of "
          "capacity",
      .doc =
          "Puts a price on each hour of each pool, beside its carbon, such "
          "that jobs which each take their cheapest plan do not crowd "
          "(Lagrangian relaxation of capacity). A job that comes is placed at "
          "once, where carbon and price are least and room is kept for it; "
          "every hour, and when forecasts or the cluster change, prices are "
          "sought anew from the last ones, for the jobs that wait and for "
          "those expected from the history of arrivals, and all that has not "
          "started is planned again, big jobs first, then bettered by taking "
          "some out and putting them back. Promises come first: no job is "
          "placed later than its latest start while there is room before.",
      .parameters = Parameters(),
      .make =
          [](const PolicyParameters& parameters) {
            return std::make_unique<Planner>(Settings(parameters));
          },
  };
}

}  // namespace ccsched
