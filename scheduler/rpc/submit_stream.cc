// The bulk submission stream: many jobs a message, several on their way.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/submit_stream.h"

#include <algorithm>
#include <utility>

#include "scheduler/rpc/grpc_status.h"

namespace ccsched {

SubmitStream* SubmitStream::Begin(MaySubmit may_submit, Inbox* inbox,
                                  v1::SubmitBulkResponse* response) {
  const std::shared_ptr<SubmitStream> stream(
      new SubmitStream(std::move(may_submit), inbox, response));
  stream->self_ = stream;
  const std::lock_guard lock(stream->mutex_);
  stream->ReadMoreLocked();
  return stream.get();
}

void SubmitStream::ReadMoreLocked() {
  if (reading_ || ended_ || outstanding_ >= kOutstandingMax) return;
  reading_ = true;
  incoming_ = std::make_shared<Message>();
  StartRead(&incoming_->request);
}

void SubmitStream::OnReadDone(bool ok) {
  std::shared_ptr<Message> message;
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    if (!ok) {
      ended_ = true;
      FinishIfOverLocked();
      return;
    }
    message = std::move(incoming_);
    message->first_index = next_index_;
    next_index_ += message->request.jobs_size();
    ++outstanding_;
  }
  Push(message);
}

void SubmitStream::Push(const std::shared_ptr<Message>& message) {
  Submission submission;
  for (const v1::JobSpec& job : message->request.jobs()) {
    const absl::Status allowed = may_submit_(job.user());
    if (!allowed.ok()) return Answered(*message, allowed, {});
    submission.jobs.push_back(&job);
  }
  submission.reply = [self = self_, message](
                         const absl::Status& status,
                         const absl::InlinedVector<SubmitResult, 1>& results) {
    self->Answered(*message, status, results);
  };
  const size_t cost = std::max<size_t>(submission.jobs.size(), 1);
  Input input = std::move(submission);
  const absl::Status pushed = inbox_->Push(input, Lane::kClient, cost);
  if (absl::IsResourceExhausted(pushed) && inbox_->refusing().ok()) {
    inbox_->WhenRoom([self = self_, message] { self->Push(message); });
    return;
  }
  if (!pushed.ok()) {
    Answered(*message, pushed, {});
    return;
  }
  const std::lock_guard lock(mutex_);
  ReadMoreLocked();
}

void SubmitStream::Answered(
    const Message& message, const absl::Status& status,
    const absl::InlinedVector<SubmitResult, 1>& results) {
  const std::lock_guard lock(mutex_);
  --outstanding_;
  if (!status.ok()) {
    if (failure_.ok()) failure_ = status;
    ended_ = true;
  }
  for (size_t i = 0; i < results.size(); ++i) {
    Count(message.first_index + i, results[i]);
  }
  ReadMoreLocked();
  FinishIfOverLocked();
}

void SubmitStream::Count(uint64_t index, const SubmitResult& result) {
  if (!result.status.ok()) {
    response_->set_refused(response_->refused() + 1);
    if (response_->refusals_size() < kRefusalsMax) {
      v1::BulkRefusal* const refusal = response_->add_refusals();
      refusal->set_index(index);
      refusal->set_message(std::string(result.status.message()));
    }
    return;
  }
  response_->set_accepted(response_->accepted() + result.jobs);
  const uint64_t first = result.first.value();
  if (response_->first_job_id() == 0 || first < response_->first_job_id()) {
    response_->set_first_job_id(first);
  }
  response_->set_last_job_id(
      std::max(response_->last_job_id(), first + result.jobs - 1));
}

void SubmitStream::FinishIfOverLocked() {
  if (!ended_ || outstanding_ > 0 || finished_) return;
  finished_ = true;
  Finish(ToGrpc(failure_));
}

void SubmitStream::OnDone() {
  const auto self = std::move(self_);  // goes with its last user
}

}  // namespace ccsched
