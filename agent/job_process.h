// Starts a job's first process in a session of its own.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_JOB_PROCESS_H_
#define CCSCHED_AGENT_JOB_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "agent/launch_spec.h"
#include "agent/lease_file.h"

namespace ccsched {

// At which step a start failed.
enum class StartStep : int {
  kNone,
  kFork,
  kCgroup,
  kUser,
  kWorkdir,
  kOutput,
  kLease,
  kExec
};

struct JobStart {
  pid_t pid = 0;  // 0 if the start failed; nothing is left of it then
  StartStep failed = StartStep::kNone;
  int error = 0;  // errno of that step
  // What to tell the user, "workdir /x: No such file or directory".
  std::string Message(const LaunchSpec& spec) const;
};

// Forks and execs. `output` is the write end of the supervisor's pipe, or -1:
// then the job opens spec.output itself, as its own user. `notes`, if not -1,
// becomes the program's kInitNotesFd. Returns once the program runs, or has
// failed to: a file system that does not answer may take hours over it, so
// where there is a lease it is not begun after its end. The child dies with its
// supervisor.
JobStart StartJobProcess(const LaunchSpec& spec, const LeaseFile* lease,
                         int output, int notes);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_JOB_PROCESS_H_
