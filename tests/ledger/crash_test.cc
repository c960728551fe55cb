// A killed writer has lost nothing that it acknowledged, and left no half.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "scheduler/base/random.h"
#include "scheduler/ledger/sqlite_ledger.h"
#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

constexpr uint64_t kBatch = 7;

SqliteLedgerOptions Options() {
  SqliteLedgerOptions options;
  options.checkpoint.passive_pages = 40;  // be killed in checkpoints too
  options.checkpoint.restart_pages = 120;
  options.checkpoint.truncate_pages = 180;
  return options;
}

Batch NewJobs(uint64_t first) {
  Batch batch;
  for (uint64_t id = first; id < first + kBatch; ++id) {
    batch.submissions.push_back(Submission(id, absl::StrCat("key ", id)));
    batch.states.push_back(State(id));
    batch.attempts.push_back(Attempt(id));
    batch.decisions.push_back(Decision(id));
    batch.emissions.push_back(Emission(id, 1, 0));
  }
  batch.step = StepRow{At(first), "events", "decisions"};
  // The jobs of the batch before end, so that rows move as well.
  for (uint64_t id = first - kBatch; id > 0 && id < first; ++id) {
    batch.states.push_back(State(id, JobState::kSucceeded));
  }
  return batch;
}

// Commits without end; writes the last id of each batch to `out`.
[[noreturn]] void Child(const std::string& path, int out) {
  auto ledger = SqliteLedger::Open(path, Options());
  if (!ledger.ok()) _exit(1);
  uint64_t next = (*ledger)->Load()->last_job.value() + 1;
  while (true) {
    if (!(*ledger)->Commit(NewJobs(next)).ok()) _exit(2);
    next += kBatch;
    uint64_t acknowledged = next - 1;
    if (write(out, &acknowledged, sizeof acknowledged) < 0) _exit(3);
  }
}

// Runs the child, kills it after `life`. Returns the last acknowledged id.
uint64_t RunAndKill(const std::string& path, absl::Duration life,
                    uint64_t acknowledged) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    Child(path, ends[1]);
  }
  close(ends[1]);
  // The instant is chosen, not awaited: any will do.
  struct pollfd none = {-1, 0, 0};
  timespec wait = absl::ToTimespec(life);
  ppoll(&none, 1, &wait, nullptr);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
  uint64_t id = 0;
  while (read(ends[0], &id, sizeof id) == sizeof id) acknowledged = id;
  close(ends[0]);
  return acknowledged;
}

void ExpectWhole(Ledger& ledger, uint64_t acknowledged) {
  Snapshot snapshot = ledger.Load().value();
  uint64_t last = snapshot.last_job.value();
  EXPECT_GE(last, acknowledged) << "an acknowledged job is lost";
  EXPECT_EQ(last % kBatch, 0) << "half a batch";
  EXPECT_EQ(snapshot.jobs.size(), last == 0 ? 0 : kBatch);
  std::vector<JobRecord> jobs =
      ledger.reader().Jobs({.limit = 1000000}).value();
  ASSERT_EQ(jobs.size(), last);
  for (const JobRecord& job : jobs) {
    uint64_t id = job.submission.id.value();
    bool ended = id + kBatch <= last;
    EXPECT_EQ(job.state,
              State(id, ended ? JobState::kSucceeded : JobState::kQueued));
    EXPECT_EQ(job.attempts.size(), 1);
    EXPECT_TRUE(job.decision.has_value());
    EXPECT_EQ(job.milligrams, 440000);
    EXPECT_TRUE(ledger.FindKey(job.submission.key).value().has_value());
  }
  EXPECT_EQ(ledger.reader().Steps(0, 1000000)->size(), last / kBatch);
}

TEST(LedgerCrashTest, KilledAtAnyInstantItKeepsWhatItAcknowledged) {
  const char* given = std::getenv("CCSCHED_TEST_SEED");
  uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 20261123;
  SCOPED_TRACE(absl::StrCat("CCSCHED_TEST_SEED=", seed));
  Random random(seed);
  TempDir dir;
  uint64_t acknowledged = 0;
  // A busy machine writes little in so short a life: it gets more of them.
  constexpr uint64_t kEnough = 20 * kBatch;
  for (int round = 0; round < 40 || (acknowledged <= kEnough && round < 400);
       ++round) {
    absl::Duration life = absl::Microseconds(500 + random.Below(40000));
    acknowledged = RunAndKill(dir.File(), life, acknowledged);
    auto ledger = SqliteLedger::Open(dir.File(), Options());
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    ExpectWhole(**ledger, acknowledged);
    ASSERT_FALSE(HasFailure())
        << "round " << round << ", killed after " << life;
  }
  EXPECT_GT(acknowledged, kEnough) << "too little was written to tell";
  RecordProperty("acknowledged", absl::StrCat(acknowledged));
}

}  // namespace
}  // namespace ccsched
