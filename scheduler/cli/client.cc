// Calls over gRPC.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ccsched/v1/admin.grpc.pb.h"
#include "ccsched/v1/forecasts.grpc.pb.h"
#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/tls_channel.h"

namespace ccsched {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(30);

// What protobuf can't carry; it would say so on standard error, and the
// scheduler nothing.
absl::Status CheckTexts(const google::protobuf::Message& message) {
  using Field = google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& r = *message.GetReflection();
  std::vector<const Field*> fields;
  r.ListFields(message, &fields);
  for (const Field* const field : fields) {
    const int size = field->is_repeated() ? r.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      std::string scratch;
      if (field->type() == Field::TYPE_STRING) {
        const std::string& text =
            field->is_repeated()
                ? r.GetRepeatedStringReference(message, field, i, &scratch)
                : r.GetStringReference(message, field, &scratch);
        if (IsUtf8(text)) continue;
        return absl::InvalidArgumentError(absl::StrCat(
            field->name(), ": '", Printable(text), "' is not UTF-8 text"));
      }
      if (field->cpp_type() != Field::CPPTYPE_MESSAGE) break;
      absl::Status inside = CheckTexts(
          field->is_repeated() ? r.GetRepeatedMessage(message, field, i)
                               : r.GetMessage(message, field));
      if (!inside.ok()) return inside;
    }
  }
  return absl::OkStatus();
}

class GrpcClient : public Client {
 public:
  explicit GrpcClient(const Endpoint& endpoint)
      : address_(endpoint.address),
        in_clear_(endpoint.tls_ca.empty() &&
                  !absl::StartsWith(endpoint.address, "unix:")) {
    const auto credentials = ChannelCredentialsOf(
        address_,
        {endpoint.tls_ca, endpoint.tls_certificate, endpoint.tls_key});
    broken_ = credentials.status();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channel_ = grpc::CreateCustomChannel(
        address_,
        credentials.ok() ? *credentials : grpc::InsecureChannelCredentials(),
        arguments);
    jobs_ = v1::Jobs::NewStub(channel_);
    admin_ = v1::Admin::NewStub(channel_);
    forecasts_ = v1::Forecasts::NewStub(channel_);
  }

  absl::StatusOr<v1::SubmitResponse> Submit(
      const v1::SubmitRequest& request) override {
    return Call<v1::SubmitResponse>(*jobs_, &v1::Jobs::Stub::Submit, request);
  }
  absl::StatusOr<v1::PreviewResponse> Preview(
      const v1::PreviewRequest& request) override {
    return Call<v1::PreviewResponse>(*jobs_, &v1::Jobs::Stub::Preview, request);
  }
  absl::StatusOr<v1::Job> Get(uint64_t job_id, bool with_emissions) override {
    v1::GetJobRequest request;
    request.set_job_id(job_id);
    request.set_with_emissions(with_emissions);
    return Call<v1::Job>(*jobs_, &v1::Jobs::Stub::Get, request);
  }
  absl::StatusOr<v1::ListJobsResponse> List(
      const v1::ListJobsRequest& request) override {
    return Call<v1::ListJobsResponse>(*jobs_, &v1::Jobs::Stub::List, request);
  }
  absl::StatusOr<v1::JobActionResponse> Act(
      JobVerb verb, const v1::JobActionRequest& request) override {
    return Call<v1::JobActionResponse>(
        *jobs_,
        verb == JobVerb::kCancel    ? &v1::Jobs::Stub::Cancel
        : verb == JobVerb::kHold    ? &v1::Jobs::Stub::Hold
        : verb == JobVerb::kRelease ? &v1::Jobs::Stub::Release
                                    : &v1::Jobs::Stub::Resize,
        request);
  }
  absl::Status Watch(const v1::WatchJobsRequest& request,
                     const std::function<bool(const v1::Job&)>& each) override {
    if (!broken_.ok()) return broken_;
    grpc::ClientContext context;
    return Drain(context, *jobs_->Watch(&context, request), each);
  }
  absl::Status Logs(
      const v1::LogsRequest& request,
      const std::function<bool(const v1::LogChunk&)>& each) override {
    if (!broken_.ok()) return broken_;
    grpc::ClientContext context;
    return Drain(context, *jobs_->Logs(&context, request), each);
  }

  absl::StatusOr<v1::StatusResponse> Status(absl::Duration deadline) override {
    return Call<v1::StatusResponse>(*admin_, &v1::Admin::Stub::Status,
                                    v1::StatusRequest(), deadline);
  }
  absl::StatusOr<v1::SitesResponse> Sites() override {
    return Call<v1::SitesResponse>(*admin_, &v1::Admin::Stub::Sites,
                                   v1::SitesRequest());
  }
  absl::StatusOr<v1::NodesResponse> Nodes(const std::string& site) override {
    v1::NodesRequest request;
    request.set_site(site);
    return Call<v1::NodesResponse>(*admin_, &v1::Admin::Stub::Nodes, request);
  }
  absl::Status Drain(const v1::DrainRequest& request) override {
    return Call<v1::DrainResponse>(*admin_, &v1::Admin::Stub::Drain, request)
        .status();
  }
  absl::StatusOr<v1::ProjectsResponse> Projects() override {
    return Call<v1::ProjectsResponse>(*admin_, &v1::Admin::Stub::Projects,
                                      v1::ProjectsRequest());
  }
  absl::StatusOr<v1::PoliciesResponse> Policies() override {
    return Call<v1::PoliciesResponse>(*admin_, &v1::Admin::Stub::Policies,
                                      v1::PoliciesRequest());
  }
  absl::Status SetPolicy(const v1::SetPolicyRequest& request) override {
    return Call<v1::SetPolicyResponse>(*admin_, &v1::Admin::Stub::SetPolicy,
                                       request)
        .status();
  }
  absl::Status SetShadow(const v1::SetShadowRequest& request) override {
    return Call<v1::SetShadowResponse>(*admin_, &v1::Admin::Stub::SetShadow,
                                       request)
        .status();
  }
  absl::StatusOr<v1::ShadowResponse> Shadow() override {
    return Call<v1::ShadowResponse>(*admin_, &v1::Admin::Stub::Shadow,
                                    v1::ShadowRequest());
  }
  absl::StatusOr<v1::ReportResponse> Report(
      const v1::ReportRequest& request) override {
    return Call<v1::ReportResponse>(*admin_, &v1::Admin::Stub::Report, request);
  }
  absl::StatusOr<v1::ActsResponse> Acts(
      const v1::ActsRequest& request) override {
    return Call<v1::ActsResponse>(*admin_, &v1::Admin::Stub::Acts, request);
  }
  absl::StatusOr<v1::PushForecastResponse> PushForecast(
      const v1::PushForecastRequest& request) override {
    return Call<v1::PushForecastResponse>(*forecasts_,
                                          &v1::Forecasts::Stub::Push, request);
  }
  absl::StatusOr<v1::GetForecastResponse> GetForecast(
      const v1::GetForecastRequest& request) override {
    return Call<v1::GetForecastResponse>(*forecasts_, &v1::Forecasts::Stub::Get,
                                         request);
  }

 private:
  absl::Status ToStatus(const grpc::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    if (code == absl::StatusCode::kUnavailable &&
        absl::StartsWith(status.error_message(), "the scheduler")) {
      return absl::UnavailableError(status.error_message());  // it did answer
    }
    if (code == absl::StatusCode::kUnavailable) {
      return absl::UnavailableError(absl::StrCat(
          "no scheduler answers at ", address_, " (", status.error_message(),
          "); start one with 'ccsched dev up', or name it by --address or "
          "CCSCHED_ADDRESS",
          in_clear_ ? "; one that uses TLS needs --tls-ca" : ""));
    }
    // A web server's status, too, comes as this one.
    if (code == absl::StatusCode::kUnimplemented) {
      const std::string& said = status.error_message();
      return absl::UnavailableError(absl::StrCat(
          "what answers at ", address_,
          " is no ccsched scheduler, or one of another version that does not "
          "know this request",
          said.empty() ? "" : absl::StrCat(" (", said, ")"),
          "; name the right one by --address or CCSCHED_ADDRESS"));
    }
    if (code == absl::StatusCode::kDeadlineExceeded) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the scheduler at ", address_, " did not answer in time"));
    }
    return absl::Status(code, status.error_message());
  }

  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> Call(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request, absl::Duration deadline = kDeadline) {
    if (!broken_.ok()) return broken_;
    if (absl::Status texts = CheckTexts(request); !texts.ok()) return texts;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return ToStatus(status);
    return response;
  }

  template <typename Message, typename Each>
  absl::Status Drain(grpc::ClientContext& context,
                     grpc::ClientReader<Message>& reader, const Each& each) {
    Message message;
    while (reader.Read(&message)) {
      if (!each(message)) {
        context.TryCancel();
        while (reader.Read(&message)) {
        }
        reader.Finish();
        return absl::OkStatus();
      }
    }
    return ToStatus(reader.Finish());
  }

  const std::string address_;
  const bool in_clear_;  // over a network
  absl::Status broken_;  // not OK: the TLS files can't be used
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Jobs::Stub> jobs_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::Forecasts::Stub> forecasts_;
};

}  // namespace

std::unique_ptr<Client> Client::Connect(const Endpoint& endpoint) {
  return std::make_unique<GrpcClient>(endpoint);
}

}  // namespace ccsched
