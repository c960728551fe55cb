// A stream of jobs as they change.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/watch_stream.h"

#include <vector>

#include "scheduler/rpc/grpc_status.h"
#include "scheduler/rpc/job_view.h"

namespace ccsched {

WatchStream* WatchStream::Begin(LedgerReader* reader, WatchHub* hub,
                                const v1::WatchJobsRequest& request) {
  const std::shared_ptr<WatchStream> stream(new WatchStream(reader, hub));
  stream->self_ = stream;
  std::vector<JobId> jobs;
  for (const uint64_t id : request.job_ids()) {
    jobs.emplace_back(id);
    stream->unended_.insert(id);
  }
  stream->named_ = !jobs.empty();
  // The hub outlives no stream's end; the stream is held by what may call it.
  const std::weak_ptr<WatchStream> weak = stream;
  stream->watch_ = std::make_shared<JobWatch>(jobs, [weak] {
    if (const auto self = weak.lock()) self->Pump();
  });
  hub->Add(stream->watch_);
  stream->Pump();
  return stream.get();
}

void WatchStream::Pump() {
  const std::lock_guard lock(mutex_);
  if (!writing_) NextLocked();
}

void WatchStream::NextLocked() {
  if (finished_) return;
  if (watch_->overflowed()) {
    FinishLocked(absl::ResourceExhaustedError(
        "this watcher reads too slowly and has missed changes"));
    return;
  }
  const std::optional<JobId> id = watch_->Take();
  if (!id.has_value()) {
    if (named_ && unended_.empty()) FinishLocked(absl::OkStatus());
    return;
  }
  const absl::StatusOr<JobRecord> record = reader_->Job(*id);
  if (!record.ok()) {
    FinishLocked(record.status());
    return;
  }
  outgoing_ = JobView(*record);
  if (IsTerminal(static_cast<JobState>(record->state.state))) {
    unended_.erase(id->value());
  }
  writing_ = true;
  StartWrite(&outgoing_);
}

void WatchStream::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok || cancelled_) {
    FinishLocked(absl::CancelledError("the watcher is gone"));
    return;
  }
  NextLocked();
}

void WatchStream::OnCancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  // A write in flight finishes the stream when it comes back, which it may do
  // as if nothing had happened.
  if (!writing_) FinishLocked(absl::CancelledError("the watcher is gone"));
}

void WatchStream::FinishLocked(const absl::Status& status) {
  if (finished_) return;
  finished_ = true;
  Finish(ToGrpc(status));
}

void WatchStream::OnDone() {
  hub_->Remove(watch_.get());
  const auto self = std::move(self_);
}

}  // namespace ccsched
