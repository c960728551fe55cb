// Where a job's output goes that comes in on its agent's stream.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_LOG_RELAY_H_
#define CCSCHED_SCHEDULER_RPC_LOG_RELAY_H_

#include <functional>

#include "absl/status/status.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/rpc/agent_link.h"

namespace ccsched {

// One log request's reader. Thread safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // Takes a piece. False: no more for now; `resume` is then called once, when
  // there is room or the reader is gone.
  virtual bool Take(v1::LogData data, std::function<void()> resume) = 0;
  // Whether it has let an agent's stream wait since before `then`.
  virtual bool StalledSince(RealTime then) const = 0;
  // Ends the request: the agent is gone, or the reader too slow.
  virtual void Fail(absl::Status why) = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_LOG_RELAY_H_
