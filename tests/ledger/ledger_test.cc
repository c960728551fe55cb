// The ledger keeps every row as it was given, and says no clearly.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

Batch OneJob(uint64_t id, const std::string& key = "") {
  Batch batch;
  batch.submissions = {Submission(id, key)};
  batch.states = {State(id)};
  return batch;
}

TEST(LedgerTest, AnEmptyOneHasNothing) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Snapshot snapshot = ledger->Load().value();
  EXPECT_THAT(snapshot.jobs, IsEmpty());
  EXPECT_EQ(snapshot.last_job, JobId(0));
  EXPECT_FALSE(snapshot.last_step.has_value());
  EXPECT_TRUE(ledger->Commit(Batch()).ok());
  EXPECT_EQ(ledger->reader().Job(JobId(1)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(LedgerTest, EveryRowComesBackAsItWasAfterReopening) {
  TempDir dir;
  Batch batch = OneJob(7, "my-key");
  batch.attempts = {Attempt(7, 1), Attempt(7, 2, 1, 2)};
  batch.decisions = {Decision(7, 0), Decision(7, 1)};
  batch.emissions = {Emission(7, 1, 0), Emission(7, 2, 1)};
  batch.baselines = {{JobId(7), 123, true}};
  batch.nodes = {Node(1), Node(2)};
  batch.grids = {Grid("US-NW", 0, true), Grid("US-NW", 1, false)};
  batch.step = StepRow{At(1), std::string("e\0v", 3), "d"};
  batch.acts = {{At(1), "alice", "hold", JobId(7), "", "wait"},
                {At(2), "local", "drain", std::nullopt, "node n1", "fan"},
                {At(3), "bob", "cancel", JobId(7), "", ""}};
  batch.settings = {{"clock", std::string("\x80\x00", 2)}, {"a", ""}};
  ASSERT_TRUE(OpenLedger(dir.File())->Commit(batch).ok());

  auto ledger = OpenLedger(dir.File());
  Snapshot snapshot = ledger->Load().value();
  ASSERT_THAT(snapshot.jobs, SizeIs(1));
  EXPECT_EQ(snapshot.jobs[0].submission, batch.submissions[0]);
  EXPECT_EQ(snapshot.jobs[0].state, batch.states[0]);
  EXPECT_EQ(snapshot.jobs[0].attempt, batch.attempts[1]);
  EXPECT_EQ(snapshot.nodes, batch.nodes);
  EXPECT_EQ(snapshot.grids, batch.grids);
  EXPECT_EQ(snapshot.last_job, JobId(7));
  EXPECT_EQ(snapshot.last_step, At(1));
  EXPECT_THAT(
      snapshot.settings,
      ElementsAre(Pair("a", ""), Pair("clock", std::string("\x80\x00", 2))));

  JobRecord record = ledger->reader().Job(JobId(7)).value();
  EXPECT_EQ(record.submission, batch.submissions[0]);
  EXPECT_EQ(record.state, batch.states[0]);
  EXPECT_EQ(record.attempts, batch.attempts);
  EXPECT_EQ(record.decision, batch.decisions[1]);
  EXPECT_THAT(ledger->reader().Acts(JobId(7)).value(),
              ElementsAre(batch.acts[0], batch.acts[2]));
  EXPECT_EQ(ledger->reader().Owner(JobId(7)).value(),
            batch.submissions[0].user);
  EXPECT_TRUE(absl::IsNotFound(ledger->reader().Owner(JobId(8)).status()));
  EXPECT_EQ(record.joules, 2 * 3960000);
  EXPECT_EQ(record.milligrams, 880000);
  EXPECT_EQ(record.baseline_milligrams, 123);
  EXPECT_EQ(ledger->reader().Decisions(JobId(7)).value(), batch.decisions);
  EXPECT_EQ(ledger->reader().Emissions(JobId(7)).value(), batch.emissions);
  batch.step->sequence = 1;
  EXPECT_THAT(ledger->reader().Steps(0, 10).value(), ElementsAre(*batch.step));
  EXPECT_THAT(ledger->reader().Steps(1, 10).value(), IsEmpty());
}

TEST(LedgerTest, WhatIsAbsentStaysAbsent) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch;
  batch.submissions.emplace_back().id = JobId(1);
  batch.states.emplace_back().id = JobId(1);
  AttemptRow& attempt = batch.attempts.emplace_back();
  attempt.job = JobId(1);
  attempt.epoch = 1;
  EmissionRow& emission = batch.emissions.emplace_back();
  emission.job = JobId(1);
  emission.epoch = 1;
  emission.end = emission.start + absl::Hours(1);
  batch.baselines = {{JobId(1), std::nullopt, false}};
  ASSERT_TRUE(ledger->Commit(batch).ok());
  JobRecord record = ledger->reader().Job(JobId(1)).value();
  EXPECT_EQ(record.submission, batch.submissions[0]);
  EXPECT_EQ(record.state, batch.states[0]);
  EXPECT_THAT(record.attempts, ElementsAre(attempt));
  EXPECT_FALSE(record.decision.has_value());
  EXPECT_FALSE(record.joules.has_value());
  EXPECT_FALSE(record.milligrams.has_value());
  EXPECT_FALSE(record.baseline_milligrams.has_value());
  EXPECT_THAT(ledger->reader().Emissions(JobId(1)).value(),
              ElementsAre(emission));
}

TEST(LedgerTest, InfiniteTimesStayInfinite) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch = OneJob(1);
  batch.states[0].wake = absl::InfiniteFuture();
  batch.states[0].started = absl::InfinitePast();
  batch.states[0].executed = absl::InfiniteDuration();
  ASSERT_TRUE(ledger->Commit(batch).ok());
  EXPECT_EQ(ledger->reader().Job(JobId(1))->state, batch.states[0]);
}

TEST(LedgerTest, ANewStateReplacesTheOldAndAnEndedJobIsNotLoaded) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  ASSERT_TRUE(ledger->Commit(OneJob(1)).ok());
  ASSERT_TRUE(ledger->Commit(OneJob(2)).ok());
  Batch batch;
  batch.states = {State(1, JobState::kSucceeded), State(2, JobState::kRunning)};
  ASSERT_TRUE(ledger->Commit(batch).ok());
  Snapshot snapshot = ledger->Load().value();
  ASSERT_THAT(snapshot.jobs, SizeIs(1));
  EXPECT_EQ(snapshot.jobs[0].state, batch.states[1]);
  EXPECT_EQ(snapshot.last_job, JobId(2));
  EXPECT_EQ(ledger->reader().Job(JobId(1))->state, batch.states[0]);
  // The other way round too: the last word counts.
  batch.states = {State(1, JobState::kQueued)};
  ASSERT_TRUE(ledger->Commit(batch).ok());
  EXPECT_THAT(ledger->Load()->jobs, SizeIs(2));
  EXPECT_THAT(ledger->reader().Jobs({}).value(), SizeIs(2));
}

TEST(LedgerTest, ARunningAttemptIsReplacedByItsEnd) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch = OneJob(1);
  batch.attempts = {Attempt(1)};
  batch.attempts[0].ended.reset();
  batch.attempts[0].outcome = "";
  ASSERT_TRUE(ledger->Commit(batch).ok());
  Batch ended;
  ended.attempts = {Attempt(1)};
  ASSERT_TRUE(ledger->Commit(ended).ok());
  EXPECT_EQ(ledger->reader().Job(JobId(1))->attempts, ended.attempts);
}

TEST(LedgerTest, AKeyFindsItsJobForGood) {
  TempDir dir;
  {
    auto ledger = OpenLedger(dir.File());
    Batch batch;
    batch.submissions = {Submission(1, "one"), Submission(2, "many"),
                         Submission(3, "many"), Submission(4, "many"),
                         Submission(5)};
    ASSERT_TRUE(ledger->Commit(batch).ok());
  }
  auto ledger = OpenLedger(dir.File());
  auto one = ledger->FindKey("one").value();
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->first, JobId(1));
  EXPECT_EQ(one->jobs, 1);
  auto many = ledger->FindKey("many").value();
  ASSERT_TRUE(many.has_value());
  EXPECT_EQ(many->first, JobId(2));
  EXPECT_EQ(many->jobs, 3);
  EXPECT_FALSE(ledger->FindKey("none").value().has_value());
  EXPECT_FALSE(ledger->FindKey("").value().has_value());
}

TEST(LedgerTest, AKnownKeyOrIdFailsTheWholeBatch) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  ASSERT_TRUE(ledger->Commit(OneJob(1, "k")).ok());
  Batch batch = OneJob(2);
  batch.submissions.push_back(Submission(3, "k"));
  absl::Status status = ledger->Commit(batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'k'"));
  EXPECT_EQ(ledger->Load()->last_job, JobId(1));
  batch.submissions = {Submission(4), Submission(1)};
  status = ledger->Commit(batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("job 1"));
  EXPECT_EQ(ledger->Load()->last_job, JobId(1));
  EXPECT_TRUE(ledger->Commit(OneJob(5)).ok());
}

TEST(LedgerTest, ANumberOutOfRangeFailsTheWholeBatch) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch = OneJob(1);
  batch.attempts = {Attempt(1, 1 << 20)};
  EXPECT_EQ(ledger->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ledger->Load()->last_job, JobId(0));
}

TEST(LedgerTest, JobsAreFilteredAndPaged) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch;
  for (uint64_t id = 1; id <= 20; ++id) {
    batch.submissions.push_back(Submission(id));
    batch.submissions.back().user = id % 2 == 0 ? "bob" : "ada";
    batch.states.push_back(
        State(id, id % 5 == 0 ? JobState::kFailed : JobState::kRunning));
  }
  ASSERT_TRUE(ledger->Commit(batch).ok());
  auto ids = [&](const JobFilter& filter) {
    std::vector<uint64_t> ids;
    std::vector<JobRecord> records = ledger->reader().Jobs(filter).value();
    for (const JobRecord& record : records) {
      ids.push_back(record.submission.id.value());
    }
    return ids;
  };
  JobFilter filter;
  filter.limit = 6;
  EXPECT_THAT(ids(filter), ElementsAre(1, 2, 3, 4, 5, 6));
  filter.after = JobId(17);
  EXPECT_THAT(ids(filter), ElementsAre(18, 19, 20));
  filter = {};
  filter.states = {static_cast<uint8_t>(JobState::kFailed)};
  EXPECT_THAT(ids(filter), ElementsAre(5, 10, 15, 20));
  filter.user = "bob";
  EXPECT_THAT(ids(filter), ElementsAre(10, 20));
  filter.states = {static_cast<uint8_t>(JobState::kRunning)};
  filter.after = JobId(12);
  EXPECT_THAT(ids(filter), ElementsAre(14, 16, 18));
  filter.project = "other";
  EXPECT_THAT(ids(filter), IsEmpty());
  filter = {.newest_first = true, .limit = 3};
  EXPECT_THAT(ids(filter), ElementsAre(20, 19, 18));
  filter.before = JobId(18);
  EXPECT_THAT(ids(filter), ElementsAre(17, 16, 15));
  filter.states = {static_cast<uint8_t>(JobState::kFailed)};
  EXPECT_THAT(ids(filter), ElementsAre(15, 10, 5));
}

TEST(LedgerTest, LoadsTheForecastIssuedLastOfEachRegionAndEveryActual) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  Batch batch;
  batch.grids = {Grid("A", 1, true), Grid("A", 5, false), Grid("A", 3, false),
                 Grid("B", 2, false), Grid("A", 2, true)};
  ASSERT_TRUE(ledger->Commit(batch).ok());
  EXPECT_THAT(ledger->Load()->grids,
              ElementsAre(batch.grids[0], batch.grids[1], batch.grids[3],
                          batch.grids[4]));
  GridFilter filter;
  filter.region = "A";
  filter.actual = false;
  EXPECT_THAT(ledger->reader().Grids(filter).value(),
              ElementsAre(batch.grids[1], batch.grids[2]));
  filter.to = At(5);
  EXPECT_THAT(ledger->reader().Grids(filter).value(),
              ElementsAre(batch.grids[2]));
}

TEST(LedgerTest, IsUsedByOneAtATimeButReadByMany) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  ASSERT_TRUE(ledger->Commit(OneJob(1)).ok());
  auto second = OpenSqliteLedger(dir.File());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(absl::StrCat("in use by another process (pid ",
                                     getpid(), ")")));
  auto reader = OpenSqliteLedgerReader(dir.File());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->Job(JobId(1)).ok());
  ledger.reset();
  EXPECT_TRUE(OpenSqliteLedger(dir.File()).ok());
}

TEST(LedgerTest, ReadersSeeWholeBatchesWhileItIsWritten) {
  TempDir dir;
  auto ledger = OpenLedger(dir.File());
  std::vector<std::thread> readers;
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0, failed = 0;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        auto jobs = ledger->reader().Jobs({.limit = 1000});
        failed += !jobs.ok();
        torn += jobs.ok() && jobs->size() % 10 != 0;
      }
    });
  }
  for (uint64_t batch_number = 0; batch_number < 50; ++batch_number) {
    Batch batch;
    for (uint64_t i = 1; i <= 10; ++i) {
      batch.submissions.push_back(Submission(batch_number * 10 + i));
      batch.states.push_back(State(batch_number * 10 + i));
    }
    ASSERT_TRUE(ledger->Commit(batch).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_THAT(ledger->reader().Jobs({.limit = 1000}).value(), SizeIs(500));
}

}  // namespace
}  // namespace ccsched
