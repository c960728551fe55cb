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
class AdminService : public RareService<v1::Admin::Service> {
 public:
  AdminService(const Access* access, Inbox* inbox, LedgerReader* reader,
               RareCalls& calls);

 private:
  using Context = grpc::CallbackServerContext;

  void Status(const Context& context, v1::StatusRequest request,
              Reply<v1::StatusResponse> reply);
  void Sites(const Context& context, v1::SitesRequest request,
             Reply<v1::SitesResponse> reply);
  void Nodes(const Context& context, v1::NodesRequest request,
             Reply<v1::NodesResponse> reply);
  void Drain(const Context& context, v1::DrainRequest request,
             Reply<v1::DrainResponse> reply);
  void SetShadow(const Context& context, v1::SetShadowRequest request,
                 Reply<v1::SetShadowResponse> reply);
  void Shadow(const Context& context, v1::ShadowRequest request,
              Reply<v1::ShadowResponse> reply);
  void Projects(const Context& context, v1::ProjectsRequest request,
                Reply<v1::ProjectsResponse> reply);
  void Policies(const Context& context, v1::PoliciesRequest request,
                Reply<v1::PoliciesResponse> reply);
  void SetPolicy(const Context& context, v1::SetPolicyRequest request,
                 Reply<v1::SetPolicyResponse> reply);
  void Report(const Context& context, v1::ReportRequest request,
              Reply<v1::ReportResponse> reply);
  void Acts(const Context& context, v1::ActsRequest request,
            Reply<v1::ActsResponse> reply);

  const Access* const access_;
  Inbox* const inbox_;
  LedgerReader* const reader_;
};

// Thread safe.
class ForecastsService : public RareService<v1::Forecasts::Service> {
 public:
  ForecastsService(const Access* access, Inbox* inbox, RareCalls& calls);

 private:
  using Context = grpc::CallbackServerContext;

  void Push(const Context& context, v1::PushForecastRequest request,
            Reply<v1::PushForecastResponse> reply);
  void Get(const Context& context, v1::GetForecastRequest request,
           Reply<v1::GetForecastResponse> reply);

  const Access* const access_;
  Inbox* const inbox_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
