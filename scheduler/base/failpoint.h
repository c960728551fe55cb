// Named instants at which a fault test ends, stops or delays a process.
// SPDX-License-Identifier: Apache-2.0
//
//   Failpoint("agent.accepted");
//
// and in the environment of the process
//
//   CCSCHED_FAILPOINTS=agent.accepted=kill@3,scheduler.stepped=delay@50
//
// kill@N, crash@N and stop@N: SIGKILL, SIGSEGV and SIGSTOP itself at the Nth
// pass. kill%N: at
// about one in N first passes, by the process's number, for processes that
// pass once. delay@MS: waits at each pass. Without the variable a failpoint
// costs a load and a branch. A word that is none of these ends the process.
//
// Light enough for the supervisor: no Abseil here. Thread safe.
#ifndef CCSCHED_SCHEDULER_BASE_FAILPOINT_H_
#define CCSCHED_SCHEDULER_BASE_FAILPOINT_H_

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace ccsched {

inline constexpr char kFailpointsVariable[] = "CCSCHED_FAILPOINTS";

struct ArmedFailpoint {
  std::string name;
  std::string action;
  char how = '@';
  long count = 0;
  long passes = 0;
};

// What the environment arms; an unreadable word ends the process.
inline std::vector<ArmedFailpoint> ArmedFailpoints() {
  std::vector<ArmedFailpoint> armed;
  const char* text = std::getenv(kFailpointsVariable);
  while (text != nullptr && *text != 0) {
    const std::string word(text, std::strcspn(text, ","));
    text += word.size() + (text[word.size()] == ',');
    char name[64] = {};
    char action[8] = {};
    ArmedFailpoint point;
    if (std::sscanf(word.c_str(), "%63[^=]=%7[a-z]%c%ld", name, action,
                    &point.how, &point.count) != 4 ||
        point.count < 1) {
      std::fprintf(stderr, "%s: '%s' is no failpoint\n", kFailpointsVariable,
                   word.c_str());
      std::_Exit(2);
    }
    point.name = name;
    point.action = action;
    armed.push_back(point);
  }
  return armed;
}

inline void PassFailpoint(ArmedFailpoint& point) {
  const long passes = ++std::atomic_ref(point.passes);
  if (point.action == "delay") {
    const timespec pause{point.count / 1000, point.count % 1000 * 1'000'000};
    nanosleep(&pause, nullptr);
    return;
  }
  const bool due = point.how == '%' ? passes == 1 && getpid() % point.count == 0
                                    : passes == point.count;
  if (!due) return;
  if (point.action == "crash") {
    // Blocked, it would wait.
    sigset_t crash;
    sigemptyset(&crash);
    sigaddset(&crash, SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &crash, nullptr);
    kill(getpid(), SIGSEGV);
  }
  kill(getpid(), point.action == "stop" ? SIGSTOP : SIGKILL);
}

inline void Failpoint(const char* name) {
  static auto& armed = *new std::vector<ArmedFailpoint>(ArmedFailpoints());
  if (armed.empty()) return;
  for (ArmedFailpoint& point : armed) {
    if (point.name == name) PassFailpoint(point);
  }
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_FAILPOINT_H_
