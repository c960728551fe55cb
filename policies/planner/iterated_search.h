// Betters a plan thoroughly, when all is known in advance and time allows.
// SPDX-License-Identifier: Apache-2.0
//
//   IteratedSearch search(instance, carbon, priced, movable, seed, schedule);
//   while (time_is_left) saved += search.Round();  // valid after each round
#ifndef CCSCHED_POLICIES_PLANNER_ITERATED_SEARCH_H_
#define CCSCHED_POLICIES_PLANNER_ITERATED_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policies/planner/instance.h"
#include "policies/planner/price_table.h"
#include "policies/planner/rigid_response.h"
#include "policies/planner/schedule.h"
#include "policies/planner/slot_runs.h"
#include "policies/planner/taken_out.h"
#include "scheduler/base/random.h"

namespace ccsched {

// Beside Improver, which takes neighbours out and puts them back: where a pool
// is full, a long job that would rather be there never gets in that way, for
// dozens of small ones would have to be drawn with it. So in half of the rounds
// such a job is forced in (the likelier, the more it loses under the prices of
// `guide`), those in its way are ejected, and what that breaks is mended by
// small rounds nearby. What does not cost less under `goal` in the end is
// undone as a whole. The other half are rounds of taking out neighbours.
// The same seed and rounds give the same plan, and no round a dearer one.
// Sources: Schrimpf et al. 2000 (ruin and recreate); Glover 1996 (ejection
// chains); Lourenco, Martin, Stutzle 2003 (iterated local search).
class IteratedSearch {
 public:
  // REQUIRES: all outlive this; `movable` in order of release, its jobs placed.
  // `guide`: `goal` and prices of capacity. Other jobs stay where they are.
  IteratedSearch(const PlanInstance& instance, const PriceTable& goal,
                 const PriceTable& guide, const std::vector<uint32_t>& movable,
                 uint64_t seed, Schedule& schedule);
  // Returns what was gained, in the units of `goal`.
  double Round();

 private:
  using Place = TakenOut::Place;
  using Taken = TakenOut::Taken;
  using Range = TakenOut::Range;

  // What the job loses at its place against its cheapest under the prices.
  double Regret(uint32_t job) const;
  // What it would lose at another pool; below zero if it would gain.
  double Attachment(uint32_t job) const;
  void WeighRegrets();
  void Note(uint32_t job, const Place& before);
  void TakeNear(int64_t moment);
  // TakenOut::PutElsewhere, put on record here. Returns whether it was kept.
  bool PutElsewhere(const Place* forced = nullptr, double allowed = 0);
  void Force();
  // Takes out whoever is in the way of `job` at `to`.
  bool Eject(const PlanJob& job, const Place& to);
  // Whom to eject at that moment; kNobody if nobody can be.
  uint32_t Victim(const PlanJob& job, const Place& to, int64_t moment,
                  double most_work, bool by_attachment);
  void TakeFillers(const PlanJob& job, const Place& to);
  void NoteCentres(const PlanJob& job, const Place& to);
  void Mend(double before);
  void Undo(double before);

  Random& random() { return out_.random(); }

  static constexpr uint32_t kNobody = UINT32_MAX;

  const PlanInstance& instance_;
  const PriceTable& guide_;
  const std::vector<uint32_t>& movable_;
  Schedule& schedule_;
  TakenOut out_;
  SlotRuns runs_;
  std::vector<StartChoice> ideal_;  // by job: the cheapest under the prices
  std::vector<double> best_at_;     // by job and pool: the least cost there
  TakenOut::Weights regrets_;       // as of some rounds ago
  double mean_ = 0;                 // cost of a job
  double cost_ = 0;                 // of all, less that of the beginning
  int64_t rounds_ = 0;
  std::vector<Taken> journal_;  // whoever was put elsewhere in this round
  std::vector<int64_t> centres_;
};

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_ITERATED_SEARCH_H_
