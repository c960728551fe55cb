// How the agent tells a supervisor to stop its job: one queued signal.
// SPDX-License-Identifier: Apache-2.0
//
// A signal needs no connection that would have to outlive either side: an
// agent that has just come back can send it too.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_STOP_SIGNAL_H_
#define CCSCHED_AGENT_STOP_SIGNAL_H_

#include <signal.h>

#include <algorithm>
#include <cstdint>

namespace ccsched {

enum class StopKind : uint8_t {
  kStop = 1,     // warn, wait for the grace period, kill
  kSuspend = 2,  // ask to save its state and end; otherwise it goes on
  kResize = 3,   // the same: it starts anew at another width
};

inline int StopSignalNumber() { return SIGRTMIN + 1; }

// The value that goes with the signal. A grace period has at most 74 hours.
inline int EncodeStop(StopKind kind, int64_t grace_ms) {
  constexpr int64_t kGraceMax = (1 << 28) - 1;
  return (static_cast<int>(kind) << 28) |
         static_cast<int>(std::clamp<int64_t>(grace_ms, 0, kGraceMax));
}
inline StopKind StopKindOf(int value) {
  return static_cast<StopKind>(value >> 28);
}
inline int64_t StopGraceMs(int value) { return value & ((1 << 28) - 1); }

}  // namespace ccsched

#endif  // CCSCHED_AGENT_STOP_SIGNAL_H_
