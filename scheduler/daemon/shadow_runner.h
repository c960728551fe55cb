// Runs a shadow policy on a thread of its own, where it can hurt nobody.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_SHADOW_RUNNER_H_
#define CCSCHED_SCHEDULER_DAEMON_SHADOW_RUNNER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "policies/policy.h"
#include "scheduler/core/shadow.h"

namespace ccsched {

// What it costs the driver is a copy of each step's events. It falls behind
// rather than hold anybody up; too far behind, it stops and says so, as it does
// when its policy throws. The destructor waits a moment for it and then leaves
// it to itself.
class ShadowRunner {
 public:
  ShadowRunner(ShadowSetup setup, std::unique_ptr<Policy> policy,
               PolicyFactory factory);
  ~ShadowRunner();
  ShadowRunner(const ShadowRunner&) = delete;
  ShadowRunner& operator=(const ShadowRunner&) = delete;

  void Follow(ShadowStep step);

  struct Report {
    ShadowSummary summary;
    size_t behind = 0;    // steps that it has not taken yet
    std::string stopped;  // why it has; empty: it runs
  };
  Report Read() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_SHADOW_RUNNER_H_
