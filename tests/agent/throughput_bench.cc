// No-op jobs a second through one real agent: started, ended, acknowledged.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "agent/boot_clock.h"
#include "tests/agent/agent_fixture.h"

namespace ccsched {
namespace {

class ThroughputBench : public AgentTest {};

// CCSCHED_BENCH_JOBS (2000 if absent), 8 at once.
TEST_F(ThroughputBench, NoOpJobs) {
  const char* wanted = std::getenv("CCSCHED_BENCH_JOBS");
  const size_t jobs = wanted != nullptr ? std::atoi(wanted) : 2000;
  StartAgent();
  const int64_t begin = BootNanos();
  size_t started = 0;
  while (scheduler_->ended_total() < jobs) {
    const size_t ended = scheduler_->ended_total();
    for (; started < jobs && started < ended + 8; ++started) {
      v1::StartAttempt start = Shell({started + 1, 1}, "");
      start.mutable_spec()->clear_command();
      start.mutable_spec()->add_command("/bin/true");
      ASSERT_TRUE(scheduler_->Start(start));
    }
    ASSERT_TRUE(scheduler_->WaitEndedTotal(ended + 1));
  }
  const double seconds = static_cast<double>(BootNanos() - begin) / 1e9;
  std::printf("%zu jobs in %.2f s: %.0f jobs/s\n", jobs, seconds,
              static_cast<double>(jobs) / seconds);
  for (const v1::AgentMessage& m : scheduler_->Messages()) {
    if (!m.has_status() || !m.status().has_ended()) continue;
    EXPECT_EQ(m.status().outcome(), v1::OUTCOME_SUCCEEDED)
        << m.status().message();
  }
}

}  // namespace
}  // namespace ccsched
