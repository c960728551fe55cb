// Unary calls that take no room in every connection.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/rare_calls.h"

#include <memory>

#include "scheduler/rpc/grpc_status.h"
#include "scheduler/rpc/unary.h"

namespace ccsched {
namespace {

// One call; owns itself.
class RareCall : public grpc::ServerGenericBidiReactor {
 public:
  RareCall(const grpc::CallbackServerContext* context,
           const RareCalls::Handler* handler)
      : context_(context), handler_(handler) {
    StartRead(&request_);
  }

  // The answer is waited for even if the client has gone.
  void OnReadDone(bool ok) override {
    auto answer = std::make_shared<Answer>(this);
    if (!ok) {
      return answer->Give(absl::InvalidArgumentError("there is no request"));
    }
    (*handler_)(*context_, &request_,
                [answer](absl::StatusOr<grpc::ByteBuffer> response) {
                  answer->Give(std::move(response));
                });
  }
  void OnDone() override { delete this; }

 private:
  // Given once; if not by whoever should, as this goes.
  class Answer {
   public:
    explicit Answer(RareCall* call) : call_(call) {}
    ~Answer() { Give(absl::UnavailableError(kStoppedBefore)); }
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    void Give(absl::StatusOr<grpc::ByteBuffer> response) {
      auto* const call = std::exchange(call_, nullptr);
      if (call != nullptr) call->End(std::move(response));
    }

   private:
    RareCall* call_;
  };

  void End(absl::StatusOr<grpc::ByteBuffer> response) {
    if (!response.ok()) return Finish(ToGrpc(response.status()));
    response_ = *std::move(response);
    StartWriteAndFinish(&response_, {}, grpc::Status::OK);
  }

  const grpc::CallbackServerContext* const context_;
  const RareCalls::Handler* const handler_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

}  // namespace

grpc::ServerGenericBidiReactor* RareCalls::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const auto found = handlers_.find(context->method());
  if (found == handlers_.end()) {
    return grpc::CallbackGenericService::CreateReactor(context);
  }
  return new RareCall(context, &found->second);
}

}  // namespace ccsched
