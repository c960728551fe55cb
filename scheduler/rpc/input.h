// What the services hand to the driver: requests with the way to answer them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_INPUT_H_
#define CCSCHED_SCHEDULER_RPC_INPUT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/agents.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/base/ids.h"
#include "scheduler/rpc/agent_link.h"

namespace ccsched {

// Called exactly once, on the driver's side, after what it tells is durable.
template <typename T>
using Reply = std::function<void(absl::StatusOr<T>)>;

// A request that is answered by one message.
template <typename Request, typename Response>
struct Call {
  Request request;
  Reply<Response> reply;
  std::string caller;  // of what goes into the audit trail; see CallerOf
};

struct SubmitResult {
  absl::Status status;
  JobId first;
  uint32_t jobs = 0;
  bool existed = false;
  std::string warning;
};
// Jobs to be taken in, each on its own. What `jobs` point to stays valid until
// the reply, which gets one result a job.
struct Submission {
  absl::InlinedVector<const v1::JobSpec*, 1> jobs;
  bool wants_warnings = false;  // of its results; else none is looked for
  std::function<void(absl::Status, absl::InlinedVector<SubmitResult, 1>)> reply;
};

enum class JobActionKind : uint8_t { kCancel, kHold, kRelease, kResize };
struct JobAction {
  JobActionKind kind;
  Call<v1::JobActionRequest, v1::JobActionResponse> call;
};

// What comes from an agent; `link` tells the streams of one node apart.
struct AgentHello {
  std::shared_ptr<AgentLink> link;
  v1::Register hello;
};
struct AgentReport {
  std::shared_ptr<AgentLink> link;
  v1::AgentMessage message;  // status or telemetry
};
struct AgentGone {
  std::shared_ptr<AgentLink> link;
};

using PreviewCall = Call<v1::PreviewRequest, v1::PreviewResponse>;
using StatusCall = Call<v1::StatusRequest, v1::StatusResponse>;
using SitesCall = Call<v1::SitesRequest, v1::SitesResponse>;
using NodesCall = Call<v1::NodesRequest, v1::NodesResponse>;
using DrainCall = Call<v1::DrainRequest, v1::DrainResponse>;
using PoliciesCall = Call<v1::PoliciesRequest, v1::PoliciesResponse>;
using SetPolicyCall = Call<v1::SetPolicyRequest, v1::SetPolicyResponse>;
using ProjectsCall = Call<v1::ProjectsRequest, v1::ProjectsResponse>;
using SetShadowCall = Call<v1::SetShadowRequest, v1::SetShadowResponse>;
using ShadowCall = Call<v1::ShadowRequest, v1::ShadowResponse>;
using PushForecastCall =
    Call<v1::PushForecastRequest, v1::PushForecastResponse>;
using GetForecastCall = Call<v1::GetForecastRequest, v1::GetForecastResponse>;

// Read the configuration again (SIGHUP).
struct ReloadConfig {
  std::string caller;  // who asked for it, for the audit trail
};

using Input =
    std::variant<Submission, AgentReport, AgentHello, AgentGone, JobAction,
                 PreviewCall, StatusCall, SitesCall, NodesCall, DrainCall,
                 PoliciesCall, SetPolicyCall, PushForecastCall, GetForecastCall,
                 ReloadConfig, ProjectsCall, SetShadowCall, ShadowCall>;

// Answers an input that won't be carried out.
void Refuse(Input& input, const absl::Status& why);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_INPUT_H_
