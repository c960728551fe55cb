// Carbon budgets of projects: what is used, what is spoken for, who must wait.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/budgets.h"

#include <algorithm>
#include <utility>

namespace ccsched {

void Budgets::Agree(absl::Span<const ProjectTerms> terms, absl::Time now) {
  accounts_.clear();
  by_symbol_.clear();
  by_name_.clear();
  expectations_.clear();
  loosened_ = true;
  for (const ProjectTerms& t : terms) {
    if (!t.budget) continue;
    by_symbol_[t.symbol] = accounts_.size();
    by_name_[t.name] = accounts_.size();
    Account& account = accounts_.emplace_back();
    account.terms = t;
    account.used = t.used;
    account.period_start = PeriodStart(t.budget->period, now);
    account.period_end = PeriodEnd(t.budget->period, now);
  }
}

void Budgets::SetNow(absl::Time now) {
  for (Account& account : accounts_) {
    if (now < account.period_end) continue;
    account.period_start = PeriodStart(account.terms.budget->period, now);
    account.period_end = PeriodEnd(account.terms.budget->period, now);
    account.used = GramsCo2e();
    loosened_ = true;
  }
}

absl::Time Budgets::NextRelease() const {
  absl::Time next = absl::InfiniteFuture();
  for (const Account& account : accounts_) {
    if (!account.held.empty()) next = std::min(next, account.period_end);
  }
  return next;
}

const Budgets::Account* Budgets::FindBySymbol(Symbol project) const {
  const auto found = by_symbol_.find(project);
  return found == by_symbol_.end() ? nullptr : &accounts_[found->second];
}

const Budgets::Account* Budgets::Find(const std::string& project) const {
  const auto found = by_name_.find(project);
  return found == by_name_.end() ? nullptr : &accounts_[found->second];
}

Budgets::Account* Budgets::Mutable(Symbol project) {
  return const_cast<Account*>(std::as_const(*this).Find(project));
}

void Budgets::Book(const std::string& project, JobId job, absl::Time at,
                   GramsCo2e co2e) {
  const auto found = by_name_.find(project);
  if (found == by_name_.end()) return;
  Account& account = accounts_[found->second];
  const auto expected = expectations_.find(job);
  if (expected != expectations_.end()) {
    account.expected -= expected->second.left();
    expected->second.booked += co2e;
    account.expected += expected->second.left();
  }
  // What was emitted before this period came late: it was never in `used`.
  if (at >= account.period_start) account.used += co2e;
  if (co2e < GramsCo2e()) loosened_ = true;
}

bool Budgets::HasRoom(Symbol project, GramsCo2e expected) const {
  const Account* const account = Find(project);
  if (account == nullptr || !account->terms.budget->hold) return true;
  const GramsCo2e limit = account->terms.budget->limit;
  // A hair more, so that rounding keeps nobody out of what adds up exactly.
  return account->committed() < limit &&
         account->committed() + expected <= limit * (1 + 1e-9);
}

void Budgets::Expect(JobId job, Symbol project, GramsCo2e expected) {
  const auto found = by_symbol_.find(project);
  if (found == by_symbol_.end()) return;
  Account& account = accounts_[found->second];
  Expectation& e = expectations_[job];
  const GramsCo2e before = e.left();
  e.account = found->second;
  e.total = e.booked + expected;
  account.expected += e.left() - before;
  if (e.left() < before) loosened_ = true;
}

void Budgets::Forget(JobId job) {
  if (expectations_.empty()) return;
  const auto found = expectations_.find(job);
  if (found == expectations_.end()) return;
  const GramsCo2e left = found->second.left();
  accounts_[found->second.account].expected -= left;
  expectations_.erase(found);
  if (left > GramsCo2e()) loosened_ = true;
}

void Budgets::SetHeld(JobId job, Symbol project, bool held) {
  Account* const account = Mutable(project);
  if (account == nullptr) return;
  if (held) {
    account->held.insert(job);
  } else {
    account->held.erase(job);
  }
}

}  // namespace ccsched
