// A wire of messages: it says some twice, and some in another order.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/mangler.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace ccsched::testing {
namespace {

bool MayMangle(const v1::AgentMessage& message) {
  return !message.has_register_() && !message.has_log();
}
bool MayMangle(const v1::SchedulerMessage& message) {
  return !message.has_registered() && !message.has_refused();
}

}  // namespace

Mangler::Mangler(const std::string& listen_path, const std::string& target,
                 uint64_t seed)
    : target_(target), random_(seed) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + listen_path,
                           grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

Mangler::~Mangler() {
  // Streams end with their calls; nobody waits for an agent to hang up.
  server_->Shutdown(std::chrono::system_clock::now());
}

Mangler::Trick Mangler::Choose(bool may) {
  const int n = one_in_;
  if (!may || n <= 0) return Trick::kNone;
  const std::lock_guard lock(mutex_);
  if (random_.Below(n) != 0) return Trick::kNone;
  return random_.Below(2) == 0 ? Trick::kTwice : Trick::kLater;
}

template <typename Message, typename From, typename To>
void Mangler::Carry(From& from, To& to) {
  Message message;
  std::optional<Message> held;  // the next one overtakes it
  while (from.Read(&message)) {
    const Trick trick = held ? Trick::kNone : Choose(MayMangle(message));
    if (trick == Trick::kLater) {
      held = std::move(message);
      message = Message();
      continue;
    }
    bool open = to.Write(message);
    if (trick == Trick::kTwice) open = open && to.Write(message);
    if (held) open = open && to.Write(*std::exchange(held, std::nullopt));
    if (!open) return;
  }
}

grpc::Status Mangler::Connect(grpc::ServerContext* context, AgentSide* agent) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto stub = v1::Agents::NewStub(grpc::CreateCustomChannel(
      "unix:" + target_, grpc::InsecureChannelCredentials(), args));
  grpc::ClientContext onwards;
  const auto scheduler = stub->Connect(&onwards);
  std::thread down([&] {
    Carry<v1::SchedulerMessage>(*scheduler, *agent);
    context->TryCancel();
  });
  Carry<v1::AgentMessage>(*agent, *scheduler);
  onwards.TryCancel();
  down.join();
  return scheduler->Finish();
}

}  // namespace ccsched::testing
