// The states of a job and the only ways from one to another.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/core/lifecycle.h"

#include <array>
#include <cstddef>

namespace ccsched {
namespace {

using S = JobState;
using T = Trigger;

// Ends that any attempt which holds capacity can come to.
constexpr std::optional<JobState> AfterEnd(Trigger trigger) {
  switch (trigger) {
    case T::kSucceed:
      return S::kSucceeded;
    case T::kFail:
      return S::kFailed;
    case T::kTimeOut:
      return S::kTimedOut;
    case T::kRequeue:
      return S::kQueued;
    case T::kSuspended:
      return S::kSuspended;
    default:
      return std::nullopt;
  }
}

constexpr std::optional<JobState> FromWaiting(JobState state, Trigger trigger) {
  switch (trigger) {
    case T::kDefer:
      return S::kDeferred;
    case T::kStart:
      return S::kStarting;
    case T::kHold:
      return S::kHeld;
    case T::kCancel:
      return S::kCancelled;
    case T::kWake:
      if (state == S::kDeferred) return S::kQueued;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

constexpr std::optional<JobState> FromHeld(Trigger trigger) {
  switch (trigger) {
    case T::kRelease:
      return S::kQueued;
    case T::kReleaseBlocked:
      return S::kBlocked;
    case T::kCancel:
    case T::kDependencyFailed:
      return S::kCancelled;
    default:
      return std::nullopt;
  }
}

constexpr std::optional<JobState> FromBlocked(Trigger trigger) {
  switch (trigger) {
    case T::kDependenciesMet:
      return S::kQueued;
    case T::kHold:
      return S::kHeld;
    case T::kCancel:
    case T::kDependencyFailed:
      return S::kCancelled;
    default:
      return std::nullopt;
  }
}

constexpr std::optional<JobState> FromRunning(JobState state, Trigger trigger) {
  switch (trigger) {
    case T::kConfirm:
      // A late confirmation does not undo a request to stop.
      return state == S::kStarting ? S::kRunning : state;
    case T::kAskSuspend:
      if (state == S::kStarting || state == S::kRunning) return S::kSuspending;
      return std::nullopt;
    case T::kGoOn:
      if (state == S::kSuspending) return S::kRunning;
      return std::nullopt;
    case T::kAskStop:
      return S::kStopping;
    case T::kStopped:
      if (state == S::kStopping) return S::kCancelled;
      return std::nullopt;
    default:
      return AfterEnd(trigger);
  }
}

constexpr std::optional<JobState> Next(JobState state, Trigger trigger) {
  switch (state) {
    case S::kHeld:
      return FromHeld(trigger);
    case S::kBlocked:
      return FromBlocked(trigger);
    case S::kQueued:
    case S::kDeferred:
      return FromWaiting(state, trigger);
    case S::kSuspended:
      // It waits like a queued job, but can't be deferred: it is simply not
      // taken up.
      if (trigger == T::kDefer || trigger == T::kWake) return std::nullopt;
      if (trigger == T::kRequeue) return S::kQueued;
      return FromWaiting(state, trigger);
    case S::kStarting:
    case S::kRunning:
    case S::kSuspending:
    case S::kStopping:
      return FromRunning(state, trigger);
    case S::kSucceeded:
    case S::kFailed:
    case S::kCancelled:
    case S::kTimedOut:
      return std::nullopt;
  }
  return std::nullopt;
}

// All of it as a table, as each event of a job looks a transition up.
constexpr size_t kStates = static_cast<size_t>(S::kTimedOut) + 1;
constexpr size_t kTriggers = static_cast<size_t>(T::kCancel) + 1;
constexpr auto kNext = [] {
  std::array<std::array<std::optional<JobState>, kTriggers>, kStates> next;
  for (size_t s = 0; s < kStates; ++s) {
    for (size_t t = 0; t < kTriggers; ++t) {
      next[s][t] = Next(static_cast<S>(s), static_cast<T>(t));
    }
  }
  return next;
}();

}  // namespace

std::optional<JobState> NextState(JobState state, Trigger trigger) {
  return kNext[static_cast<size_t>(state)][static_cast<size_t>(trigger)];
}

std::string_view ToString(Trigger trigger) {
  switch (trigger) {
    case T::kHold:
      return "hold";
    case T::kRelease:
      return "release";
    case T::kReleaseBlocked:
      return "release-blocked";
    case T::kDependenciesMet:
      return "dependencies-met";
    case T::kDependencyFailed:
      return "dependency-failed";
    case T::kDefer:
      return "defer";
    case T::kWake:
      return "wake";
    case T::kStart:
      return "start";
    case T::kConfirm:
      return "confirm";
    case T::kAskSuspend:
      return "ask-suspend";
    case T::kGoOn:
      return "go-on";
    case T::kAskStop:
      return "ask-stop";
    case T::kSucceed:
      return "succeed";
    case T::kFail:
      return "fail";
    case T::kTimeOut:
      return "time-out";
    case T::kStopped:
      return "stopped";
    case T::kRequeue:
      return "requeue";
    case T::kSuspended:
      return "suspended";
    case T::kCancel:
      return "cancel";
  }
  return "unknown";
}

}  // namespace ccsched
