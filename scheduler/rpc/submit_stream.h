// The bulk submission stream: many jobs a message, several on their way.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_SUBMIT_STREAM_H_
#define CCSCHED_SCHEDULER_RPC_SUBMIT_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "ccsched/v1/jobs.pb.h"
#include "scheduler/rpc/inbox.h"

namespace ccsched {

// Reads on while at most kOutstandingMax messages wait for their commit and
// the inbox has room; so a fast client waits, and nothing grows. Each job is
// taken or refused on its own; the counts come at the end. Owns itself.
class SubmitStream : public grpc::ServerReadReactor<v1::SubmitBulkRequest> {
 public:
  static constexpr size_t kOutstandingMax = 8;
  static constexpr int kRefusalsMax = 100;

  // Whether the caller may submit jobs of this user: if not, all fails.
  using MaySubmit = std::function<absl::Status(std::string_view user)>;

  static SubmitStream* Begin(MaySubmit may_submit, Inbox* inbox,
                             v1::SubmitBulkResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  SubmitStream(MaySubmit may_submit, Inbox* inbox,
               v1::SubmitBulkResponse* response)
      : may_submit_(std::move(may_submit)),
        inbox_(inbox),
        response_(response) {}

  struct Message {
    v1::SubmitBulkRequest request;
    uint64_t first_index = 0;
  };
  void Push(const std::shared_ptr<Message>& message);
  void Answered(const Message& message, const absl::Status& status,
                const absl::InlinedVector<SubmitResult, 1>& results);
  void Count(uint64_t index, const SubmitResult& result);
  void ReadMoreLocked();
  void FinishIfOverLocked();

  const MaySubmit may_submit_;
  Inbox* const inbox_;
  v1::SubmitBulkResponse* const response_;
  std::shared_ptr<SubmitStream> self_;

  std::mutex mutex_;
  std::shared_ptr<Message> incoming_;
  uint64_t next_index_ = 0;
  size_t outstanding_ = 0;
  bool reading_ = false;
  bool ended_ = false;     // the client has sent all, or the stream is failed
  bool finished_ = false;  // Finish was called
  absl::Status failure_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_SUBMIT_STREAM_H_
