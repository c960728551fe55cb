// Names of outcomes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/event.h"

namespace ccsched {

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return "succeeded";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kTimedOut:
      return "timed-out";
    case Outcome::kStopped:
      return "stopped";
    case Outcome::kSuspended:
      return "suspended";
    case Outcome::kLost:
      return "lost";
    case Outcome::kRefused:
      return "refused";
  }
  return "unknown";
}

}  // namespace ccsched
