// A thread of its own for work that the event loop must not wait for.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_WORKER_H_
#define CCSCHED_AGENT_WORKER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ccsched {

// Does one thing at a time. The thread is made with the first of them, so that
// it inherits what signals are blocked by then.
class Worker {
 public:
  Worker() = default;
  // Waits for what is under way.
  ~Worker() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // REQUIRES: nothing is under way.
  void Begin(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = std::move(work);
    }
    changed_.notify_all();
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  // Until nothing is under way.
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return work_ == nullptr; });
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stop_ || work_ != nullptr; });
      if (work_ == nullptr) return;
      lock.unlock();
      work_();
      lock.lock();
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  // guarded by mutex_, but for the call itself
  bool stop_ = false;           // guarded by mutex_
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_WORKER_H_
