// The first process in a job's container: hands signals on, reaps orphans.
// SPDX-License-Identifier: Apache-2.0
//
// The kernel spares the first process of a container every signal that it does
// not handle, so that a command without handlers would not end when its job is
// asked to. Podman mounts this program into the container and runs it as
// "ccsched-supervise -- COMMAND...". It tells the job's supervisor that it runs
// and how the command ended (init_notes.h).
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_CONTAINER_INIT_H_
#define CCSCHED_AGENT_CONTAINER_INIT_H_

namespace ccsched {

// Runs the command in a process group of its own, to which it hands on all
// signals, until it ends; then the kernel ends the rest. Returns its exit
// status, 128 and the signal's number if it was killed, and 127 or 126 if it
// is not there or can't be run. `argv` ends with null.
int RunContainerInit(char** argv);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_CONTAINER_INIT_H_
