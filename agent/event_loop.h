// One thread that waits for fds, timers and posted calls.
// SPDX-License-Identifier: Apache-2.0
//
//   loop.Watch(fd, [&] { ... });          // level triggered
//   loop.At(BootNanos() + n, [&] { ... });
//   loop.Post([&] { ... });               // from any thread
//   loop.Run();                           // until Stop()
//
// After each batch of what was ready it calls `after_batch`: the place to put
// all that the batch changed on disk at once.
#ifndef CCSCHED_AGENT_EVENT_LOOP_H_
#define CCSCHED_AGENT_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ccsched {

class EventLoop {
 public:
  using Callback = std::function<void()>;
  using Timer = std::pair<int64_t, uint64_t>;  // when, number

  // REQUIRES: the process has fds and memory left.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls back whenever `fd` is readable, until Forget(fd); that before the fd
  // is closed. All but Post and Stop: from the loop's thread, or before Run.
  void Watch(int fd, Callback callback);
  void Forget(int fd);
  // Once, at this time since boot (see BootNanos), or at once if it is past.
  Timer At(int64_t boot_nanos, Callback callback);
  void Cancel(Timer timer);
  // Thread safe. Calls are made in their order.
  void Post(Callback callback);
  void set_after_batch(Callback callback) {
    after_batch_ = std::move(callback);
  }

  void Run();
  // Thread safe: Run returns after the batch at hand.
  void Stop();
  // One batch; waits for at most this long. For tests.
  void RunOnce(int64_t wait_max_ns);

 private:
  void RunPosted();
  void RunTimers();

  const int epoll_;
  const int wake_;
  const int timer_;
  bool stopped_ = false;
  uint64_t last_timer_ = 0;
  Callback after_batch_;
  std::unordered_map<int, Callback> watched_;
  std::map<Timer, Callback> timers_;
  std::mutex mutex_;
  std::vector<Callback> posted_;  // guarded by mutex_
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_EVENT_LOOP_H_
