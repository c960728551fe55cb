// The audit trail: who did what, in one shape.
// SPDX-License-Identifier: Apache-2.0
//
// Each act of an operator or a user is a line of the log,
//
//   {"time":"…","level":"info","message":"act","by":"alice","act":"cancel",
//    "target":"jobs 7,9","detail":"wrong data","outcome":"done"}
//
// whether it was done or refused; one that was done is on record with what it
// changed (Batch::acts), for good.
#ifndef CCSCHED_SCHEDULER_RPC_AUDIT_H_
#define CCSCHED_SCHEDULER_RPC_AUDIT_H_

#include <string>

#include "absl/status/status.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/input.h"

namespace ccsched {

struct AuditAct {
  std::string by;      // CallerOf; empty: nobody's act, and in no trail
  std::string what;    // cancel hold release resize drain undrain ...
  std::string target;  // "jobs 7,9", "node n1", "policy planner", ...
  std::string detail;  // the reason that was given, and the like
};

// `by`: CallerOf.
AuditAct ActOf(JobActionKind kind, const v1::JobActionRequest& request,
               std::string by = "");
AuditAct ActOf(const v1::DrainRequest& request, std::string by = "");
AuditAct ActOf(const v1::SetPolicyRequest& request, std::string by = "");
AuditAct ActOf(const v1::SetShadowRequest& request, std::string by = "");
AuditAct ActOf(const v1::PushForecastRequest& request, std::string by = "");

// A page of those on record. Errors: InvalidArgument for a period that is none
// and a token that no page gave.
absl::Status ActsPage(LedgerReader& reader, const v1::ActsRequest& request,
                      v1::ActsResponse& response);

void LogAct(const AuditAct& act, const absl::Status& outcome);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AUDIT_H_
