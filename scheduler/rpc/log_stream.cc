// A stream of a job's output, relayed from its node.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/log_stream.h"

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/grpc_status.h"
#include "scheduler/rpc/job_view.h"

namespace ccsched {
namespace {

struct Place {
  std::string node;
  v1::AttemptKey key;
};

// The attempt and node that wrote what is asked for.
absl::StatusOr<Place> FindOutput(LedgerReader& reader,
                                 const v1::LogsRequest& request) {
  ASSIGN_OR_RETURN(const JobRecord job, reader.Job(JobId(request.job_id())));
  if (job.attempts.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", request.job_id(), " has not started yet"));
  }
  const AttemptRow* attempt = &job.attempts.back();
  if (request.has_epoch()) {
    attempt = nullptr;
    for (const AttemptRow& row : job.attempts) {
      if (row.epoch == request.epoch()) attempt = &row;
    }
  }
  if (attempt == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "job ", request.job_id(), " has no attempt ", request.epoch()));
  }
  const std::vector<v1::NodeShare> nodes = PartsOf(*attempt);
  if (request.rank() >= nodes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank: ", request.rank(), ", but job ", request.job_id(),
                     " runs on ", nodes.size(), " nodes"));
  }
  Place place;
  place.node = nodes[request.rank()].node();
  place.key.set_job_id(request.job_id());
  place.key.set_epoch(attempt->epoch);
  return place;
}

}  // namespace

LogStream* LogStream::Begin(LedgerReader* reader, AgentDirectory* directory,
                            const v1::LogsRequest& request) {
  const std::shared_ptr<LogStream> stream(new LogStream(directory));
  stream->self_ = stream;
  stream->Open(*reader, request);
  return stream.get();
}

void LogStream::Open(LedgerReader& reader, const v1::LogsRequest& request) {
  const absl::StatusOr<Place> place = FindOutput(reader, request);
  const absl::StatusOr<uint64_t> opened =
      place.ok() ? directory_->OpenLog(place->node, place->key,
                                       request.follow(), shared_from_this())
                 : absl::StatusOr<uint64_t>(place.status());
  const std::lock_guard lock(mutex_);
  if (opened.ok()) {
    request_ = *opened;
  } else {
    EndLocked(opened.status());
  }
}

bool LogStream::Take(v1::LogData data, std::function<void()> resume) {
  const std::lock_guard lock(mutex_);
  if (end_.has_value() || finished_) return true;
  if (!data.data().empty() || data.unwritten() > 0) {
    queued_bytes_ += data.data().size();
    v1::LogChunk& chunk = queue_.emplace_back();
    chunk.set_data(std::move(*data.mutable_data()));
    if (data.has_offset()) chunk.set_offset(data.offset());
    chunk.set_unwritten(data.unwritten());
  }
  if (!data.error().empty()) {
    EndLocked(absl::NotFoundError(data.error()));
    return true;
  }
  if (data.end()) {
    EndLocked(absl::OkStatus());
    return true;
  }
  if (!writing_) WriteNextLocked();
  if (queued_bytes_ < kBytesMax) return true;
  resume_ = std::move(resume);
  stalled_ = std::chrono::steady_clock::now();
  return false;
}

bool LogStream::StalledSince(RealTime then) const {
  const std::lock_guard lock(mutex_);
  return resume_ != nullptr && stalled_ < then;
}

void LogStream::Fail(absl::Status why) {
  std::function<void()> resume;
  {
    const std::lock_guard lock(mutex_);
    queue_.clear();
    queued_bytes_ = 0;
    resume = TakeResumeLocked();
    EndLocked(std::move(why));
  }
  if (resume != nullptr) resume();
}

void LogStream::EndLocked(absl::Status why) {
  if (end_.has_value()) return;
  end_ = std::move(why);
  if (!writing_) WriteNextLocked();
}

void LogStream::WriteNextLocked() {
  writing_ = !queue_.empty();
  if (writing_) {
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= outgoing_.data().size();
    StartWrite(&outgoing_);
  } else if (end_.has_value() && !finished_) {
    finished_ = true;
    Finish(ToGrpc(*end_));
  }
}

std::function<void()> LogStream::TakeResumeLocked() {
  return std::exchange(resume_, nullptr);
}

void LogStream::OnWriteDone(bool ok) {
  std::function<void()> resume;
  {
    const std::lock_guard lock(mutex_);
    if (!ok) {
      queue_.clear();
      queued_bytes_ = 0;
      if (!end_.has_value()) end_ = absl::CancelledError("the reader is gone");
    }
    WriteNextLocked();
    if (queue_.empty()) resume = TakeResumeLocked();
  }
  if (resume != nullptr) resume();
}

void LogStream::OnCancel() { Fail(absl::CancelledError("the reader is gone")); }

void LogStream::OnDone() {
  const auto self = std::move(self_);
  uint64_t request;
  {
    const std::lock_guard lock(mutex_);
    request = request_;
  }
  if (request != 0) directory_->CloseLog(request);
}

}  // namespace ccsched
