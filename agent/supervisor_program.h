// The program that runs one job, held open from the agent's start.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SUPERVISOR_PROGRAM_H_
#define CCSCHED_AGENT_SUPERVISOR_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/spawn.h"

namespace ccsched {

// An upgrade puts a new file in the place of the old one while the agent runs.
// Held open, the file that the agent was started with stays the one that it
// starts: the two always fit.
class SupervisorProgram {
 public:
  // Errors: naming the path, and what the system says.
  static absl::StatusOr<SupervisorProgram> Open(const std::string& path);

  // A path by which this process, and only it, can execute the program.
  const std::string& exec_path() const { return exec_path_; }
  // Asks the program for its kLaunchVersion. Errors: FailedPrecondition if it
  // is not this agent's or the program does not run, in words for an operator.
  absl::Status Check() const;

 private:
  SupervisorProgram(Fd fd, std::string path);

  Fd fd_;
  std::string path_;
  std::string exec_path_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SUPERVISOR_PROGRAM_H_
