// What `ccsched policy` says of a shadow policy.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_POLICY_SHADOW_H_
#define CCSCHED_SCHEDULER_CLI_POLICY_SHADOW_H_

#include <google/protobuf/map.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/cli/context.h"
#include "scheduler/cli/output.h"

namespace ccsched {

// Adds words like "replan_minutes=30". Errors: InvalidArgument naming the word,
// also for a parameter that is there already.
absl::Status SetParameters(
    const std::vector<std::string>& words,
    google::protobuf::Map<std::string, std::string>& parameters);

// Sets the shadow, or ends it if `name` is "off". Returns the exit status.
int RunShadow(Context& context, const std::string& name,
              const std::vector<std::string>& parameters);

// The shadow's figures beside the live ones; nothing if there is no shadow.
void PrintShadow(const v1::ShadowResponse& shadow, Context& context);
// The same for programs. REQUIRES: there is one.
Record ShadowRecord(const v1::ShadowResponse& shadow);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_POLICY_SHADOW_H_
