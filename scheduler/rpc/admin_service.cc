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

// A handler of any method that changes the cluster, or what is believed of its
// grids: the driver answers it, to operators.
auto AskAsOperator(const Access* access, Inbox* inbox) {
  return [access, inbox](const grpc::CallbackServerContext& context,
                         const auto& request, const auto& reply) {
    const absl::Status allowed = access->MayOperate(context);
    if (allowed.ok()) {
      return PushCall(inbox, request, reply, CallerOf(context));
    }
    LogAct(ActOf(request, CallerOf(context)), allowed);
    reply(allowed);
  };
}

}  // namespace

AdminService::AdminService(const Access* access, Inbox* inbox,
                           LedgerReader* reader, RareCalls& calls) {
  using Context = grpc::CallbackServerContext;
  const auto ask = AskDriver(inbox);
  const auto operate = AskAsOperator(access, inbox);
  Serve<v1::StatusRequest, v1::StatusResponse>(calls, "Status", ask);
  Serve<v1::SitesRequest, v1::SitesResponse>(calls, "Sites", ask);
  Serve<v1::NodesRequest, v1::NodesResponse>(calls, "Nodes", ask);
  Serve<v1::ShadowRequest, v1::ShadowResponse>(calls, "Shadow", ask);
  Serve<v1::ProjectsRequest, v1::ProjectsResponse>(calls, "Projects", ask);
  Serve<v1::PoliciesRequest, v1::PoliciesResponse>(calls, "Policies", ask);
  Serve<v1::DrainRequest, v1::DrainResponse>(calls, "Drain", operate);
  Serve<v1::SetShadowRequest, v1::SetShadowResponse>(calls, "SetShadow",
                                                     operate);
  Serve<v1::SetPolicyRequest, v1::SetPolicyResponse>(calls, "SetPolicy",
                                                     operate);
  Serve<v1::ReportRequest, v1::ReportResponse>(
      calls, "Report",
      [reader](const Context& /*context*/, const v1::ReportRequest& request,
               const Reply<v1::ReportResponse>& reply) {
        reply(MakeReport(*reader, request));
      });
  Serve<v1::ActsRequest, v1::ActsResponse>(
      calls, "Acts",
      [access, reader](const Context& context, const v1::ActsRequest& request,
                       const Reply<v1::ActsResponse>& reply) {
        v1::ActsResponse response;
        absl::Status made = access->MayOperate(context);
        if (made.ok()) made = ActsPage(*reader, request, response);
        if (!made.ok()) return reply(made);
        reply(std::move(response));
      });
}

ForecastsService::ForecastsService(const Access* access, Inbox* inbox,
                                   RareCalls& calls) {
  Serve<v1::PushForecastRequest, v1::PushForecastResponse>(
      calls, "Push", AskAsOperator(access, inbox));
  Serve<v1::GetForecastRequest, v1::GetForecastResponse>(calls, "Get",
                                                         AskDriver(inbox));
}

}  // namespace ccsched
