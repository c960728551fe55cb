// The agent's folder on disk: made, locked, and given a name of its own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_STATE_FOLDER_H_
#define CCSCHED_AGENT_STATE_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/spawn.h"

namespace ccsched {

struct StateFolder {
  std::string path;  // absolute
  std::string id;    // 16 random bytes, made once with the folder
  Fd lock;
};

// Makes the folder and what is in it where missing, and locks it. In a copy of
// another one (a clone of a machine, a backup) the jobs on record are not this
// agent's: it is emptied of them and gets a name of its own. Errors:
// FailedPrecondition if another agent holds it; else naming the file.
absl::StatusOr<StateFolder> OpenStateFolder(const std::string& path);

// 16 random bytes.
std::string RandomId();

}  // namespace ccsched

#endif  // CCSCHED_AGENT_STATE_FOLDER_H_
