// A stream of a job's output, relayed from its node.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_LOG_STREAM_H_
#define CCSCHED_SCHEDULER_RPC_LOG_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ccsched/v1/jobs.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/agent_directory.h"

namespace ccsched {

// Holds at most about kBytesMax; then the node's stream waits for this reader
// (see AgentDirectory::CutStalled). Owns itself.
class LogStream : public grpc::ServerWriteReactor<v1::LogChunk>,
                  public LogSink,
                  public std::enable_shared_from_this<LogStream> {
 public:
  static constexpr size_t kBytesMax = 1 << 20;

  static LogStream* Begin(LedgerReader* reader, AgentDirectory* directory,
                          const v1::LogsRequest& request);

  bool Take(v1::LogData data, std::function<void()> resume) override;
  bool StalledSince(RealTime then) const override;
  void Fail(absl::Status why) override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  explicit LogStream(AgentDirectory* directory) : directory_(directory) {}
  void Open(LedgerReader& reader, const v1::LogsRequest& request);
  void EndLocked(absl::Status why);
  void WriteNextLocked();
  // What to call once the lock is gone.
  std::function<void()> TakeResumeLocked();

  AgentDirectory* const directory_;
  std::shared_ptr<LogStream> self_;

  mutable std::mutex mutex_;
  uint64_t request_ = 0;
  std::deque<v1::LogChunk> queue_;
  size_t queued_bytes_ = 0;
  v1::LogChunk outgoing_;
  std::function<void()> resume_;
  RealTime stalled_;  // when resume_ was left here
  std::optional<absl::Status> end_;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_LOG_STREAM_H_
