// CPU time of whole process trees, read from /proc in one pass.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_PROCESS_CPU_H_
#define CCSCHED_AGENT_PROCESS_CPU_H_

#include <sys/types.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ccsched {

// For each of `roots` (supervisors, which are subreapers) the CPU time of all
// of its descendants, those that have ended included, in nanoseconds. A root
// that does not exist is left out: its use is unknown, not zero.
std::unordered_map<pid_t, int64_t> CpuNanosOfTrees(
    const std::vector<pid_t>& roots);

// CPU time that all processes of the machine have used since boot; 0 where it
// can't be read.
int64_t CpuNanosOfMachine();

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PROCESS_CPU_H_
