// Gives the jobs of a trace in the order of their submission.
// SPDX-License-Identifier: Apache-2.0
#include "sim/readers/sorted_trace.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// Bytes that sort as the number does.
std::string SortableKey(int64_t number) {
  uint64_t bits = static_cast<uint64_t>(number) ^ (uint64_t{1} << 63);
  std::string key(8, 0);
  for (int i = 7; i >= 0; --i, bits >>= 8) {
    key[i] = static_cast<char>(bits & 0xff);
  }
  return key;
}

void PutText(std::string_view text, std::string& to) {
  const auto size = static_cast<uint32_t>(text.size());
  to.append(reinterpret_cast<const char*>(&size), sizeof size);
  to.append(text);
}

void TakeText(std::string_view& from, std::string& text) {
  uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  text.assign(from.substr(sizeof size, size));
  from.remove_prefix(sizeof size + size);
}

// Everything of a job, then where it was read; returns the former's size.
size_t Pack(const TraceJob& job, const std::string& where, std::string& to) {
  to.assign(reinterpret_cast<const char*>(&job.submit_us), 8);
  to.append(reinterpret_cast<const char*>(&job.duration_us), 8);
  to.append(reinterpret_cast<const char*>(&job.count), 4);
  for (const std::string* text :
       {&job.id, &job.user, &job.project, &job.name}) {
    PutText(*text, to);
  }
  const size_t size = to.size();
  PutText(where, to);
  return size;
}

void Unpack(std::string_view from, TraceJob& job, std::string& where) {
  std::memcpy(&job.submit_us, from.data(), 8);
  std::memcpy(&job.duration_us, from.data() + 8, 8);
  std::memcpy(&job.count, from.data() + 16, 4);
  from.remove_prefix(20);
  for (std::string* text : {&job.id, &job.user, &job.project, &job.name}) {
    TakeText(from, *text);
  }
  TakeText(from, where);
}

class SortedTrace : public TraceReader {
 public:
  SortedTrace(std::unique_ptr<TraceReader> trace, SortedTraceOptions options)
      : trace_(std::move(trace)),
        drop_duplicates_(options.drop_duplicates),
        sort_(std::move(options.sort)) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    if (!sorted_) RETURN_IF_ERROR(ReadAll());
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, sort_.Next());
      if (!more) return false;
      Unpack(sort_.value(), job, where_);
      if (!drop_duplicates_ || !SeenBefore(job)) return true;
      ++duplicates_;
    }
  }
  bool relative() const override { return trace_->relative(); }
  std::string Where() const override {
    return sorted_ ? where_ : trace_->Where();
  }
  uint64_t left_out() const override {
    return trace_->left_out() + duplicates_;
  }

 private:
  absl::Status ReadAll() {
    TraceJob job;
    std::string packed;
    for (;;) {
      const uint64_t row = row_++;
      ASSIGN_OR_RETURN(const bool more, trace_->Next(job));
      if (!more) break;
      if (job.id.empty()) job.id = absl::StrCat(row);
      Pack(job, trace_->Where(), packed);
      RETURN_IF_ERROR(sort_.Add(SortableKey(job.submit_us), packed));
    }
    sorted_ = true;
    return sort_.Finish();
  }

  // Duplicates are submitted together, so only such jobs are remembered.
  bool SeenBefore(const TraceJob& job) {
    if (job.submit_us != together_at_) together_.clear();
    together_at_ = job.submit_us;
    std::string packed;
    const size_t size = Pack(job, "", packed);
    packed.resize(size);
    return !together_.insert(std::move(packed)).second;
  }

  std::unique_ptr<TraceReader> trace_;
  const bool drop_duplicates_;
  ExternalSort sort_;
  uint64_t row_ = 0;
  bool sorted_ = false;
  std::string where_;
  uint64_t duplicates_ = 0;
  int64_t together_at_ = 0;
  absl::flat_hash_set<std::string> together_;
};

}  // namespace

std::unique_ptr<TraceReader> SortBySubmission(
    std::unique_ptr<TraceReader> trace, SortedTraceOptions options) {
  return std::make_unique<SortedTrace>(std::move(trace), std::move(options));
}

}  // namespace ccsched
