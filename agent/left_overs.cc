// What a killed supervisor left running of its job: found and killed.
// SPDX-License-Identifier: Apache-2.0
#include "agent/left_overs.h"

#include <poll.h>
#include <signal.h>
#include <sys/types.h>

#include <utility>
#include <vector>

#include "agent/pidfd.h"
#include "agent/process_tree.h"
#include "agent/spawn.h"

namespace ccsched {
namespace {

// A program that is just being executed has no environment yet.
constexpr int kEmptyLooks = 3;
constexpr int kBetweenLooksMs = 10;

}  // namespace

void SendKill(int process) { pidfd_send_signal(process, SIGKILL, nullptr, 0); }

bool KillLeftOvers(const std::string& tag,
                   const std::function<int64_t()>& boot_nanos,
                   const std::function<void(int)>& send_kill) {
  const std::string variable = "CCSCHED_ATTEMPT_TAG=" + tag;
  const int64_t until = boot_nanos() + kKillNsMax;
  for (int looks = 0;;) {
    const std::vector<pid_t> left = ProcessesWithVariable(variable);
    if (left.empty()) {
      if (++looks == kEmptyLooks) return true;
      poll(nullptr, 0, kBetweenLooksMs);
      continue;
    }
    looks = 0;
    if (boot_nanos() >= until) return false;
    Fd last;
    for (const pid_t pid : left) {
      Fd process(pidfd_open(pid, 0));
      // By now the number may be another process's.
      if (!process.valid() || !HasVariable(pid, variable)) continue;
      send_kill(process.get());
      last = std::move(process);
    }
    if (!last.valid()) continue;
    pollfd gone{last.get(), POLLIN, 0};
    poll(&gone, 1, 100);
  }
}

}  // namespace ccsched
