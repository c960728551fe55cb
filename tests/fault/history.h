// What clients were told and what jobs did, and the proof that they agree.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_HISTORY_H_
#define CCSCHED_TESTS_FAULT_HISTORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/fault/cluster.h"

namespace ccsched::testing {

// When one rank of one attempt began and was done, as far as it said so.
struct RankDeeds {
  std::optional<absl::Time> began, done;
};

// The deeds of one job, from the file that its processes append to.
struct Deeds {
  std::vector<uint32_t> started;  // epochs, in order
  std::vector<uint32_t> ended;    // epochs that came to their own end
  std::map<uint32_t, std::map<uint32_t, RankDeeds>> ranks;  // by epoch
  int overlaps = 0;  // a start while another attempt held the job's lock
};

class History {
 public:
  // `dir` holds one file a job, named by the job's key.
  explicit History(std::string dir) : dir_(std::move(dir)) {}

  // A script that records its doings, works for `seconds`, and exits with
  // `exit_code`. Its lock is dropped by the kernel when its last process dies.
  std::string Script(const std::string& key, double seconds,
                     int exit_code) const;

  // What a client tried and was told.
  void Tried(const std::string& key, int exit_code) { tried_[key] = exit_code; }
  void Acknowledged(const std::string& key, uint64_t job) {
    acknowledged_[key] = job;
  }
  void AskedToCancel(const std::string& key) { cancelled_.insert(key); }

  const std::map<std::string, uint64_t>& acknowledged() const {
    return acknowledged_;
  }

  // All violations, one sentence each, against the ledger as the cluster tells
  // it. REQUIRES: every acknowledged job is terminal or never will be.
  std::vector<std::string> Violations(TestCluster& cluster) const;
  Deeds ReadDeeds(const std::string& key) const;

 private:
  using Violation = std::function<void(const std::string&)>;
  void CheckJob(const std::string& key, const v1::Job& job,
                const Violation& violation) const;
  void CheckStates(const std::string& key, const v1::Job& job,
                   const Deeds& deeds, const Violation& violation) const;
  static void CheckAttempts(const v1::Job& job, const Deeds& deeds,
                            const Violation& violation);
  static void CheckTimes(const v1::Attempt& attempt,
                         const std::map<uint32_t, RankDeeds>& ranks,
                         const Violation& violation);
  static void CheckEnergy(const v1::Attempt& attempt,
                          const std::map<uint32_t, RankDeeds>& ranks,
                          const Violation& violation);
  std::set<std::string> KeysThatRan() const;
  std::string Describe(const std::string& key, const v1::Job& job) const;

  const std::string dir_;
  std::map<std::string, int> tried_;
  std::map<std::string, uint64_t> acknowledged_;
  std::set<std::string> cancelled_;
};

// Whether the state is one that a job never leaves.
bool IsTerminalState(v1::JobState state);

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_HISTORY_H_
