// Carbon budgets of projects: what is used, what is spoken for, who must wait.
// SPDX-License-Identifier: Apache-2.0
//
// A budget is used by what is booked (the ledger's emissions of the period) and
// spoken for by what live jobs are still expected to emit: that of a job from
// its admission on, at its power and the forecast where it is planned or runs,
// less what has been booked of it. So an array is not admitted as a whole just
// because none of its jobs has started yet. Where nothing is forecast nothing
// is expected: such a job counts once it has emitted.
#ifndef CCSCHED_SCHEDULER_CORE_BUDGETS_H_
#define CCSCHED_SCHEDULER_CORE_BUDGETS_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"
#include "scheduler/model/project.h"

namespace ccsched {

// Not thread safe.
class Budgets {
 public:
  struct Account {
    ProjectTerms terms;
    absl::Time period_start, period_end;
    GramsCo2e used;      // booked in this period
    GramsCo2e expected;  // of live jobs, what is not booked yet
    std::set<JobId> held;
    GramsCo2e committed() const { return used + expected; }
    bool over() const { return committed() >= terms.budget->limit; }
  };

  // Takes the place of what was agreed before; nothing is expected any more,
  // and nobody held.
  void Agree(absl::Span<const ProjectTerms> terms, absl::Time now);
  // A period may be over: the next one begins with nothing used.
  void SetNow(absl::Time now);
  // When a period ends that somebody waits for.
  absl::Time NextRelease() const;

  // Whether no project has a budget.
  bool empty() const { return accounts_.empty(); }
  // The project's account; null if it has no budget.
  const Account* Find(Symbol project) const {
    return accounts_.empty() ? nullptr : FindBySymbol(project);
  }
  const Account* Find(const std::string& project) const;
  absl::Span<const Account> accounts() const { return accounts_; }

  // Emissions of a job, at `at`, came on record; may be negative (restated).
  void Book(const std::string& project, JobId job, absl::Time at,
            GramsCo2e co2e);
  // Whether the budget has room for a job that is expected to emit so much.
  bool HasRoom(Symbol project, GramsCo2e expected) const;
  // What the job is now expected to emit in all. REQUIRES: it has an account.
  void Expect(JobId job, Symbol project, GramsCo2e expected);
  // It has ended, or is held.
  void Forget(JobId job);
  void SetHeld(JobId job, Symbol project, bool held);

  // Whether there may be more room than when this was last called.
  bool TakeLoosened() { return std::exchange(loosened_, false); }

 private:
  struct Expectation {
    size_t account;
    GramsCo2e total, booked;
    GramsCo2e left() const {
      return booked < total ? total - booked : GramsCo2e();
    }
  };
  const Account* FindBySymbol(Symbol project) const;
  Account* Mutable(Symbol project);

  std::vector<Account> accounts_;
  absl::flat_hash_map<Symbol, size_t> by_symbol_;
  absl::flat_hash_map<std::string, size_t> by_name_;
  absl::flat_hash_map<JobId, Expectation> expectations_;
  bool loosened_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CORE_BUDGETS_H_
