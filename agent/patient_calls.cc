// Calls that may hang, each on a thread, answered on the event loop.
// SPDX-License-Identifier: Apache-2.0
#include "agent/patient_calls.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>

#include "scheduler/base/log.h"

namespace ccsched {
namespace {

constexpr std::chrono::seconds kWaitAtEnd{1};

}  // namespace

// What the threads have, too, for as long as they need it.
struct PatientCalls::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Call> calls;  // from here on: guarded by mutex
  size_t threads = 0;
  size_t idle = 0;
  EventLoop* loop = nullptr;  // null once nobody wants an answer
};

PatientCalls::PatientCalls(EventLoop& loop, size_t threads_max)
    : threads_max_(threads_max), shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
}

PatientCalls::~PatientCalls() {
  std::unique_lock lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->calls.clear();
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, kWaitAtEnd,
                            [this] { return shared_->threads == 0; });
}

void PatientCalls::Begin(Call call) {
  const std::lock_guard lock(shared_->mutex);
  shared_->calls.push_back(std::move(call));
  shared_->changed.notify_all();
  if (shared_->idle >= shared_->calls.size() ||
      shared_->threads == threads_max_) {
    return;
  }
  try {
    std::thread([shared = shared_] { Run(shared); }).detach();
    ++shared_->threads;
  } catch (const std::system_error& error) {
    // Its turn comes with the next that is there, or can be made.
    Log(LogLevel::kError, "no thread can be made", {{"error", error.what()}});
  }
}

void PatientCalls::Run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    ++shared->idle;
    shared->changed.wait(lock, [&] {
      return shared->loop == nullptr || !shared->calls.empty();
    });
    --shared->idle;
    if (shared->loop == nullptr) break;
    Call call = std::move(shared->calls.front());
    shared->calls.pop_front();
    lock.unlock();
    Then then = call();
    call = nullptr;  // what it owns goes on this thread
    lock.lock();
    if (shared->loop == nullptr) break;
    if (!then) continue;
    shared->loop->Post([shared, then = std::move(then)] {
      // Only the loop's thread changes it.
      if (shared->loop != nullptr) then();
    });
  }
  --shared->threads;
  shared->changed.notify_all();
}

}  // namespace ccsched
