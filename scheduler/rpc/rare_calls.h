// Unary calls that take no room in every connection.
// SPDX-License-Identifier: Apache-2.0
//
// gRPC gives each connection a table of all registered methods, 160 bytes for
// each of them; a scheduler has ten thousand connections of agents, who call
// one. So what people call now and then is not registered by itself: it comes
// as a generic call, and is found here by its name.
//
//   class AdminService : public RareService<v1::Admin> {
//     AdminService(Inbox* inbox, RareCalls& calls) {
//       Serve<v1::SitesRequest, v1::SitesResponse>(calls, "Sites",
//                                                  AskDriver(inbox));
//     }
#ifndef CCSCHED_SCHEDULER_RPC_RARE_CALLS_H_
#define CCSCHED_SCHEDULER_RPC_RARE_CALLS_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/rpc/input.h"
#include "scheduler/rpc/unary.h"

namespace ccsched {

class RareCalls : public grpc::CallbackGenericService {
 public:
  // Given the request's bytes, which last until it returns; replies with the
  // response's. A reply that is dropped without being called says that the
  // scheduler has stopped.
  using Handler =
      std::function<void(const grpc::CallbackServerContext&, grpc::ByteBuffer*,
                         const Reply<grpc::ByteBuffer>&)>;

  // `path`: "/ccsched.v1.Admin/Sites". REQUIRES: the server is not started.
  void Add(const std::string& path, Handler handler) {
    handlers_[path] = std::move(handler);
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  absl::flat_hash_map<std::string, Handler> handlers_;
};

// Answers one method; the context lasts until the reply.
template <typename Request, typename Response>
using RareHandler = std::function<void(const grpc::CallbackServerContext&,
                                       const Request&, const Reply<Response>&)>;

// A handler of any method that the driver answers.
inline auto AskDriver(Inbox* inbox) {
  return [inbox](const grpc::CallbackServerContext& /*context*/,
                 const auto& request,
                 const auto& reply) { PushCall(inbox, request, reply); };
}

// A service of which some methods are served by RareCalls; `Base` is what
// protoc made, with the way in which the others are.
template <typename Rpc, typename Base = typename Rpc::Service>
class RareService : public Base {
 protected:
  // From now on `method` is. REQUIRES: there is such a method.
  template <typename Request, typename Response>
  void Serve(RareCalls& calls, const std::string& method,
             RareHandler<Request, Response> handler) {
    const std::string service = Rpc::service_full_name();
    const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
    this->MarkMethodGeneric(
        pool->FindServiceByName(service)->FindMethodByName(method)->index());
    calls.Add(
        absl::StrCat("/", service, "/", method),
        [handler = std::move(handler)](
            const grpc::CallbackServerContext& context, grpc::ByteBuffer* bytes,
            const Reply<grpc::ByteBuffer>& reply) {
          Request request;
          if (!Parse(bytes, &request)) {
            return reply(absl::InvalidArgumentError(
                "the request is none of this method's"));
          }
          handler(context, request,
                  [reply](const absl::StatusOr<Response>& made) {
                    reply(made.ok() ? BytesOf(*made) : made.status());
                  });
        });
  }

 private:
  template <typename Message>
  static bool Parse(grpc::ByteBuffer* bytes, Message* message) {
    return grpc::SerializationTraits<Message>::Deserialize(bytes, message).ok();
  }
  template <typename Message>
  static absl::StatusOr<grpc::ByteBuffer> BytesOf(const Message& message) {
    grpc::ByteBuffer bytes;
    bool own = false;
    if (!grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own)
             .ok()) {
      return absl::InternalError("the response can't be written");
    }
    return bytes;
  }
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_RARE_CALLS_H_
