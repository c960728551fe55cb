// A connection to the scheduler by gRPC.
// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc_link.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "ccsched/v1/agents.grpc.pb.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// Received but not taken up yet; beyond it the stream is not read.
constexpr size_t kInboxMax = 1024;
constexpr int kMessageBytesMax = 16 << 20;

absl::Status ToStatus(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

// One stream. It is deleted when gRPC is done with it.
class Stream final
    : public grpc::ClientBidiReactor<v1::AgentMessage, v1::SchedulerMessage> {
 public:
  Stream(EventLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
         const std::shared_ptr<SchedulerLink::Events>& events)
      : loop_(loop), stub_(v1::Agents::NewStub(channel)), events_(events) {
    stub_->async()->Connect(&context_, this);
    AddHold();  // Send may start a write at any time
    StartRead(&incoming_);
    StartCall();
  }

  void Send(v1::AgentMessage message) {
    std::lock_guard lock(mutex_);
    if (closing_) return;
    outbox_.push_back(std::move(message));
    many_ |= outbox_.size() >= SchedulerLink::kQueuedMany;
    if (outbox_.size() == 1) WriteFirst();
  }
  size_t queued() const {
    std::lock_guard lock(mutex_);
    return outbox_.size();
  }
  // No more calls back. Waits until gRPC is done, and deletes this.
  void Abandon() {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    if (done_) return;  // a posted call deletes it
    abandoned_ = true;
    Close();
    gone_.wait(lock, [this] { return done_; });
    lock.unlock();
    delete this;
  }

  void OnReadDone(bool ok) override {
    std::lock_guard lock(mutex_);
    if (!ok) return Close();
    inbox_.push_back(std::move(incoming_));
    incoming_.Clear();
    if (inbox_.size() == 1 && !abandoned_) {
      loop_.Post([this, events = events_] {
        if (const auto live = events.lock()) Deliver(*live);
      });
    }
    if (inbox_.size() < kInboxMax) {
      StartRead(&incoming_);
    } else {
      paused_ = true;
    }
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    outbox_.pop_front();
    if (!ok) return Close();
    if (!outbox_.empty()) return WriteFirst();
    if (!std::exchange(many_, false) || abandoned_) return;
    loop_.Post([events = events_] {
      if (const auto live = events.lock()) live->drained();
    });
  }

  void OnDone(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    done_ = true;
    gone_.notify_one();
    if (abandoned_) return;
    // Posted after every Deliver, which uses this; deleted after it.
    loop_.Post([this, events = events_, s = ToStatus(status)] {
      if (const auto live = events.lock()) live->closed(s);
      delete this;
    });
  }

 private:
  // REQUIRES: mutex_ held. The write's own callback pops the message.
  void WriteFirst() {
    if (closing_) return;
    grpc::WriteOptions options;
    if (outbox_.size() > 1) options.set_buffer_hint();
    StartWrite(&outbox_.front(), options);
  }
  // REQUIRES: mutex_ held.
  void Close() {
    if (std::exchange(closing_, true)) return;
    RemoveHold();
  }
  // On the loop.
  void Deliver(const SchedulerLink::Events& events) {
    std::vector<v1::SchedulerMessage> messages;
    {
      std::lock_guard lock(mutex_);
      messages.swap(inbox_);
      if (std::exchange(paused_, false)) StartRead(&incoming_);
    }
    events.messages(messages);
  }

  EventLoop& loop_;
  const std::unique_ptr<v1::Agents::Stub> stub_;
  const std::weak_ptr<SchedulerLink::Events> events_;
  grpc::ClientContext context_;
  v1::SchedulerMessage incoming_;
  mutable std::mutex mutex_;
  std::vector<v1::SchedulerMessage> inbox_;  // from here: guarded by mutex_
  std::deque<v1::AgentMessage> outbox_;
  bool paused_ = false;
  bool many_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
  bool done_ = false;
  std::condition_variable gone_;
};

class GrpcLink : public SchedulerLink {
 public:
  GrpcLink(EventLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
           Events events)
      : events_(std::make_shared<Events>(std::move(events))) {
    // The stream deletes itself after `closed`: from then on it is not ours.
    events_->closed = [this, closed = std::move(events_->closed)](
                          const absl::Status& status) {
      stream_ = nullptr;
      const auto call = closed;  // it may destroy this link, and itself
      call(status);
    };
    stream_ = new Stream(loop, channel, events_);
  }
  ~GrpcLink() override {
    events_.reset();
    if (stream_ != nullptr) stream_->Abandon();
  }
  void Send(v1::AgentMessage message) override {
    if (stream_ != nullptr) stream_->Send(std::move(message));
  }
  size_t queued() const override {
    return stream_ == nullptr ? 0 : stream_->queued();
  }

 private:
  std::shared_ptr<Events> events_;
  Stream* stream_ = nullptr;
};

}  // namespace

absl::StatusOr<Dial> GrpcDial(EventLoop& loop, std::string address,
                              TlsFiles tls) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::ChannelCredentials> credentials,
                   ChannelCredentialsOf(address, tls));
  return [&loop, address = std::move(address), tls = std::move(tls),
          credentials =
              std::move(credentials)](SchedulerLink::Events events) mutable
         -> std::unique_ptr<SchedulerLink> {
    auto renewed = ChannelCredentialsOf(address, tls);
    if (renewed.ok()) credentials = *std::move(renewed);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    // A channel for each dial, without gRPC's own wait between attempts: the
    // session has its own, with jitter.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(address, credentials, arguments);
    return std::make_unique<GrpcLink>(loop, channel, std::move(events));
  };
}

}  // namespace ccsched
