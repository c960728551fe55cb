// Fair share: whose turn it is when there is not enough for everybody.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/fair_share.h"

#include <algorithm>
#include <cmath>

namespace ccsched {
namespace {

// An accelerator held weighs as one that was held for so long before.
constexpr double kHeldSeconds = 3600;
// Older changes of contention are forgotten; time before them counts as it
// began.
constexpr size_t kSwitchesMax = 4096;

}  // namespace

FairShare::FairShare(const FairShareOptions& options, size_t pools)
    : half_life_(options.half_life), accounts_(1), pools_(pools) {}

AccountId FairShare::Account(Symbol project) {
  const auto [it, is_new] = by_project_.try_emplace(
      project, AccountId(static_cast<uint32_t>(accounts_.size())));
  if (is_new) {
    AccountState& account = accounts_.emplace_back();
    account.running.resize(pools_.size());
    account.as_of = now_;
  }
  return it->second;
}

std::optional<AccountId> FairShare::Find(Symbol project) const {
  const auto found = by_project_.find(project);
  if (found == by_project_.end()) return std::nullopt;
  return found->second;
}

void FairShare::ResetShares() {
  for (AccountState& account : accounts_) account.share = 1;
}

void FairShare::SetShare(Symbol project, double share) {
  accounts_[Account(project).value()].share = share;
}

void FairShare::Restore(Symbol project, double charged) {
  AccountState& account = accounts_[Account(project).value()];
  account.charged = charged;
  account.as_of = now_;
}

// Time weighs less by half for each half-life that it lies back.
double FairShare::Faded(const AccountState& account, absl::Time now) const {
  if (now <= account.as_of || account.as_of == absl::InfinitePast()) {
    return account.charged;
  }
  const double lives = absl::FDivDuration(now - account.as_of, half_life_);
  const double kept = std::exp2(-lives);
  // What accrues at a constant rate fades while it does: its integral.
  const double seconds = absl::ToDoubleSeconds(half_life_) / std::log(2.0);
  return account.charged * kept + account.accruing * seconds * (1 - kept);
}

void FairShare::Settle(AccountState& account) {
  account.charged = Faded(account, now_);
  account.as_of = now_;
}

void FairShare::Weigh() {
  double used = 0, shares = 0;
  for (const AccountState& account : accounts_) {
    if (account.held == 0 && account.waiting == 0) continue;
    used += Faded(account, now_) + account.held * kHeldSeconds;
    shares += account.share;
  }
  level_ = shares > 0 ? used / shares : 0;
}

void FairShare::SetContested(PoolId id, bool contested) {
  PoolState& pool = pools_[id.value()];
  if (pool.contested == contested) return;
  pool.contested = contested;
  pool.switches.push_back(now_);
  if (pool.switches.size() > kSwitchesMax) {
    // By pairs, so that the first still begins a contested time.
    pool.switches.erase(pool.switches.begin(),
                        pool.switches.begin() + kSwitchesMax / 2);
  }
  for (AccountState& account : accounts_) {
    if (account.running.empty() || account.running[id.value()] == 0) continue;
    Settle(account);
    const uint32_t count = account.running[id.value()];
    account.accruing += contested ? count : -count;
  }
}

absl::Duration FairShare::Contested(const PoolState& pool, absl::Time from,
                                    absl::Time to) const {
  absl::Duration sum;
  for (size_t i = pool.switches.size(); i-- > 0;) {
    const absl::Time a = std::max(from, pool.switches[i]);
    if (i % 2 == 0 && a < to) {
      const absl::Time b =
          i + 1 < pool.switches.size() ? pool.switches[i + 1] : now_;
      sum += std::max(absl::ZeroDuration(), std::min(to, b) - a);
    }
    if (pool.switches[i] <= from) break;
  }
  return sum;
}

bool FairShare::Claim(PoolId id, uint32_t count, uint32_t free,
                      absl::Duration length) {
  PoolState& pool = pools_[id.value()];
  while (!pool.claims.empty() && pool.claims.front().until <= now_) {
    pool.claimed -= pool.claims.front().count;
    std::pop_heap(pool.claims.begin(), pool.claims.end());
    pool.claims.pop_back();
  }
  if (pool.contested || free < count || free - count < pool.claimed) {
    return false;
  }
  pool.claims.push_back({now_ + length, count});
  std::push_heap(pool.claims.begin(), pool.claims.end());
  pool.claimed += count;
  return true;
}

void FairShare::Start(AccountId id, PoolId pool, uint32_t count, bool claimed) {
  AccountState& account = accounts_[id.value()];
  account.held += count;
  if (claimed) return;  // charged at its end
  Settle(account);
  account.running[pool.value()] += count;
  if (pools_[pool.value()].contested) account.accruing += count;
}

void FairShare::End(AccountId id, PoolId pool, uint32_t count, absl::Time start,
                    const Claimed& claimed) {
  AccountState& account = accounts_[id.value()];
  Settle(account);
  account.held -= count;
  if (!claimed.valid) {
    account.running[pool.value()] -= count;
    if (pools_[pool.value()].contested) account.accruing -= count;
    return;
  }
  const absl::Duration ran = std::max(absl::ZeroDuration(), now_ - start);
  const absl::Duration met = Contested(pools_[pool.value()], start, now_);
  const absl::Duration at_once =
      Contested(pools_[claimed.pool.value()], claimed.at, claimed.at + ran);
  account.charged += count * absl::ToDoubleSeconds(std::min(met, at_once));
}

double FairShare::Charged(AccountId id) const {
  return Faded(accounts_[id.value()], now_);
}

double FairShare::Load(AccountId id) const {
  const AccountState& account = accounts_[id.value()];
  return (Faded(account, now_) + account.held * kHeldSeconds) / account.share;
}

bool FairShare::WithinShare(AccountId id) const {
  // A hair above, so that rounding puts no one beyond the only share there is.
  return Load(id) <= level_ * (1 + 1e-9);
}

}  // namespace ccsched
