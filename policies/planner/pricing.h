// Prices of capacity by Lagrangian relaxation, and the bound they certify.
// SPDX-License-Identifier: Apache-2.0
//
//   Pricing pricing(instance);           // or with yesterday's prices
//   pricing.Ascend({.rounds = 1000});
//   pricing.best_bound();                // grams; no plan costs less
//   pricing.best_prices();               // pool by pool, a value a slot
#ifndef CCSCHED_POLICIES_PLANNER_PRICING_H_
#define CCSCHED_POLICIES_PLANNER_PRICING_H_

#include <cstdint>
#include <vector>

#include "policies/planner/elastic_response.h"
#include "policies/planner/instance.h"
#include "policies/planner/paused_response.h"
#include "policies/planner/price_table.h"
#include "policies/planner/slot_usage.h"
#include "policies/planner/stretch_response.h"

namespace ccsched {

struct AscentOptions {
  int rounds = 200;
  // Stop when `patience` rounds have not raised the bound by `tolerance` of it.
  double tolerance = 0;
  int patience = 0;  // 0: never
  // How far above the best bound the top is first believed to be, relatively.
  double hope = 0.03;
  // Least hope: below it the ascent is as good as done.
  double least_hope = 1e-5;
  // Whether a suspendable job's plans with a pause are bounded apart from those
  // without (PausedSearch), and of the former two are mixed that together do
  // just its work (WorthTop): the bound is closer, by .1 to .4 % of month-long
  // traces, and the steps are right, for a look or two more at each job.
  // Without it the plan of the best worth alone steps, which does a little more
  // or less.
  bool mixed = false;
};

// Maximises D(λ) = Σ_j min_plan (carbon + λ·usage) − Σ λ·room over λ >= 0 by
// subgradient steps of Polyak's length along a deflected direction, towards a
// level that is lowered when it can't be reached.
// Source: Polyak 1969; Camerini, Fratta, Maffioli 1975 (deflection);
// Goffin, Kiwiel 1999 (level control).
class Pricing {
 public:
  // REQUIRES: `instance` outlives this; each job's window is within its slots.
  explicit Pricing(const PlanInstance& instance);

  // Starts from these prices, and the worths of the first jobs' useful work,
  // where known. REQUIRES: pools * slots values, none negative.
  void Warm(std::vector<double> prices, std::vector<double> worths = {});

  void Ascend(const AscentOptions& options);
  // The same in parts: after Begin(), each Advance() does about `work` looks at
  // a start and takes what it did off it; true: done. The outcome does not
  // depend on the parts.
  void Begin(const AscentOptions& options);
  bool Advance(int64_t& work);

  double best_bound() const { return best_bound_; }
  const std::vector<double>& best_prices() const { return best_prices_; }
  int rounds() const { return rounds_; }
  // Usage of each slot by the last round's plans, which keep no capacity.
  const std::vector<double>& usage() { return usage_.Sum(); }

  // D at the given prices; their usage is left in usage().
  double Evaluate(const std::vector<double>& prices);

 private:
  // How an ascent stands.
  struct Ascent {
    AscentOptions options;
    double hope = 0;
    double level = 0;      // best bound when hope was last changed
    double reference = 0;  // best bound `patience` rounds ago
    int since_level = 0;
    int since_reference = 0;
    int round = 0;
    double magnitude = 0;
    size_t next = 0;  // the job that responds next in this round
    double sum = 0;   // of the round so far
  };
  int64_t Looks(const PlanJob& job) const;
  void Respond(size_t job, double& sum);
  void RespondElastic(size_t job, double& sum);
  // Of a suspendable job, as options.mixed says.
  void RespondMixed(size_t job, double& sum);
  // Notes what the stretches last found take, as `count` accelerators.
  void AddStretches(double count);
  // What a slot of its work may be worth, before any look at it.
  double Guess(size_t job) const;
  // So many looks suffice to find it.
  int Evaluations(size_t job) const;
  void SetTable(const std::vector<double>& prices, double& sum);
  void Step(double bound, double target);
  // After a round; false: that was the last.
  bool GoOn(bool fresh);

  const PlanInstance& instance_;
  PriceTable table_;
  SlotUsage usage_;
  StretchSearch search_;
  PausedSearch paused_;
  ElasticSearch elastic_search_;
  std::vector<double> worth_;  // of each suspendable job's useful work
  std::vector<Stretch> stretches_;
  std::vector<double> prices_;
  std::vector<double> direction_;
  std::vector<double> best_prices_;
  double best_bound_ = 0;
  bool evaluated_ = false;
  int rounds_ = 0;
  Ascent ascent_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_PRICING_H_
