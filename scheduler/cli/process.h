// Background processes by pid file, for the embedded cluster.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_PROCESS_H_
#define CCSCHED_SCHEDULER_CLI_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ccsched {

// A process that can't be mistaken for a later one with its number.
struct ProcessKey {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // since boot; /proc/PID/stat, field 22
};

// Starts `command` in a session of its own, standard input from /dev/null,
// standard output and error added to `log_file`. Errors: Internal naming the
// program.
absl::StatusOr<ProcessKey> SpawnDetached(
    const std::vector<std::string>& command, const std::string& log_file);

// Whether it still runs (a zombie does not).
bool IsAlive(const ProcessKey& process);

// The exit status of a child of ours that has ended, 128 + signal if one ended
// it; told once. Nothing while it runs, and of others.
std::optional<int> TakeExitStatus(const ProcessKey& process);

// SIGTERM, and SIGKILL if it has not gone after `patience`. Returns whether it
// went by itself.
bool Terminate(const ProcessKey& process, absl::Duration patience);

// "PID TICKS" in a file. Reading gives nothing if the file is not there or the
// process is gone.
absl::Status WritePidFile(const std::string& path, const ProcessKey& process);
std::optional<ProcessKey> ReadPidFile(const std::string& path);

// The path of a program of this build: beside our own, elsewhere in the build
// tree at `tree_path` from our own folder, or on PATH. Errors: NotFound.
absl::StatusOr<std::string> FindProgram(const std::string& name,
                                        const std::string& tree_path);
// The folder of our own program.
std::string OwnFolder();

// The last `lines` lines of a file; empty if there is none.
std::string Tail(const std::string& path, int lines);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_PROCESS_H_
