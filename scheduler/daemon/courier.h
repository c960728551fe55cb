// Delivers what a committed step lets out: answers, commands, news.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_COURIER_H_
#define CCSCHED_SCHEDULER_DAEMON_COURIER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "scheduler/rpc/agent_link.h"
#include "scheduler/rpc/input.h"
#include "scheduler/rpc/watch_hub.h"

namespace ccsched {

// What may be told once the step is durable, in this order.
struct Outbox {
  struct Command {
    std::shared_ptr<AgentLink> link;
    v1::SchedulerMessage message;
  };
  struct Receipt {
    Submission submission;
    absl::InlinedVector<SubmitResult, 1> results;
  };
  std::vector<Receipt> receipts;
  std::vector<std::function<void()>> answers;
  std::vector<Command> commands;
  std::vector<JobId> changed;

  bool empty() const {
    return receipts.empty() && answers.empty() && commands.empty() &&
           changed.empty();
  }
};

// A thread of its own, so that the next step is taken while the answers of the
// last one are written. Keeps the order of outboxes. At most kQueueMax wait:
// then Deliver waits.
class Courier {
 public:
  static constexpr size_t kQueueMax = 16;

  // `hub` must outlive the courier.
  explicit Courier(WatchHub* hub);
  ~Courier();  // delivers what is queued

  void Deliver(Outbox outbox);

 private:
  void Run();

  WatchHub* const hub_;
  std::mutex mutex_;
  std::condition_variable wake_, room_;
  std::deque<Outbox> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_COURIER_H_
