// The Admin and Forecasts services: sites, nodes, policies, grid data.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_

#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/forecasts.grpc.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/inbox.h"

namespace ccsched {

// All but the report and the audit trail is answered by the driver; what
// changes anything takes an operator, and so does the trail. Thread safe.
class AdminService : public v1::Admin::CallbackService {
 public:
  AdminService(const Access* access, Inbox* inbox, LedgerReader* reader)
      : access_(access), inbox_(inbox), reader_(reader) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;
  grpc::ServerUnaryReactor* Sites(grpc::CallbackServerContext* context,
                                  const v1::SitesRequest* request,
                                  v1::SitesResponse* response) override;
  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context,
                                  const v1::NodesRequest* request,
                                  v1::NodesResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;
  grpc::ServerUnaryReactor* SetShadow(grpc::CallbackServerContext* context,
                                      const v1::SetShadowRequest* request,
                                      v1::SetShadowResponse* response) override;
  grpc::ServerUnaryReactor* Shadow(grpc::CallbackServerContext* context,
                                   const v1::ShadowRequest* request,
                                   v1::ShadowResponse* response) override;
  grpc::ServerUnaryReactor* Projects(grpc::CallbackServerContext* context,
                                     const v1::ProjectsRequest* request,
                                     v1::ProjectsResponse* response) override;
  grpc::ServerUnaryReactor* Policies(grpc::CallbackServerContext* context,
                                     const v1::PoliciesRequest* request,
                                     v1::PoliciesResponse* response) override;
  grpc::ServerUnaryReactor* SetPolicy(grpc::CallbackServerContext* context,
                                      const v1::SetPolicyRequest* request,
                                      v1::SetPolicyResponse* response) override;
  grpc::ServerUnaryReactor* Report(grpc::CallbackServerContext* context,
                                   const v1::ReportRequest* request,
                                   v1::ReportResponse* response) override;
  grpc::ServerUnaryReactor* Acts(grpc::CallbackServerContext* context,
                                 const v1::ActsRequest* request,
                                 v1::ActsResponse* response) override;

 private:
  const Access* const access_;
  Inbox* const inbox_;
  LedgerReader* const reader_;
};

// Thread safe.
class ForecastsService : public v1::Forecasts::CallbackService {
 public:
  ForecastsService(const Access* access, Inbox* inbox)
      : access_(access), inbox_(inbox) {}

  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context,
                                 const v1::PushForecastRequest* request,
                                 v1::PushForecastResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetForecastRequest* request,
                                v1::GetForecastResponse* response) override;

 private:
  const Access* const access_;
  Inbox* const inbox_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
