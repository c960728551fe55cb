// Runs a shadow policy on a thread of its own, where it can hurt nobody.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/shadow_runner.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched {
namespace {

// Events that may wait for it, in all.
constexpr size_t kBehindMax = 200'000;
constexpr std::chrono::milliseconds kPatience{500};

}  // namespace

struct ShadowRunner::Shared {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<ShadowStep> steps;
  size_t events = 0;  // in `steps`
  bool closing = false;
  bool done = false;
  Report report;

  void Stop(const std::string& why) {
    std::lock_guard<std::mutex> hold(mutex);
    if (report.stopped.empty()) report.stopped = why;
    steps.clear();
    events = 0;
  }

  void Work(ShadowSetup setup, std::unique_ptr<Policy> policy,
            PolicyFactory factory) {
    Shadow shadow(std::move(setup), std::move(policy), std::move(factory));
    for (;;) {
      ShadowStep step;
      {
        std::unique_lock<std::mutex> hold(mutex);
        report.summary = shadow.Summary();
        wake.wait(hold, [this] {
          return closing || !report.stopped.empty() || !steps.empty();
        });
        if (closing || !report.stopped.empty()) return;
        step = std::move(steps.front());
        steps.pop_front();
        events -= step.events.size();
      }
      shadow.Follow(step);
    }
  }
};

ShadowRunner::ShadowRunner(ShadowSetup setup, std::unique_ptr<Policy> policy,
                           PolicyFactory factory)
    : shared_(std::make_shared<Shared>()) {
  // The thread holds on to what it shares, should it be left to itself.
  std::thread([shared = shared_, setup = std::move(setup),
               policy = std::move(policy),
               factory = std::move(factory)]() mutable {
    try {
      shared->Work(std::move(setup), std::move(policy), std::move(factory));
    } catch (const std::exception& e) {
      shared->Stop(absl::StrCat("its policy failed: ", e.what()));
    } catch (...) {
      shared->Stop("its policy failed");
    }
    std::lock_guard<std::mutex> hold(shared->mutex);
    shared->done = true;
    shared->wake.notify_all();
  }).detach();
}

ShadowRunner::~ShadowRunner() {
  std::unique_lock<std::mutex> hold(shared_->mutex);
  shared_->closing = true;
  shared_->wake.notify_all();
  shared_->wake.wait_for(hold, kPatience, [this] { return shared_->done; });
}

void ShadowRunner::Follow(ShadowStep step) {
  std::lock_guard<std::mutex> hold(shared_->mutex);
  if (!shared_->report.stopped.empty() || shared_->done) return;
  shared_->events += step.events.size();
  shared_->steps.push_back(std::move(step));
  if (shared_->events > kBehindMax) {
    shared_->report.stopped =
        absl::StrCat("it fell behind by more than ", kBehindMax, " events");
    shared_->steps.clear();
    shared_->events = 0;
  }
  shared_->wake.notify_all();
}

ShadowRunner::Report ShadowRunner::Read() const {
  std::lock_guard<std::mutex> hold(shared_->mutex);
  Report report = shared_->report;
  report.behind = shared_->steps.size();
  return report;
}

}  // namespace ccsched
