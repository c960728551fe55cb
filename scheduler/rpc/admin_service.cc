// The Admin and Forecasts services: sites, nodes, policies, grid data.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/admin_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/audit.h"
#include "scheduler/rpc/job_view.h"
#include "scheduler/rpc/unary.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

absl::StatusOr<ReportBy> ParseReportBy(const std::string& by) {
  if (by.empty() || by == "site") return ReportBy::kSite;
  if (by == "user") return ReportBy::kUser;
  if (by == "project") return ReportBy::kProject;
  if (by == "region") return ReportBy::kRegion;
  if (by == "job") return ReportBy::kJob;
  if (by == "month") return ReportBy::kMonth;
  return absl::InvalidArgumentError(absl::StrCat(
      "by: \"", by, "\" is none of user, project, site, region, job, month"));
}

// The nodes' energy that is nobody's, and whether all of it adds up.
void AddUnallocated(const LedgerReport& report, v1::ReportResponse& response) {
  if (report.unallocated.empty()) return;
  for (const ReportRecord& row : report.unallocated) {
    *response.add_unallocated() = ReportView(row);
  }
  const ReportRecord& idle = report.unallocated_total;
  *response.mutable_unallocated_total() = ReportView(idle);
  response.set_metered_kwh(Kwh(idle.metered_joules));
  response.set_unmetered_kwh(Kwh(report.total.joules.value_or(0) +
                                 idle.joules.value_or(0) -
                                 idle.metered_joules));
}

absl::StatusOr<v1::ReportResponse> MakeReport(
    LedgerReader& reader, const v1::ReportRequest& request) {
  v1::ReportResponse response;
  ReportFilter filter;
  ASSIGN_OR_RETURN(filter.by, ParseReportBy(request.by()));
  if (request.has_from()) filter.from = FromProto(request.from());
  if (request.has_to()) filter.to = FromProto(request.to());
  if (request.has_as_of()) filter.as_of = FromProto(request.as_of());
  if (filter.from && filter.to && *filter.from >= *filter.to) {
    return absl::InvalidArgumentError("from: must be before to");
  }
  filter.user = request.user();
  filter.project = request.project();
  ASSIGN_OR_RETURN(const LedgerReport report, reader.Report(filter));
  for (const ReportRecord& row : report.rows) {
    *response.add_rows() = ReportView(row);
  }
  *response.mutable_total() = ReportView(report.total);
  AddUnallocated(report, response);
  if (request.has_as_of()) *response.mutable_as_of() = request.as_of();
  response.set_baseline(
      "each ended job run at its submission, at the first allowed site that "
      "then had room, with the energy it really used");
  if (request.has_from()) *response.mutable_from() = request.from();
  if (request.has_to()) *response.mutable_to() = request.to();
  return response;
}

// What changes the cluster, or what is believed of its grids.
template <typename Request, typename Response>
void PushOperatorCall(const Access& access, Inbox* inbox,
                      const grpc::CallbackServerContext& context,
                      Request request, const Reply<Response>& reply) {
  const absl::Status allowed = access.MayOperate(context);
  if (allowed.ok()) {
    return PushCall(inbox, request, reply, CallerOf(context));
  }
  LogAct(ActOf(request, CallerOf(context)), allowed);
  reply(allowed);
}

}  // namespace

AdminService::AdminService(const Access* access, Inbox* inbox,
                           LedgerReader* reader, RareCalls& calls)
    : access_(access), inbox_(inbox), reader_(reader) {
  const std::string name = v1::Admin::service_full_name();
  Serve(calls, name, "Status", &AdminService::OnStatus);
  Serve(calls, name, "Sites", &AdminService::OnSites);
  Serve(calls, name, "Nodes", &AdminService::OnNodes);
  Serve(calls, name, "Drain", &AdminService::OnDrain);
  Serve(calls, name, "SetShadow", &AdminService::OnSetShadow);
  Serve(calls, name, "Shadow", &AdminService::OnShadow);
  Serve(calls, name, "Projects", &AdminService::OnProjects);
  Serve(calls, name, "Policies", &AdminService::OnPolicies);
  Serve(calls, name, "SetPolicy", &AdminService::OnSetPolicy);
  Serve(calls, name, "Report", &AdminService::OnReport);
  Serve(calls, name, "Acts", &AdminService::OnActs);
}

void AdminService::OnStatus(const Context& /*context*/,
                            const v1::StatusRequest& request,
                            const Reply<v1::StatusResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnSites(const Context& /*context*/,
                           const v1::SitesRequest& request,
                           const Reply<v1::SitesResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnNodes(const Context& /*context*/,
                           const v1::NodesRequest& request,
                           const Reply<v1::NodesResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnDrain(const Context& context,
                           const v1::DrainRequest& request,
                           const Reply<v1::DrainResponse>& reply) {
  PushOperatorCall(*access_, inbox_, context, request, reply);
}

void AdminService::OnSetShadow(const Context& context,
                               const v1::SetShadowRequest& request,
                               const Reply<v1::SetShadowResponse>& reply) {
  PushOperatorCall(*access_, inbox_, context, request, reply);
}

void AdminService::OnShadow(const Context& /*context*/,
                            const v1::ShadowRequest& request,
                            const Reply<v1::ShadowResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnProjects(const Context& /*context*/,
                              const v1::ProjectsRequest& request,
                              const Reply<v1::ProjectsResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnPolicies(const Context& /*context*/,
                              const v1::PoliciesRequest& request,
                              const Reply<v1::PoliciesResponse>& reply) {
  PushCall(inbox_, request, reply);
}

void AdminService::OnSetPolicy(const Context& context,
                               const v1::SetPolicyRequest& request,
                               const Reply<v1::SetPolicyResponse>& reply) {
  PushOperatorCall(*access_, inbox_, context, request, reply);
}

void AdminService::OnReport(const Context& /*context*/,
                            const v1::ReportRequest& request,
                            const Reply<v1::ReportResponse>& reply) {
  reply(MakeReport(*reader_, request));
}

void AdminService::OnActs(const Context& context,
                          const v1::ActsRequest& request,
                          const Reply<v1::ActsResponse>& reply) {
  const absl::Status allowed = access_->MayOperate(context);
  if (!allowed.ok()) return reply(allowed);
  v1::ActsResponse response;
  const absl::Status made = ActsPage(*reader_, request, response);
  if (!made.ok()) return reply(made);
  reply(std::move(response));
}

ForecastsService::ForecastsService(const Access* access, Inbox* inbox,
                                   RareCalls& calls)
    : access_(access), inbox_(inbox) {
  const std::string name = v1::Forecasts::service_full_name();
  Serve(calls, name, "Push", &ForecastsService::OnPush);
  Serve(calls, name, "Get", &ForecastsService::OnGet);
}

void ForecastsService::OnPush(const Context& context,
                              const v1::PushForecastRequest& request,
                              const Reply<v1::PushForecastResponse>& reply) {
  PushOperatorCall(*access_, inbox_, context, request, reply);
}

void ForecastsService::OnGet(const Context& /*context*/,
                             const v1::GetForecastRequest& request,
                             const Reply<v1::GetForecastResponse>& reply) {
  PushCall(inbox_, request, reply);
}

}  // namespace ccsched
