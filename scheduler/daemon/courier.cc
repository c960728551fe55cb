// Delivers what a committed step lets out: answers, commands, news.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/courier.h"

namespace ccsched {

Courier::Courier(WatchHub* hub) : hub_(hub), thread_([this] { Run(); }) {}

Courier::~Courier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Courier::Deliver(Outbox outbox) {
  if (outbox.empty()) return;
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return queue_.size() < kQueueMax; });
    queue_.push_back(std::move(outbox));
  }
  wake_.notify_one();
}

void Courier::Run() {
  for (;;) {
    Outbox outbox;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      outbox = std::move(queue_.front());
      queue_.pop_front();
    }
    room_.notify_one();
    for (Outbox::Receipt& receipt : outbox.receipts) {
      receipt.submission.reply(absl::OkStatus(), std::move(receipt.results));
    }
    for (const auto& answer : outbox.answers) answer();
    for (Outbox::Command& command : outbox.commands) {
      command.link->Send(std::move(command.message));
    }
    hub_->Publish(outbox.changed);
  }
}

}  // namespace ccsched
