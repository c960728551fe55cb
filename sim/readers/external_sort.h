// Sorts more records than fit in memory, in runs on disk.
// SPDX-License-Identifier: Apache-2.0
//
//   ExternalSort sort;
//   RETURN_IF_ERROR(sort.Add(key, value));  // many
//   RETURN_IF_ERROR(sort.Finish());
//   for (;;) {
//     ASSIGN_OR_RETURN(bool more, sort.Next());
//     if (!more) break;
//     Use(sort.key(), sort.value());
//   }
#ifndef CCSCHED_SIM_READERS_EXTERNAL_SORT_H_
#define CCSCHED_SIM_READERS_EXTERNAL_SORT_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ccsched {

struct ExternalSortOptions {
  size_t memory_bytes = size_t{128} << 20;
  std::string directory;  // of the runs; empty: TMPDIR, or /tmp
};

// Orders by the bytes of the key; records of one key keep their order. Runs
// are unnamed files: nothing is left behind, however the process ends.
class ExternalSort {
 public:
  explicit ExternalSort(ExternalSortOptions options = {});
  ~ExternalSort();
  ExternalSort(ExternalSort&&) noexcept;
  ExternalSort& operator=(ExternalSort&&) noexcept;

  // Errors: ResourceExhausted if the disk is full, Unavailable if it fails.
  absl::Status Add(std::string_view key, std::string_view value);
  // Ends the adding.
  absl::Status Finish();
  // Moves to the next record; false at the end. REQUIRES: Finish was called.
  absl::StatusOr<bool> Next();
  // Valid until the next call of Next.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  size_t runs() const { return runs_.size(); }  // on disk

 private:
  struct Record {
    size_t at;
    uint32_t key_size, value_size;
  };
  struct Run;

  void SortMemory();
  absl::Status Spill();
  absl::StatusOr<bool> NextInMemory();
  absl::Status Failed(const char* doing) const;
  std::string_view KeyOf(const Record& r) const {
    return std::string_view(bytes_).substr(r.at, r.key_size);
  }
  static bool Later(const Run* a, const Run* b);

  ExternalSortOptions options_;
  std::string bytes_;
  std::vector<Record> records_;
  size_t next_ = 0;  // of records_
  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<Run*> heap_;
  Run* current_ = nullptr;  // whose record was given last
  std::string_view key_, value_;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_READERS_EXTERNAL_SORT_H_
