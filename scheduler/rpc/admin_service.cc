// The Admin and Forecasts services: sites, nodes, policies, grid data.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/admin_service.h"

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

absl::Status MakeReport(LedgerReader& reader, const v1::ReportRequest& request,
                        v1::ReportResponse& response) {
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
  return absl::OkStatus();
}

// What changes the cluster, or what is believed of its grids.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* PushOperatorCall(const Access& access, Inbox* inbox,
                                           grpc::CallbackServerContext* context,
                                           const Request& request,
                                           Response* response) {
  const absl::Status allowed = access.MayOperate(*context);
  if (allowed.ok()) {
    return PushCall(inbox, context, request, response, CallerOf(*context));
  }
  LogAct(ActOf(request, CallerOf(*context)), allowed);
  return FinishAtOnce(context, allowed);
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::Status(
    grpc::CallbackServerContext* context, const v1::StatusRequest* request,
    v1::StatusResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Sites(
    grpc::CallbackServerContext* context, const v1::SitesRequest* request,
    v1::SitesResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Nodes(
    grpc::CallbackServerContext* context, const v1::NodesRequest* request,
    v1::NodesResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Drain(
    grpc::CallbackServerContext* context, const v1::DrainRequest* request,
    v1::DrainResponse* response) {
  return PushOperatorCall(*access_, inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::SetShadow(
    grpc::CallbackServerContext* context, const v1::SetShadowRequest* request,
    v1::SetShadowResponse* response) {
  return PushOperatorCall(*access_, inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Shadow(
    grpc::CallbackServerContext* context, const v1::ShadowRequest* request,
    v1::ShadowResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Projects(
    grpc::CallbackServerContext* context, const v1::ProjectsRequest* request,
    v1::ProjectsResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Policies(
    grpc::CallbackServerContext* context, const v1::PoliciesRequest* request,
    v1::PoliciesResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::SetPolicy(
    grpc::CallbackServerContext* context, const v1::SetPolicyRequest* request,
    v1::SetPolicyResponse* response) {
  return PushOperatorCall(*access_, inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* AdminService::Report(
    grpc::CallbackServerContext* context, const v1::ReportRequest* request,
    v1::ReportResponse* response) {
  return FinishAtOnce(context, MakeReport(*reader_, *request, *response));
}

grpc::ServerUnaryReactor* AdminService::Acts(
    grpc::CallbackServerContext* context, const v1::ActsRequest* request,
    v1::ActsResponse* response) {
  const absl::Status allowed = access_->MayOperate(*context);
  return FinishAtOnce(context, allowed.ok()
                                   ? ActsPage(*reader_, *request, *response)
                                   : allowed);
}

grpc::ServerUnaryReactor* ForecastsService::Push(
    grpc::CallbackServerContext* context,
    const v1::PushForecastRequest* request,
    v1::PushForecastResponse* response) {
  return PushOperatorCall(*access_, inbox_, context, *request, response);
}

grpc::ServerUnaryReactor* ForecastsService::Get(
    grpc::CallbackServerContext* context, const v1::GetForecastRequest* request,
    v1::GetForecastResponse* response) {
  return PushCall(inbox_, context, *request, response);
}

}  // namespace ccsched
