// What a killed supervisor left running of its job: found and killed.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LEFT_OVERS_H_
#define CCSCHED_AGENT_LEFT_OVERS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "agent/boot_clock.h"

namespace ccsched {

// All of one attempt's together may keep the agent for so long: nothing else
// happens there meanwhile, and no heartbeat is sent.
inline constexpr int64_t kKillNsMax = 5 * kNanosPerSecond;

// Sends SIGKILL to the process of a pidfd.
void SendKill(int process);

// Kills every process that has the attempt's tag in its environment, and waits
// for their ends. False if something remains after kKillNsMax, as what waits
// for a disk does. Tests have a clock and a kill of their own.
bool KillLeftOvers(const std::string& tag,
                   const std::function<int64_t()>& boot_nanos = BootNanos,
                   const std::function<void(int)>& send_kill = SendKill);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LEFT_OVERS_H_
