// Sorts more records than fit in memory, in runs on disk.
// SPDX-License-Identifier: Apache-2.0
#include "sim/readers/external_sort.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {

struct ExternalSort::Run {
  explicit Run(FILE* f, size_t n) : file(f), number(n) {}
  ~Run() { fclose(file); }

  // Reads its next record; false at the end, or where it can't be read.
  bool Next() {
    uint32_t sizes[2];
    if (fread(sizes, sizeof sizes, 1, file) != 1) return false;
    bytes.resize(size_t{sizes[0]} + sizes[1]);
    key_size = sizes[0];
    return bytes.empty() || fread(bytes.data(), bytes.size(), 1, file) == 1;
  }
  std::string_view key() const {
    return std::string_view(bytes).substr(0, key_size);
  }
  std::string_view value() const {
    return std::string_view(bytes).substr(key_size);
  }

  FILE* file;
  const size_t number;  // earlier runs hold earlier records
  std::string bytes;
  size_t key_size = 0;
  uint64_t left = 0;
};

ExternalSort::ExternalSort(ExternalSortOptions options)
    : options_(std::move(options)) {
  if (options_.directory.empty()) {
    const char* given = getenv("TMPDIR");
    options_.directory = given == nullptr || *given == 0 ? "/tmp" : given;
  }
}
ExternalSort::~ExternalSort() = default;
ExternalSort::ExternalSort(ExternalSort&&) noexcept = default;
ExternalSort& ExternalSort::operator=(ExternalSort&&) noexcept = default;

absl::Status ExternalSort::Add(std::string_view key, std::string_view value) {
  const size_t used = bytes_.size() + records_.size() * sizeof(Record);
  if (used + key.size() + value.size() > options_.memory_bytes &&
      !records_.empty()) {
    RETURN_IF_ERROR(Spill());
  }
  records_.push_back({bytes_.size(), static_cast<uint32_t>(key.size()),
                      static_cast<uint32_t>(value.size())});
  bytes_.append(key).append(value);
  return absl::OkStatus();
}

void ExternalSort::SortMemory() {
  std::sort(records_.begin(), records_.end(),
            [this](const Record& a, const Record& b) {
              const int order = KeyOf(a).compare(KeyOf(b));
              return order != 0 ? order < 0 : a.at < b.at;
            });
}

absl::Status ExternalSort::Failed(const char* doing) const {
  const std::string what =
      absl::StrCat(options_.directory, ": can't ", doing,
                   " a temporary file for sorting: ", std::strerror(errno));
  return errno == ENOSPC || errno == EDQUOT ? absl::ResourceExhaustedError(what)
                                            : absl::UnavailableError(what);
}

absl::Status ExternalSort::Spill() {
  SortMemory();
  std::string name = options_.directory + "/ccsched-sort-XXXXXX";
  const int fd = mkstemp(name.data());
  if (fd < 0) return Failed("make");
  unlink(name.c_str());
  FILE* file = fdopen(fd, "w+b");
  if (file == nullptr) {
    close(fd);
    return Failed("open");
  }
  auto run = std::make_unique<Run>(file, runs_.size());
  for (const Record& r : records_) {
    const uint32_t sizes[2] = {r.key_size, r.value_size};
    const size_t size = size_t{r.key_size} + r.value_size;
    if (fwrite(sizes, sizeof sizes, 1, file) != 1 ||
        (size > 0 && fwrite(bytes_.data() + r.at, size, 1, file) != 1)) {
      return Failed("write");
    }
  }
  if (fflush(file) != 0) return Failed("write");
  rewind(file);
  run->left = records_.size();
  runs_.push_back(std::move(run));
  records_.clear();
  bytes_.clear();
  return absl::OkStatus();
}

bool ExternalSort::Later(const Run* a, const Run* b) {
  const int order = a->key().compare(b->key());
  return order != 0 ? order > 0 : a->number > b->number;
}

absl::Status ExternalSort::Finish() {
  if (runs_.empty()) {
    SortMemory();
    return absl::OkStatus();
  }
  if (!records_.empty()) RETURN_IF_ERROR(Spill());
  bytes_.shrink_to_fit();
  records_.shrink_to_fit();
  for (const auto& run : runs_) {
    if (!run->Next()) return Failed("read");
    --run->left;
    heap_.push_back(run.get());
  }
  std::make_heap(heap_.begin(), heap_.end(), Later);
  return absl::OkStatus();
}

absl::StatusOr<bool> ExternalSort::NextInMemory() {
  if (next_ == records_.size()) return false;
  const Record& r = records_[next_++];
  key_ = KeyOf(r);
  value_ = std::string_view(bytes_).substr(r.at + r.key_size, r.value_size);
  return true;
}

absl::StatusOr<bool> ExternalSort::Next() {
  if (runs_.empty()) return NextInMemory();
  // The record given last is the caller's until now.
  if (current_ != nullptr && current_->left > 0) {
    if (!current_->Next()) return Failed("read");
    --current_->left;
    heap_.push_back(current_);
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  current_ = nullptr;
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later);
  current_ = heap_.back();
  heap_.pop_back();
  key_ = current_->key();
  value_ = current_->value();
  return true;
}

}  // namespace ccsched
