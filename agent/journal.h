// An append-only file of checked records, put on disk a batch at a time.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(auto journal, Journal::Open(path, replay));
//   journal->Append(record);  // in memory
//   journal->Commit();        // on disk: one write, one fdatasync
#ifndef CCSCHED_AGENT_JOURNAL_H_
#define CCSCHED_AGENT_JOURNAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccsched/v1/agent_state.pb.h"

namespace ccsched {

class Journal {
 public:
  using Replay = std::function<void(const v1::AgentRecord&)>;

  // Opens or makes the file and hands each whole record to `replay`. A torn
  // tail, from a loss of power, is cut off: nothing in it was ever acted on.
  // Errors: naming the file and what the system says.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& path,
                                                       const Replay& replay);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void Append(const v1::AgentRecord& record);
  // What was appended, written out; on disk too if `durable`. After an error
  // the file is as before and what was appended is dropped.
  absl::Status Commit(bool durable = true);

  uint64_t size() const { return size_; }
  // Replaces all by `records`, atomically. On an error all is as before.
  absl::Status Rewrite(const std::vector<v1::AgentRecord>& records);

 private:
  Journal(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status ReplayAll(const Replay& replay);

  const std::string path_;
  int fd_;
  uint64_t size_ = 0;  // bytes that are whole records
  std::string pending_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_JOURNAL_H_
