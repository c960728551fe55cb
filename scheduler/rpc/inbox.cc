// The bounded queue between the services' threads and the one driver.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/inbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace ccsched {
namespace {

// So many inputs that could wait are taken at once all the same.
constexpr size_t kManyLazy = 1024;

// How each kind of input says no.
struct Refuser {
  const absl::Status& why;

  void operator()(Submission& s) const { s.reply(why, {}); }
  void operator()(JobAction& action) const { action.call.reply(why); }
  void operator()(AgentHello& hello) const { hello.link->Close(why); }
  void operator()(AgentReport&) const {}
  void operator()(AgentGone&) const {}
  void operator()(ReloadConfig&) const {}
  template <typename Request, typename Response>
  void operator()(Call<Request, Response>& call) const {
    call.reply(why);
  }
};

}  // namespace

void Refuse(Input& input, const absl::Status& why) {
  std::visit(Refuser{why}, input);
}

absl::Status Inbox::Push(Input& input, Lane lane, size_t cost,
                         Urgency urgency) {
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return absl::UnavailableError("the scheduler is stopping");
    if (lane == Lane::kClient && !refusing_.ok()) return refusing_;
    cost = std::min(cost, capacity_);
    size_t& used = used_[static_cast<size_t>(lane)];
    if (used + cost > capacity_) {
      return absl::ResourceExhaustedError(absl::StrFormat(
          "the scheduler's inbox is full (%d requests wait): try again later",
          used));
    }
    used += cost;
    entries_.push_back({std::move(input), lane, cost});
    urgent_ |= urgency == Urgency::kNow || entries_.size() >= kManyLazy;
    if (urgent_) notify = std::exchange(waiting_, false);
  }
  if (notify) wake_.notify_one();
  return absl::OkStatus();
}

std::vector<std::function<void()>> Inbox::TakeWaitersIfRoom() {
  if (waiters_.empty()) return {};
  if (!closed_ && (used_[0] > capacity_ / 2 || used_[1] > capacity_ / 2)) {
    return {};
  }
  return std::exchange(waiters_, {});
}

void Inbox::WhenRoom(std::function<void()> resume) {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back(std::move(resume));
    ready = TakeWaitersIfRoom();
  }
  for (const auto& call : ready) call();
}

bool Inbox::Pop(size_t cost_max, std::chrono::steady_clock::time_point deadline,
                std::vector<Input>& out) {
  std::vector<std::function<void()>> ready;
  {
    std::unique_lock lock(mutex_);
    while (!urgent_ && !closed_) {
      waiting_ = true;
      if (wake_.wait_until(lock, deadline) == std::cv_status::timeout) break;
    }
    waiting_ = false;
    if (entries_.empty()) return !closed_;
    size_t taken = 0;
    while (!entries_.empty() && taken < cost_max) {
      Entry& entry = entries_.front();
      taken += entry.cost;
      used_[static_cast<size_t>(entry.lane)] -= entry.cost;
      out.push_back(std::move(entry.input));
      entries_.pop_front();
    }
    // What is left is taken without another wait.
    urgent_ = !entries_.empty();
    ready = TakeWaitersIfRoom();
  }
  for (const auto& call : ready) call();
  return true;
}

void Inbox::RefuseClients(absl::Status why) {
  const std::lock_guard lock(mutex_);
  refusing_ = std::move(why);
}

absl::Status Inbox::refusing() const {
  const std::lock_guard lock(mutex_);
  return refusing_;
}

void Inbox::Close() {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready = TakeWaitersIfRoom();
  }
  wake_.notify_all();
  for (const auto& call : ready) call();
}

size_t Inbox::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace ccsched
