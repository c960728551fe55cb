// The Jobs service: submits, shows and steers jobs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/jobs_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/audit.h"
#include "scheduler/rpc/job_view.h"
#include "scheduler/rpc/log_stream.h"
#include "scheduler/rpc/page.h"
#include "scheduler/rpc/submit_stream.h"
#include "scheduler/rpc/unary.h"
#include "scheduler/rpc/watch_stream.h"

namespace ccsched {
namespace {

absl::StatusOr<JobFilter> FilterOf(const v1::ListJobsRequest& request) {
  JobFilter filter;
  for (const int state : request.states()) {
    ASSIGN_OR_RETURN(const JobState model,
                     FromProto(static_cast<v1::JobState>(state)));
    filter.states.push_back(static_cast<uint8_t>(model));
  }
  if (filter.states.empty() && !request.all()) {
    for (int s = 0; !IsTerminal(static_cast<JobState>(s)); ++s) {
      filter.states.push_back(static_cast<uint8_t>(s));
    }
  }
  filter.user = request.user();
  filter.project = request.project();
  filter.limit = PageSize(request.page_size());
  filter.newest_first = request.newest_first();
  uint64_t last = 0;
  if (!request.page_token().empty() &&
      !absl::SimpleAtoi(request.page_token(), &last)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_token: \"", request.page_token(), "\" was not given by List"));
  }
  (filter.newest_first ? filter.before : filter.after) = JobId(last);
  return filter;
}

absl::StatusOr<v1::ListJobsResponse> ListPage(
    LedgerReader& reader, const v1::ListJobsRequest& request) {
  v1::ListJobsResponse response;
  ASSIGN_OR_RETURN(JobFilter filter, FilterOf(request));
  const uint32_t page = filter.limit++;  // one more tells whether there is more
  ASSIGN_OR_RETURN(const std::vector<JobRecord> records, reader.Jobs(filter));
  for (size_t i = 0; i < records.size() && i < page; ++i) {
    *response.add_jobs() = JobView(records[i]);
  }
  if (records.size() > page) {
    response.set_next_page_token(
        absl::StrCat(records[page - 1].submission.id.value()));
  }
  return response;
}

absl::StatusOr<v1::Job> GetView(LedgerReader& reader, JobId id,
                                bool with_emissions) {
  ASSIGN_OR_RETURN(const JobRecord record, reader.Job(id));
  ASSIGN_OR_RETURN(std::vector<EmissionRow> emissions,
                   reader.Emissions(id, with_emissions));
  std::vector<v1::EmissionSlice> slices;
  if (with_emissions) {
    for (const EmissionRow& row : emissions) slices.push_back(SliceView(row));
    std::erase_if(emissions, [](const EmissionRow& row) {
      return row.superseded_by.has_value();
    });
  }
  v1::Job response = JobView(record, emissions);
  response.mutable_emissions()->Assign(slices.begin(), slices.end());
  ASSIGN_OR_RETURN(const std::vector<ActRow> acts, reader.Acts(id));
  for (const ActRow& act : acts) *response.add_acts() = ActView(act);
  return response;
}

}  // namespace

JobsService::JobsService(const Access* access, Inbox* inbox,
                         LedgerReader* reader, WatchHub* hub,
                         AgentDirectory* directory, RareCalls& calls)
    : access_(access),
      inbox_(inbox),
      reader_(reader),
      hub_(hub),
      directory_(directory) {
  Serve<v1::PreviewRequest, v1::PreviewResponse>(calls, "Preview",
                                                 AskDriver(inbox));
  Serve<v1::GetJobRequest, v1::Job>(
      calls, "Get",
      [reader](const Context& /*context*/, const v1::GetJobRequest& request,
               const Reply<v1::Job>& reply) {
        reply(GetView(*reader, JobId(request.job_id()),
                      request.with_emissions()));
      });
  Serve<v1::ListJobsRequest, v1::ListJobsResponse>(
      calls, "List",
      [reader](const Context& /*context*/, const v1::ListJobsRequest& request,
               const Reply<v1::ListJobsResponse>& reply) {
        reply(ListPage(*reader, request));
      });
  ServeAction(calls, "Cancel", JobActionKind::kCancel);
  ServeAction(calls, "Hold", JobActionKind::kHold);
  ServeAction(calls, "Release", JobActionKind::kRelease);
  ServeAction(calls, "Resize", JobActionKind::kResize);
}

void JobsService::ServeAction(RareCalls& calls, const std::string& method,
                              JobActionKind kind) {
  Serve<v1::JobActionRequest, v1::JobActionResponse>(
      calls, method,
      [this, kind](const Context& context, const v1::JobActionRequest& request,
                   const Reply<v1::JobActionResponse>& reply) {
        Act(kind, context, request, reply);
      });
}

grpc::ServerUnaryReactor* JobsService::Submit(
    grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
    v1::SubmitResponse* response) {
  const absl::Status allowed =
      access_->MayActFor(*context, request->job().user());
  if (!allowed.ok()) return FinishAtOnce(context, allowed);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  Submission submission;
  submission.jobs.push_back(&request->job());
  submission.wants_warnings = true;
  submission.reply = [finisher = std::make_shared<UnaryFinisher>(reactor),
                      response](absl::Status status,
                                absl::InlinedVector<SubmitResult, 1> results) {
    if (status.ok()) {
      status = results[0].status;
      response->set_job_id(results[0].first.value());
      response->set_jobs(results[0].jobs);
      response->set_existed(results[0].existed);
      response->set_warning(results[0].warning);
    }
    finisher->Finish(status);
  };
  PushOrRefuse(inbox_, std::move(submission));
  return reactor;
}

grpc::ServerReadReactor<v1::SubmitBulkRequest>* JobsService::SubmitBulk(
    grpc::CallbackServerContext* context, v1::SubmitBulkResponse* response) {
  return SubmitStream::Begin(
      [access = access_, name = CertificateName(*context)](
          std::string_view user) { return access->MayActFor(name, user); },
      inbox_, response);
}

grpc::ServerWriteReactor<v1::Job>* JobsService::Watch(
    grpc::CallbackServerContext* /*context*/,
    const v1::WatchJobsRequest* request) {
  return WatchStream::Begin(reader_, hub_, *request);
}

// What is not there is found missing by whoever looks for it next.
absl::Status JobsService::MayTouch(const Context& context, uint64_t job) const {
  if (!access_->on()) return absl::OkStatus();
  const absl::StatusOr<std::string> owner = reader_->Owner(JobId(job));
  if (absl::IsNotFound(owner.status())) return absl::OkStatus();
  RETURN_IF_ERROR(owner.status());
  return access_->MayActFor(context, *owner);
}

void JobsService::Act(JobActionKind kind, const Context& context,
                      const v1::JobActionRequest& request,
                      const Reply<v1::JobActionResponse>& reply) {
  for (const uint64_t job : request.job_ids()) {
    const absl::Status allowed = MayTouch(context, job);
    if (allowed.ok()) continue;
    LogAct(ActOf(kind, request, CallerOf(context)), allowed);
    return reply(allowed);
  }
  PushOrRefuse(inbox_, JobAction{kind, {request, reply, CallerOf(context)}});
}

grpc::ServerWriteReactor<v1::LogChunk>* JobsService::Logs(
    grpc::CallbackServerContext* context, const v1::LogsRequest* request) {
  const absl::Status allowed = MayTouch(*context, request->job_id());
  if (!allowed.ok()) {
    return RefusedStream<grpc::ServerWriteReactor<v1::LogChunk>>::Begin(
        allowed);
  }
  return LogStream::Begin(reader_, directory_, *request);
}

}  // namespace ccsched
