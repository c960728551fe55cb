// A scheduler that answers from a list of jobs, for tests of commands.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_CLI_FAKE_CLIENT_H_
#define CCSCHED_TESTS_CLI_FAKE_CLIENT_H_

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "scheduler/cli/client.h"

namespace ccsched {

// What the tests set up, and what was asked; outlives the client.
struct FakeScheduler {
  std::vector<v1::Job> jobs;
  std::vector<v1::JobSpec> submitted, previewed;
  v1::SubmitResponse submit_response;
  v1::PreviewResponse preview_response;
  v1::GetForecastResponse forecast;
  v1::SitesResponse sites;
  v1::NodesResponse nodes;
  v1::PoliciesResponse policies;
  v1::ProjectsResponse projects;
  v1::ShadowResponse shadow;
  std::vector<v1::SetShadowRequest> set_shadows;
  v1::ReportResponse report;
  std::vector<v1::ReportRequest> reports;
  std::vector<v1::Act> acts;  // the newest first
  std::vector<v1::ActsRequest> act_requests;
  std::vector<v1::SetPolicyRequest> set_policies;
  v1::JobActionResponse action_response;
  std::vector<v1::JobActionRequest> actions;
  std::deque<absl::Status> lists;  // each List takes one, where there is any
  // Each Watch takes one: what it streams, and how it ends.
  struct WatchScript {
    std::vector<v1::Job> jobs;
    absl::Status end;
  };
  std::deque<WatchScript> watches;
  std::string log;
  // Before all of it is told: how many of its bytes, and how that ends.
  std::vector<std::pair<size_t, absl::Status>> cut_logs;
  // Of each request in turn: where the output begins that is still there.
  std::vector<size_t> log_starts;
  uint64_t log_unwritten = 0;  // of what is missing before that
  std::vector<v1::LogsRequest> log_requests;
  v1::StatusResponse status;
};

class FakeClient : public Client {
 public:
  explicit FakeClient(FakeScheduler* s) : s_(*s) {}

  absl::StatusOr<v1::SubmitResponse> Submit(
      const v1::SubmitRequest& request) override {
    s_.submitted.push_back(request.job());
    return s_.submit_response;
  }
  absl::StatusOr<v1::PreviewResponse> Preview(
      const v1::PreviewRequest& request) override {
    s_.previewed.push_back(request.job());
    return s_.preview_response;
  }
  absl::StatusOr<v1::Job> Get(uint64_t job_id, bool) override {
    for (const v1::Job& job : s_.jobs) {
      if (job.id() == job_id) return job;
    }
    return absl::NotFoundError("no such job");
  }
  // Pages of two jobs.
  absl::StatusOr<v1::ListJobsResponse> List(
      const v1::ListJobsRequest& request) override {
    v1::ListJobsResponse response;
    if (!s_.lists.empty()) {
      const absl::Status status = s_.lists.front();
      s_.lists.pop_front();
      if (!status.ok()) return status;
    }
    size_t at =
        request.page_token().empty() ? 0 : std::stoul(request.page_token());
    for (int i = 0; i < 2 && at < s_.jobs.size(); ++i, ++at) {
      *response.add_jobs() =
          s_.jobs[request.newest_first() ? s_.jobs.size() - 1 - at : at];
    }
    if (at < s_.jobs.size()) response.set_next_page_token(std::to_string(at));
    return response;
  }
  absl::StatusOr<v1::JobActionResponse> Act(
      JobVerb, const v1::JobActionRequest& request) override {
    s_.actions.push_back(request);
    return s_.action_response;
  }
  absl::Status Watch(const v1::WatchJobsRequest&,
                     const std::function<bool(const v1::Job&)>& each) override {
    if (s_.watches.empty()) return absl::UnavailableError("nobody");
    const FakeScheduler::WatchScript script = s_.watches.front();
    s_.watches.pop_front();
    for (const v1::Job& job : script.jobs) {
      if (!each(job)) return absl::OkStatus();
    }
    return script.end;
  }
  absl::Status Logs(
      const v1::LogsRequest& request,
      const std::function<bool(const v1::LogChunk&)>& each) override {
    s_.log_requests.push_back(request);
    v1::LogChunk chunk;
    size_t from = 0;
    if (!s_.log_starts.empty()) {
      from = s_.log_starts.front();
      s_.log_starts.erase(s_.log_starts.begin());
      chunk.set_offset(from);
      chunk.set_unwritten(s_.log_unwritten);
    }
    if (s_.cut_logs.empty()) {
      chunk.set_data(s_.log.substr(from));
      each(chunk);
      return absl::OkStatus();
    }
    const auto [bytes, end] = s_.cut_logs.front();
    s_.cut_logs.erase(s_.cut_logs.begin());
    chunk.set_data(s_.log.substr(from, bytes));
    if (bytes > 0) each(chunk);
    return end;
  }
  absl::StatusOr<v1::StatusResponse> Status(absl::Duration) override {
    return s_.status;
  }
  absl::StatusOr<v1::SitesResponse> Sites() override { return s_.sites; }
  absl::StatusOr<v1::NodesResponse> Nodes(const std::string&) override {
    return s_.nodes;
  }
  absl::Status Drain(const v1::DrainRequest&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<v1::ProjectsResponse> Projects() override {
    return s_.projects;
  }
  absl::StatusOr<v1::PoliciesResponse> Policies() override {
    return s_.policies;
  }
  absl::Status SetPolicy(const v1::SetPolicyRequest& request) override {
    s_.set_policies.push_back(request);
    return absl::OkStatus();
  }
  absl::Status SetShadow(const v1::SetShadowRequest& request) override {
    s_.set_shadows.push_back(request);
    return absl::OkStatus();
  }
  absl::StatusOr<v1::ShadowResponse> Shadow() override { return s_.shadow; }
  absl::StatusOr<v1::ReportResponse> Report(
      const v1::ReportRequest& request) override {
    s_.reports.push_back(request);
    return s_.report;
  }
  // Pages of two acts.
  absl::StatusOr<v1::ActsResponse> Acts(
      const v1::ActsRequest& request) override {
    s_.act_requests.push_back(request);
    v1::ActsResponse response;
    size_t at =
        request.page_token().empty() ? 0 : std::stoul(request.page_token());
    for (int i = 0; i < 2 && at < s_.acts.size(); ++i) {
      *response.add_acts() = s_.acts[at++];
    }
    if (at < s_.acts.size()) response.set_next_page_token(std::to_string(at));
    return response;
  }
  absl::StatusOr<v1::PushForecastResponse> PushForecast(
      const v1::PushForecastRequest&) override {
    return v1::PushForecastResponse();
  }
  absl::StatusOr<v1::GetForecastResponse> GetForecast(
      const v1::GetForecastRequest&) override {
    return s_.forecast;
  }

 private:
  FakeScheduler& s_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_CLI_FAKE_CLIENT_H_
