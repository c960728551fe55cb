// A connection to the scheduler, whatever carries it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SCHEDULER_LINK_H_
#define CCSCHED_AGENT_SCHEDULER_LINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// All calls, and all calls back, are made on the agent's loop. Once it is
// destroyed it calls back no more.
class SchedulerLink {
 public:
  struct Events {
    std::function<void(const std::vector<v1::SchedulerMessage>&)> messages;
    // Once; nothing comes after it.
    std::function<void(const absl::Status&)> closed;
    // What was queued, if it was much, has been sent.
    std::function<void()> drained;
  };
  virtual ~SchedulerLink() = default;
  virtual void Send(v1::AgentMessage message) = 0;
  // Messages not sent yet. Beyond kQueuedMany, what can wait should.
  virtual size_t queued() const = 0;
  static constexpr size_t kQueuedMany = 32;
};

// Begins to connect; what is sent meanwhile is queued.
using Dial =
    std::function<std::unique_ptr<SchedulerLink>(SchedulerLink::Events)>;

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SCHEDULER_LINK_H_
