// A child process of a test: a real binary, with its log in a file.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_PROCESS_H_
#define CCSCHED_TESTS_FAULT_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fault/death_book.h"

namespace ccsched::testing {

// Killed (SIGKILL) and waited for when it goes out of scope.
class Process {
 public:
  Process() = default;
  // Starts `argv` with standard output and error appended to `log`, and `env`
  // (NAME=value) added to the environment. The child dies with the test
  // (PR_SET_PDEATHSIG).
  // `deaths`, which outlives this, is told what is done to it and how it ends.
  static Process Start(const std::vector<std::string>& argv,
                       const std::string& log,
                       const std::vector<std::string>& env = {},
                       DeathBook* deaths = nullptr);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  bool running();
  pid_t pid() const { return pid_; }
  // Sends a signal; does nothing to a process that has ended.
  void Signal(int signal);
  // Waits for the end; the exit status as waitpid gives it, or nothing if it
  // is still running after `patience`.
  std::optional<int> Wait(absl::Duration patience);
  // SIGKILL, and waits.
  void Kill();

 private:
  void Ended(int status);

  pid_t pid_ = 0;
  std::string binary_;
  DeathBook* deaths_ = nullptr;
};

// Polls `done` every few milliseconds until it is true; false if it is not so
// within `patience`. The deadline is what fails a test, not the pace.
template <typename Done>
bool Eventually(absl::Duration patience, Done done) {
  const absl::Time deadline = absl::Now() + patience;
  while (!done()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_PROCESS_H_
