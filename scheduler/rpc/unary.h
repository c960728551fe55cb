// Sends unary calls through the inbox and finishes them with the reply.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_UNARY_H_
#define CCSCHED_SCHEDULER_RPC_UNARY_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <utility>

#include "scheduler/rpc/grpc_status.h"
#include "scheduler/rpc/inbox.h"

namespace ccsched {

inline constexpr char kStoppedBefore[] =
    "the scheduler has stopped before this was on record";

// Finishes a call once. If it goes without having been told how (the scheduler
// failed before the answer was on record), it says so: a server waits for
// calls that nobody finishes, for good.
class UnaryFinisher {
 public:
  explicit UnaryFinisher(grpc::ServerUnaryReactor* reactor)
      : reactor_(reactor) {}
  ~UnaryFinisher() { Finish(absl::UnavailableError(kStoppedBefore)); }
  UnaryFinisher(const UnaryFinisher&) = delete;
  UnaryFinisher& operator=(const UnaryFinisher&) = delete;

  void Finish(const absl::Status& status) {
    auto* const reactor = std::exchange(reactor_, nullptr);
    if (reactor != nullptr) reactor->Finish(ToGrpc(status));
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
};

// Ends a call that has its answer.
inline grpc::ServerUnaryReactor* FinishAtOnce(
    grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// A stream that is refused; owns itself.
template <typename Reactor>
class RefusedStream : public Reactor {
 public:
  static Reactor* Begin(const absl::Status& why) {
    return new RefusedStream(why);
  }
  void OnDone() override { delete this; }

 private:
  explicit RefusedStream(const absl::Status& why) { this->Finish(ToGrpc(why)); }
};

// Hands over `input`; refuses it if it is not taken.
inline void PushOrRefuse(Inbox* inbox, Input input) {
  const absl::Status pushed = inbox->Push(input);
  if (!pushed.ok()) Refuse(input, pushed);
}

template <typename Request, typename Response>
void PushCall(Inbox* inbox, Request request, Reply<Response> reply,
              std::string caller = "") {
  PushOrRefuse(inbox,
               Call<Request, Response>{std::move(request), std::move(reply),
                                       std::move(caller)});
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_UNARY_H_
