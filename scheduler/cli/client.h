// The scheduler's services as plain calls; the only file of the command line
// that knows gRPC is client.cc.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_CLIENT_H_
#define CCSCHED_SCHEDULER_CLI_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "ccsched/v1/jobs.pb.h"

namespace ccsched {

// Where the scheduler is, and how it is reached: TLS files are PEM; none of
// them: in clear.
struct Endpoint {
  std::string address;  // "host:port" or "unix:/path"
  std::string tls_ca, tls_certificate, tls_key;
};

// For so long a command that goes on tries again once a scheduler that was
// there, or the node it asks through it, is lost.
inline constexpr absl::Duration kLostPatience = absl::Minutes(1);

enum class JobVerb { kCancel, kHold, kRelease, kResize };

// Not thread safe. Errors of all calls are those of the service; Unavailable,
// with what to do about it, if no scheduler answers.
class Client {
 public:
  // Connects at the first call; what is wrong with the TLS files is the error
  // of every call.
  static std::unique_ptr<Client> Connect(const Endpoint& endpoint);
  virtual ~Client() = default;

  virtual absl::StatusOr<v1::SubmitResponse> Submit(
      const v1::SubmitRequest& request) = 0;
  virtual absl::StatusOr<v1::PreviewResponse> Preview(
      const v1::PreviewRequest& request) = 0;
  virtual absl::StatusOr<v1::Job> Get(uint64_t job_id,
                                      bool with_emissions = false) = 0;
  virtual absl::StatusOr<v1::ListJobsResponse> List(
      const v1::ListJobsRequest& request) = 0;
  virtual absl::StatusOr<v1::JobActionResponse> Act(
      JobVerb verb, const v1::JobActionRequest& request) = 0;
  // Until `each` returns false, the stream ends or breaks.
  virtual absl::Status Watch(
      const v1::WatchJobsRequest& request,
      const std::function<bool(const v1::Job&)>& each) = 0;
  virtual absl::Status Logs(
      const v1::LogsRequest& request,
      const std::function<bool(const v1::LogChunk&)>& each) = 0;

  virtual absl::StatusOr<v1::StatusResponse> Status(
      absl::Duration deadline = absl::Seconds(30)) = 0;
  virtual absl::StatusOr<v1::SitesResponse> Sites() = 0;
  virtual absl::StatusOr<v1::NodesResponse> Nodes(const std::string& site) = 0;
  virtual absl::Status Drain(const v1::DrainRequest& request) = 0;
  virtual absl::StatusOr<v1::PoliciesResponse> Policies() = 0;
  virtual absl::StatusOr<v1::ProjectsResponse> Projects() = 0;
  virtual absl::Status SetShadow(const v1::SetShadowRequest& request) = 0;
  virtual absl::StatusOr<v1::ShadowResponse> Shadow() = 0;
  virtual absl::Status SetPolicy(const v1::SetPolicyRequest& request) = 0;
  virtual absl::StatusOr<v1::ReportResponse> Report(
      const v1::ReportRequest& request) = 0;
  virtual absl::StatusOr<v1::ActsResponse> Acts(
      const v1::ActsRequest& request) = 0;
  virtual absl::StatusOr<v1::PushForecastResponse> PushForecast(
      const v1::PushForecastRequest& request) = 0;
  virtual absl::StatusOr<v1::GetForecastResponse> GetForecast(
      const v1::GetForecastRequest& request) = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_CLIENT_H_
