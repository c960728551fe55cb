// The Admin and Forecasts services: sites, nodes, policies, grid data.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_

#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/forecasts.grpc.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/rpc/rare_calls.h"

namespace ccsched {

// All but the report and the audit trail is answered by the driver; what
// changes anything takes an operator, and so does the trail. Thread safe.
class AdminService : public RareService<v1::Admin> {
 public:
  AdminService(const Access* access, Inbox* inbox, LedgerReader* reader,
               RareCalls& calls);
};

// Thread safe.
class ForecastsService : public RareService<v1::Forecasts> {
 public:
  ForecastsService(const Access* access, Inbox* inbox, RareCalls& calls);
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
