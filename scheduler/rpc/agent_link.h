// The scheduler's end of one agent's stream, and the lease it keeps alive.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_AGENT_LINK_H_
#define CCSCHED_SCHEDULER_RPC_AGENT_LINK_H_

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// Leases count real time that never jumps.
using RealTime = std::chrono::steady_clock::time_point;

// When a node was last heard. The transport renews it without asking the
// driver, so that a slow disk never looks like a silent cluster. Thread safe.
class NodeLease {
 public:
  explicit NodeLease(RealTime now) : heard_(now) {}

  // Takes note of a message; false if the lease is over: then the node has to
  // register again.
  bool Renew(RealTime now) {
    const std::lock_guard lock(mutex_);
    if (over_) return false;
    if (now > heard_) heard_ = now;
    return true;
  }
  RealTime heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  // Ends the lease if nothing was heard since `before`. Returns whether it is
  // over; from then on Renew() refuses.
  bool EndIfNotHeardSince(RealTime before) {
    const std::lock_guard lock(mutex_);
    if (heard_ <= before) over_ = true;
    return over_;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }

 private:
  mutable std::mutex mutex_;
  RealTime heard_;
  bool over_ = false;
};

// Sends to one agent. Thread safe; calls after the stream's end do nothing.
class AgentLink {
 public:
  virtual ~AgentLink() = default;
  // Queues a message. False if the stream has ended, or ends because its
  // bounded queue is full: the agent comes back and is told anew.
  virtual bool Send(v1::SchedulerMessage message) = 0;
  // From now on the transport renews `lease` at each message.
  virtual void Accept(std::shared_ptr<NodeLease> lease) = 0;
  // Sends what is queued, then ends the stream.
  virtual void Close(absl::Status why) = 0;
  // On the certificate that the agent showed; empty if it showed none.
  virtual const std::string& certificate_name() const = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_AGENT_LINK_H_
