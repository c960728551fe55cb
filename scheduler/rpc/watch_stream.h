// A stream of jobs as they change.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_WATCH_STREAM_H_
#define CCSCHED_SCHEDULER_RPC_WATCH_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/watch_hub.h"

namespace ccsched {

// Sends each named job as it is, then again after each change, and ends when
// all of them have ended. Without names: every change of any job, until the
// client goes. Changes in quick succession may come as one. Owns itself.
class WatchStream : public grpc::ServerWriteReactor<v1::Job> {
 public:
  static WatchStream* Begin(LedgerReader* reader, WatchHub* hub,
                            const v1::WatchJobsRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchStream(LedgerReader* reader, WatchHub* hub)
      : reader_(reader), hub_(hub) {}

  void Pump();
  // Writes the next change, or finishes; nothing if there is neither.
  void NextLocked();
  void FinishLocked(const absl::Status& status);

  LedgerReader* const reader_;
  WatchHub* const hub_;
  std::shared_ptr<WatchStream> self_;
  std::shared_ptr<JobWatch> watch_;

  std::mutex mutex_;
  v1::Job outgoing_;
  absl::flat_hash_set<uint64_t> unended_;
  bool named_ = false;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_WATCH_STREAM_H_
