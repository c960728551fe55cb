// Everything that a job has forked: found, counted and killed.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_PROCESS_TREE_H_
#define CCSCHED_AGENT_PROCESS_TREE_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace ccsched {

// The calling thread's children; with PR_SET_CHILD_SUBREAPER that includes
// every descendant whose own parents are gone.
std::vector<pid_t> ChildrenOfSelf();

// Kills and reaps all descendants of the calling process, a subreaper, until
// there are none; `reaped` is told each pid and its wait status. A process
// that forks faster than it is killed is stopped first.
void KillDescendants(const std::function<void(pid_t, int)>& reaped);

// Whether the string `variable` ("NAME=value") stands in the process's
// environment, as far as this user may read that.
bool HasVariable(pid_t pid, const std::string& variable);

// The processes for which it does: what is left of a job whose supervisor was
// killed.
std::vector<pid_t> ProcessesWithVariable(const std::string& variable);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PROCESS_TREE_H_
