// Why a decision was taken, as data.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_REASON_H_
#define CCSCHED_SCHEDULER_MODEL_REASON_H_

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/units.h"

namespace ccsched {

enum class ReasonCode : uint8_t {
  kNone,
  kFirstFit,     // the first allowed site with room, now
  kCleanestNow,  // the cleanest allowed site with room, now
  kCleanerHour,  // waits: a later start emits less
  kCleanerSite,  // runs elsewhere than at the first site: emits less
  kBestIsNow,    // no allowed later start or other place emits less
  kCapacity,     // waits for room
  kBackfill,     // runs ahead of the queue's head, without delaying it
  kReserved,     // the queue's head: room is being kept for it
  kPromise,      // has to run now to keep its promise
  kNoData,       // no intensity is known: runs, unoptimised
  kThreshold,    // the policy's threshold on intensity says run, or wait
  kQuota,        // the policy's quota of running work is used up
  kNodeLost,     // its node was lost; it queues again
  kOperator,     // an operator asked for it
  kLosses,       // lost again and again: it pauses before the next start
  kResized,      // goes on at another width
  kCheaperHour,  // waits: a later start costs less money, if more carbon
  kCheaperSite,  // runs elsewhere: costs less money, if more carbon
  kBudget,       // held: its project's carbon budget is used up
  kDependency,   // runs as soon as the jobs that it waits for have succeeded
};
// The code as programs read it: "first-fit", "cleaner-hour", ...
std::string_view ToString(ReasonCode code);

// A place and time and what running there emits, as forecast.
struct Choice {
  PoolId pool;
  absl::Time start;
  GramsCo2e carbon;
  bool valid = false;  // the policy did weigh such a choice
  // What else it weighed of this choice (capacity, delay, money), in grams.
  GramsCo2e price{};
  // How long the job is planned to be suspended between its start and its end.
  absl::Duration paused{};
  // Of an elastic job: its accelerators there, and how much it does in an hour,
  // in hours at its own width. 0: its own.
  uint32_t count = 0;
  float speed = 1;
};

struct Reason {
  ReasonCode code = ReasonCode::kNone;
  Choice chosen;
  Choice now;   // at once, at the first allowed site
  Choice next;  // the best of what was not chosen
  // Parts of what the policy minimised that are not carbon, in grams.
  GramsCo2e capacity_price;
  GramsCo2e delay_price;
  GramsCo2e money_price;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_REASON_H_
