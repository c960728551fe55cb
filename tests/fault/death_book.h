// Who died of a signal that no test sent.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_DEATH_BOOK_H_
#define CCSCHED_TESTS_FAULT_DEATH_BOOK_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace ccsched::testing {

// Keeps what a suite has done to processes, and compares with it how they end.
// Not thread safe.
class DeathBook {
 public:
  // From now on a process that ends as an orphan becomes this one's child: a
  // supervisor whose agent was killed. Those that are so already are of an
  // earlier suite's, and nothing is said of them.
  DeathBook();

  // The suite sends, or has told the process to send itself, this signal.
  void Sent(pid_t pid, int signal);
  // Processes that the suite can't name will end so.
  void Expect(const std::string& binary, int signal);

  // How a process ended, by waitpid's status. What no signal explains is kept:
  // one that was not sent, or an exit status of a sanitizer's.
  void Ended(const std::string& binary, pid_t pid, int status);
  // The same, from somebody else who was told.
  void Killed(const std::string& binary, pid_t pid, int signal);
  // Looks at supervisors that ended as orphans.
  void ReapOrphans();

  // One line each: binary, number, signal. Empty if all is well.
  const std::vector<std::string>& unexplained() const { return unexplained_; }

 private:
  std::set<pid_t> before_;  // supervisors
  std::set<std::pair<pid_t, int>> sent_;
  std::set<std::pair<std::string, int>> expected_;
  std::vector<std::string> unexplained_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_DEATH_BOOK_H_
