// The node's lease as a word of memory that agent and supervisors share.
// SPDX-License-Identifier: Apache-2.0
//
// The agent puts the end of the lease there each time it is renewed; each
// supervisor looks when that end has come, and kills its job unless it was
// moved on. So the lease holds with a dead, stopped or slow agent too, and
// costs nobody a wake-up before its end.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_LEASE_FILE_H_
#define CCSCHED_AGENT_LEASE_FILE_H_

#include <atomic>
#include <cstdint>
#include <string>

namespace ccsched {

class LeaseFile {
 public:
  LeaseFile() = default;
  ~LeaseFile();
  LeaseFile(const LeaseFile&) = delete;
  LeaseFile& operator=(const LeaseFile&) = delete;

  // Maps the file, which the agent makes where it is missing. False: errno
  // says why.
  bool Open(const std::string& path, bool create);

  // Nanoseconds since boot (BootNanos); 0: there never was a lease, so none
  // can run out. REQUIRES: Open succeeded.
  int64_t deadline() const { return word_->load(std::memory_order_acquire); }
  void set_deadline(int64_t boot_nanos) {
    word_->store(boot_nanos, std::memory_order_release);
  }

 private:
  std::atomic<int64_t>* word_ = nullptr;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LEASE_FILE_H_
