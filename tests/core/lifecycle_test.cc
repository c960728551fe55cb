// Tests of the lifecycle: every pair of state and trigger, written out.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/lifecycle.h"

#include <map>
#include <utility>

#include "gtest/gtest.h"

namespace ccsched {
namespace {

using S = JobState;
using T = Trigger;

// All that is legal; everything else has to be refused.
const std::map<std::pair<S, T>, S>& Legal() {
  static const auto& legal = *new std::map<std::pair<S, T>, S>{
      {{S::kHeld, T::kRelease}, S::kQueued},
      {{S::kHeld, T::kReleaseBlocked}, S::kBlocked},
      {{S::kHeld, T::kCancel}, S::kCancelled},
      {{S::kHeld, T::kDependencyFailed}, S::kCancelled},
      {{S::kBlocked, T::kDependenciesMet}, S::kQueued},
      {{S::kBlocked, T::kHold}, S::kHeld},
      {{S::kBlocked, T::kCancel}, S::kCancelled},
      {{S::kBlocked, T::kDependencyFailed}, S::kCancelled},
      {{S::kQueued, T::kStart}, S::kStarting},
      {{S::kQueued, T::kDefer}, S::kDeferred},
      {{S::kQueued, T::kHold}, S::kHeld},
      {{S::kQueued, T::kCancel}, S::kCancelled},
      {{S::kDeferred, T::kWake}, S::kQueued},
      {{S::kDeferred, T::kStart}, S::kStarting},
      {{S::kDeferred, T::kDefer}, S::kDeferred},
      {{S::kDeferred, T::kHold}, S::kHeld},
      {{S::kDeferred, T::kCancel}, S::kCancelled},
      {{S::kSuspended, T::kStart}, S::kStarting},
      {{S::kSuspended, T::kRequeue}, S::kQueued},
      {{S::kSuspended, T::kHold}, S::kHeld},
      {{S::kSuspended, T::kCancel}, S::kCancelled},
      {{S::kStarting, T::kConfirm}, S::kRunning},
      {{S::kRunning, T::kConfirm}, S::kRunning},
      {{S::kSuspending, T::kConfirm}, S::kSuspending},
      {{S::kStopping, T::kConfirm}, S::kStopping},
      {{S::kStarting, T::kAskSuspend}, S::kSuspending},
      {{S::kRunning, T::kAskSuspend}, S::kSuspending},
      {{S::kSuspending, T::kGoOn}, S::kRunning},
      {{S::kStopping, T::kStopped}, S::kCancelled},
  };
  return legal;
}

bool IsEndOfAttempt(S from, T trigger, S* to) {
  static const auto& ends = *new std::map<T, S>{
      {T::kSucceed, S::kSucceeded},   {T::kFail, S::kFailed},
      {T::kTimeOut, S::kTimedOut},    {T::kRequeue, S::kQueued},
      {T::kSuspended, S::kSuspended}, {T::kAskStop, S::kStopping}};
  const auto found = ends.find(trigger);
  if (!HoldsCapacity(from) || found == ends.end()) return false;
  *to = found->second;
  return true;
}

TEST(LifecycleTest, AllowsWhatIsNamedAndNothingElse) {
  for (int s = 0; s <= static_cast<int>(S::kTimedOut); ++s) {
    for (int t = 0; t <= static_cast<int>(T::kCancel); ++t) {
      const S from = static_cast<S>(s);
      const T trigger = static_cast<T>(t);
      SCOPED_TRACE(std::string(ToString(from)) + " " +
                   std::string(ToString(trigger)));
      std::optional<S> expected;
      S end;
      if (const auto it = Legal().find({from, trigger}); it != Legal().end()) {
        expected = it->second;
      } else if (IsEndOfAttempt(from, trigger, &end)) {
        expected = end;
      }
      EXPECT_EQ(NextState(from, trigger), expected);
    }
  }
}

TEST(LifecycleTest, NothingLeavesATerminalState) {
  for (const S from :
       {S::kSucceeded, S::kFailed, S::kCancelled, S::kTimedOut}) {
    for (int t = 0; t <= static_cast<int>(T::kCancel); ++t) {
      EXPECT_FALSE(NextState(from, static_cast<T>(t)).has_value());
    }
  }
}

}  // namespace
}  // namespace ccsched
