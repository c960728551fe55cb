// Handles of processes: glibc's header of 2.36 forgot that C++ exists.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_PIDFD_H_
#define CCSCHED_AGENT_PIDFD_H_

#include <signal.h>
#include <sys/types.h>

extern "C" {
#include <sys/pidfd.h>
}

#endif  // CCSCHED_AGENT_PIDFD_H_
