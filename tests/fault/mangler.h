// A wire of messages: it says some twice, and some in another order.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_MANGLER_H_
#define CCSCHED_TESTS_FAULT_MANGLER_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "ccsched/v1/agents.grpc.pb.h"
#include "scheduler/base/random.h"

namespace ccsched::testing {

// Listens on a unix socket as if it were the scheduler, and forwards what is
// said both ways. gRPC itself never doubles or reorders: this is worse than
// any network. Introductions come first and once, as do pieces of a log.
class Mangler final : public v1::Agents::Service {
 public:
  // REQUIRES: `listen_path` does not exist.
  Mangler(const std::string& listen_path, const std::string& target,
          uint64_t seed);
  ~Mangler() override;

  // One in `n` messages is doubled, another is overtaken by the next; 0: none.
  void Mangle(int n) { one_in_ = n; }

 private:
  using AgentSide =
      grpc::ServerReaderWriter<v1::SchedulerMessage, v1::AgentMessage>;
  enum class Trick { kNone, kTwice, kLater };

  grpc::Status Connect(grpc::ServerContext* context, AgentSide* agent) override;
  Trick Choose(bool may);
  template <typename Message, typename From, typename To>
  void Carry(From& from, To& to);

  const std::string target_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<int> one_in_{0};
  std::mutex mutex_;
  Random random_;  // guarded by mutex_
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_MANGLER_H_
