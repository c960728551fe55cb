// What runs before a job and outside of it, for all jobs of the same user.
// SPDX-License-Identifier: Apache-2.0
//
// Containers of an ordinary user share a namespace, which the first podman of
// that user makes, and a process that keeps it. Were that podman a job's, the
// process would end with the job, and podmans that start just then would fail.
// So each such job first sees to it that the process is there, one job of a
// user's after the other.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_PRELUDE_H_
#define CCSCHED_AGENT_PRELUDE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "agent/launch_spec.h"

namespace ccsched {

class Prelude {
 public:
  Prelude() = default;
  ~Prelude();
  Prelude(const Prelude&) = delete;
  Prelude& operator=(const Prelude&) = delete;

  // Begins it, as the job's user and with its environment but for the tag, by
  // which what belongs to a job is found. False: errno says why it can't.
  // REQUIRES: this process adopts no orphans, or they would be the job's.
  bool Begin(const LaunchSpec& job);
  // The child that waits for its turn, and then for its end; 0 if none does.
  pid_t pid() const { return pid_; }
  // To be told when that child was reaped.
  void OnReaped(int status);
  // Ends it, if it runs.
  void Kill();
  // What went wrong; empty if nothing did. REQUIRES: it has ended.
  std::string Failure() const;

 private:
  std::vector<std::string> argv_;
  pid_t pid_ = 0;
  int status_ = 0;
  int output_ = -1;  // the beginning of what it prints
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PRELUDE_H_
