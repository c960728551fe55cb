// Names of reasons.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/reason.h"

namespace ccsched {

std::string_view ToString(ReasonCode code) {
  switch (code) {
    case ReasonCode::kNone:
      return "none";
    case ReasonCode::kFirstFit:
      return "first-fit";
    case ReasonCode::kCleanestNow:
      return "cleanest-now";
    case ReasonCode::kCleanerHour:
      return "cleaner-hour";
    case ReasonCode::kCleanerSite:
      return "cleaner-site";
    case ReasonCode::kBestIsNow:
      return "best-is-now";
    case ReasonCode::kCapacity:
      return "capacity";
    case ReasonCode::kBackfill:
      return "backfill";
    case ReasonCode::kReserved:
      return "reserved";
    case ReasonCode::kPromise:
      return "promise";
    case ReasonCode::kNoData:
      return "no-data";
    case ReasonCode::kThreshold:
      return "threshold";
    case ReasonCode::kQuota:
      return "quota";
    case ReasonCode::kNodeLost:
      return "node-lost";
    case ReasonCode::kOperator:
      return "operator";
    case ReasonCode::kLosses:
      return "losses";
    case ReasonCode::kResized:
      return "resized";
    case ReasonCode::kCheaperHour:
      return "cheaper-hour";
    case ReasonCode::kCheaperSite:
      return "cheaper-site";
    case ReasonCode::kBudget:
      return "budget";
    case ReasonCode::kDependency:
      return "dependency";
  }
  return "unknown";
}

}  // namespace ccsched
