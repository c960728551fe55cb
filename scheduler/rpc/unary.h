// Sends a unary call through the inbox and finishes it with the reply.
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

// Finishes a call once. If it goes without having been told how (the scheduler
// failed before the answer was on record), it says so: a server waits for
// calls that nobody finishes, for good.
class UnaryFinisher {
 public:
  explicit UnaryFinisher(grpc::ServerUnaryReactor* reactor)
      : reactor_(reactor) {}
  ~UnaryFinisher() {
    Finish(absl::UnavailableError(
        "the scheduler has stopped before this was on record"));
  }
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

// The reply of a unary call: fills `response` and finishes `reactor`, which
// waits for it even if its client has gone.
template <typename Response>
Reply<Response> FinishWith(grpc::ServerUnaryReactor* reactor,
                           Response* response) {
  return [finisher = std::make_shared<UnaryFinisher>(reactor),
          response](absl::StatusOr<Response> result) {
    const absl::Status status = result.status();
    if (status.ok()) *response = *std::move(result);
    finisher->Finish(status);
  };
}

// Hands over `input`; finishes the call at once if it is not taken.
inline grpc::ServerUnaryReactor* PushOrFinish(Inbox* inbox, Input input,
                                              grpc::ServerUnaryReactor* r) {
  const absl::Status pushed = inbox->Push(input);
  if (!pushed.ok()) Refuse(input, pushed);
  return r;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* PushCall(Inbox* inbox,
                                   grpc::CallbackServerContext* context,
                                   const Request& request, Response* response,
                                   std::string caller = "") {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  return PushOrFinish(
      inbox,
      Call<Request, Response>{request, FinishWith(reactor, response),
                              std::move(caller)},
      reactor);
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_UNARY_H_
