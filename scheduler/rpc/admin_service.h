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

  void OnStatus(const Context& context, const v1::StatusRequest& request,
                const Reply<v1::StatusResponse>& reply);
  void OnSites(const Context& context, const v1::SitesRequest& request,
               const Reply<v1::SitesResponse>& reply);
  void OnNodes(const Context& context, const v1::NodesRequest& request,
               const Reply<v1::NodesResponse>& reply);
  void OnDrain(const Context& context, const v1::DrainRequest& request,
               const Reply<v1::DrainResponse>& reply);
  void OnSetShadow(const Context& context, const v1::SetShadowRequest& request,
                   const Reply<v1::SetShadowResponse>& reply);
  void OnShadow(const Context& context, const v1::ShadowRequest& request,
                const Reply<v1::ShadowResponse>& reply);
  void OnProjects(const Context& context, const v1::ProjectsRequest& request,
                  const Reply<v1::ProjectsResponse>& reply);
  void OnPolicies(const Context& context, const v1::PoliciesRequest& request,
                  const Reply<v1::PoliciesResponse>& reply);
  void OnSetPolicy(const Context& context, const v1::SetPolicyRequest& request,
                   const Reply<v1::SetPolicyResponse>& reply);
  void OnReport(const Context& context, const v1::ReportRequest& request,
                const Reply<v1::ReportResponse>& reply);
  void OnActs(const Context& context, const v1::ActsRequest& request,
              const Reply<v1::ActsResponse>& reply);

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

  void OnPush(const Context& context, const v1::PushForecastRequest& request,
              const Reply<v1::PushForecastResponse>& reply);
  void OnGet(const Context& context, const v1::GetForecastRequest& request,
             const Reply<v1::GetForecastResponse>& reply);

  const Access* const access_;
  Inbox* const inbox_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_ADMIN_SERVICE_H_
