// One thread that waits for fds, timers and posted calls.
// SPDX-License-Identifier: Apache-2.0
#include "agent/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "agent/boot_clock.h"

namespace ccsched {
namespace {

// Without these the agent can do nothing at all.
int MustOpen(int fd) {
  if (fd >= 0) return fd;
  std::perror("event loop");
  std::abort();
}

void Drain(int fd) {
  uint64_t count;
  while (read(fd, &count, sizeof(count)) > 0) {
  }
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(MustOpen(epoll_create1(EPOLL_CLOEXEC))),
      wake_(MustOpen(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))),
      timer_(MustOpen(
          timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK))) {
  Watch(wake_, [this] { Drain(wake_); });
  Watch(timer_, [this] { Drain(timer_); });
}

EventLoop::~EventLoop() {
  for (const int fd : {epoll_, wake_, timer_}) close(fd);
}

void EventLoop::Watch(int fd, Callback callback) {
  watched_[fd] = std::move(callback);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  MustOpen(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event));
}

void EventLoop::Forget(int fd) {
  if (watched_.erase(fd) == 0) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::Timer EventLoop::At(int64_t boot_nanos, Callback callback) {
  const Timer timer{boot_nanos, ++last_timer_};
  timers_.emplace(timer, std::move(callback));
  return timer;
}

void EventLoop::Cancel(Timer timer) { timers_.erase(timer); }

void EventLoop::Post(Callback callback) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(callback));
    if (posted_.size() > 1) return;  // it is awake already
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_, &one, sizeof(one));
}

void EventLoop::Stop() {
  Post([this] { stopped_ = true; });
}

void EventLoop::Run() {
  while (!stopped_) RunOnce(INT64_MAX);
}

void EventLoop::RunOnce(int64_t wait_max_ns) {
  const int64_t now = BootNanos();
  int64_t until = wait_max_ns == INT64_MAX ? INT64_MAX : now + wait_max_ns;
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first.first);
  itimerspec at{};
  if (until != INT64_MAX) {
    const int64_t at_least = std::max<int64_t>(until, 1);
    at.it_value.tv_sec = at_least / kNanosPerSecond;
    at.it_value.tv_nsec = at_least % kNanosPerSecond;
  }
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
  epoll_event events[256];
  const int n = epoll_wait(epoll_, events, 256, -1);
  for (int i = 0; i < n; ++i) {
    const auto found = watched_.find(events[i].data.fd);
    if (found == watched_.end()) continue;    // forgotten in this batch
    const Callback callback = found->second;  // it may forget itself
    callback();
  }
  RunPosted();
  RunTimers();
  if (after_batch_) after_batch_();
}

void EventLoop::RunPosted() {
  std::vector<Callback> calls;
  {
    std::lock_guard lock(mutex_);
    calls.swap(posted_);
  }
  for (const Callback& call : calls) call();
}

void EventLoop::RunTimers() {
  const int64_t now = BootNanos();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const Callback callback = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    callback();
  }
}

}  // namespace ccsched
