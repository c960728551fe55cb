// Fair share: whose turn it is when there is not enough for everybody.
// SPDX-License-Identifier: Apache-2.0
//
// The rule, where shares are configured. Among jobs of equal priority those of
// the project with the least load go first:
//
//   load = (charged + held for an hour) / share
//
// `charged` are accelerator-seconds that fade with a half-life; `held` are the
// accelerators that the project has now, so that a burst of starts counts at
// once. Within a project the order is that of the queue.
//
//  1. Only contested capacity is charged: time during which somebody waits for
//     the pool and does not fit there. What nobody else wants is free, so to
//     shift work to quiet hours costs nothing.
//  2. A project is not charged more because its jobs are flexible. One that
//     could have started when the policy put it off is charged the lesser of
//     what its run met and what the same run would have met from then on. Jobs
//     put off claim the idle room of that moment one by one, so that together
//     they can't claim more than there was: pretending to be flexible buys
//     nothing that starting at once would not have given for free.
//  3. Deferral moves no job in the queue. A job ranks by the time for which it
//     has queued, ready to run; hours for which it was deferred neither add to
//     that nor take from it (ReadyQueue keeps ranks so).
//  4. A promise goes before shares, but only within one's share: jobs at their
//     latest start go first if their project's load is not above that of all
//     projects together. Else short promises would be a way around shares.
//  5. All is counted in accelerator-seconds: to split a job, or to submit it
//     under many shapes, changes no load.
//
// Source: decayed usage is that of Kay and Lauder, "A fair share scheduler",
// CACM 31(1), 1988; charging held capacity at once follows start-time fair
// queueing (Goyal, Vin, Cheng, SIGCOMM 1996); 1, 2 and 4 are ours.
#ifndef CCSCHED_SCHEDULER_MODEL_FAIR_SHARE_H_
#define CCSCHED_SCHEDULER_MODEL_FAIR_SHARE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"

namespace ccsched {

struct FairShareOptions {
  absl::Duration half_life = absl::Hours(24 * 7);
};

// Not thread safe. All times must not go backwards.
class FairShare {
 public:
  FairShare(const FairShareOptions& options, size_t pools);

  // The project's account; made at its first sight, with a share of 1.
  AccountId Account(Symbol project);
  // The same where there is one already.
  std::optional<AccountId> Find(Symbol project) const;
  // All projects have a share of 1 again.
  void ResetShares();
  // REQUIRES: positive.
  void SetShare(Symbol project, double share);
  // What was charged before a restart, in accelerator-seconds as of now.
  void Restore(Symbol project, double charged);

  void SetNow(absl::Time now) { now_ = now; }
  // Takes stock of all loads, for WithinShare.
  void Weigh();
  // Jobs of the account that queue.
  void Waits(AccountId account, int jobs) {
    accounts_[account.value()].waiting += jobs;
  }
  // Whether somebody waits for this pool without fitting there.
  void SetContested(PoolId pool, bool contested);

  // A job that the policy put off although it fitted in a pool of which so much
  // was free: whether that room was still unclaimed. If so it is claimed for as
  // long as the job would have run.
  bool Claim(PoolId pool, uint32_t count, uint32_t free, absl::Duration length);

  // A run starts, and ends. `claimed`: the job was put off at that time and
  // pool, with room claimed.
  struct Claimed {
    bool valid = false;
    PoolId pool;
    absl::Time at;
  };
  void Start(AccountId account, PoolId pool, uint32_t count, bool claimed);
  void End(AccountId account, PoolId pool, uint32_t count, absl::Time start,
           const Claimed& claimed);

  // Whose turn it is: the least goes first.
  double Load(AccountId account) const;
  // Whether the account's promises go before other projects' turns, as of the
  // last Weigh.
  bool WithinShare(AccountId account) const;
  double share(AccountId account) const {
    return accounts_[account.value()].share;
  }
  // Accelerator-seconds charged so far, faded to now.
  double Charged(AccountId account) const;
  uint32_t held(AccountId account) const {
    return accounts_[account.value()].held;
  }

 private:
  struct AccountState {
    double share = 1;
    double charged = 0;  // as of `as_of`
    absl::Time as_of = absl::InfinitePast();
    uint32_t held = 0;
    uint32_t waiting = 0;
    // Of the accelerators held, those of runs that are charged as they run, by
    // pool.
    std::vector<uint32_t> running;
    uint32_t accruing = 0;  // of them, at contested pools
  };
  struct RoomClaim {
    absl::Time until;
    uint32_t count;
    bool operator<(const RoomClaim& o) const { return until > o.until; }
  };
  struct PoolState {
    bool contested = false;
    // When that changed: from the first on it was contested, and so on in turn.
    std::vector<absl::Time> switches;
    std::vector<RoomClaim> claims;  // a heap
    uint32_t claimed = 0;
  };
  double Faded(const AccountState& account, absl::Time now) const;
  void Settle(AccountState& account);
  // For how long the pool was contested in [from, to).
  absl::Duration Contested(const PoolState& pool, absl::Time from,
                           absl::Time to) const;

  const absl::Duration half_life_;
  absl::Time now_ = absl::InfinitePast();
  double level_ = 0;  // the load of all active projects together
  std::vector<AccountState> accounts_;  // [0] is not used
  absl::flat_hash_map<Symbol, AccountId> by_project_;
  std::vector<PoolState> pools_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_FAIR_SHARE_H_
