// The bounded queue between the services' threads and the one driver.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_INBOX_H_
#define CCSCHED_SCHEDULER_RPC_INBOX_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/rpc/input.h"

namespace ccsched {

// Who pushes. Agents have as much room again as clients, so that a burst of
// submissions can't hide the endings that make room for it.
enum class Lane : uint8_t { kClient, kAgent };

// Whether the consumer is woken. What need not be acted upon at once (samples
// of energy: thousands a second, from thousands of nodes) waits for the next
// wake-up, and costs no step of its own.
enum class Urgency : uint8_t { kNow, kNextWake };

// It never grows beyond its capacity, counted in jobs and messages.
// Thread safe; one consumer.
class Inbox {
 public:
  explicit Inbox(size_t capacity) : capacity_(capacity) {}

  // Takes `input` over, or leaves it as it was and returns why not:
  // ResourceExhausted if it is full, Unavailable once closed, or what
  // RefuseClients was told. `cost` is clamped to the capacity.
  absl::Status Push(Input& input, Lane lane = Lane::kClient, size_t cost = 1,
                    Urgency urgency = Urgency::kNow);
  // Calls `resume` once, when there is room again (or the inbox is closed):
  // for streams, which wait rather than be refused. It may be called at once.
  void WhenRoom(std::function<void()> resume);

  // Moves inputs of up to `cost_max` to the end of `out`; waits until
  // `deadline` for the first one that is urgent, or for many. Returns false
  // when closed and empty.
  bool Pop(size_t cost_max, std::chrono::steady_clock::time_point deadline,
           std::vector<Input>& out);

  // While not OK, clients are refused with this: the ledger can't be written.
  void RefuseClients(absl::Status why);
  absl::Status refusing() const;

  // Nothing more comes in; what is queued is still to be popped.
  void Close();
  size_t size() const;

 private:
  struct Entry {
    Input input;
    Lane lane;
    size_t cost;
  };
  std::vector<std::function<void()>> TakeWaitersIfRoom();

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;
  bool urgent_ = false;      // one of them is, or they are many
  size_t used_[2] = {0, 0};  // by lane
  std::vector<std::function<void()>> waiters_;
  absl::Status refusing_;
  bool closed_ = false;
  bool waiting_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_INBOX_H_
