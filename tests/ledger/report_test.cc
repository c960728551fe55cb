// Reports add up, by every key and range, and never take unknown for zero.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ReportTest : public testing::Test {
 protected:
  void Commit(const Batch& batch) {
    absl::Status status = ledger_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::map<std::string, ReportRecord> Report(const ReportFilter& filter) {
    auto report = ledger_->reader().Report(filter);
    EXPECT_TRUE(report.ok()) << report.status();
    std::map<std::string, ReportRecord> by_key;
    for (const ReportRecord& record : report->rows) by_key[record.key] = record;
    EXPECT_EQ(by_key.size(), report->rows.size());
    return by_key;
  }
  ReportRecord Only(const ReportFilter& filter) {
    auto records = Report(filter);
    EXPECT_EQ(records.size(), 1);
    return records.empty() ? ReportRecord() : records.begin()->second;
  }

  TempDir dir_;
  std::unique_ptr<Ledger> ledger_ = OpenLedger(dir_.File());
};

// Two hours at one site, then one hour at another.
Batch MovedJob(uint64_t id, const std::string& user) {
  Batch batch;
  batch.submissions = {Submission(id)};
  batch.submissions[0].user = user;
  batch.states = {State(id, JobState::kSucceeded)};
  batch.attempts = {Attempt(id, 1, 0, 2), Attempt(id, 2, 5, 6)};
  batch.attempts[1].site = "dublin";
  batch.emissions = {Emission(id, 1, 0), Emission(id, 1, 1),
                     Emission(id, 2, 5)};
  batch.emissions[2].site = "dublin";
  batch.emissions[2].region = "IE";
  batch.emissions[2].milligrams = 100000;
  batch.emissions[2].method = "modelled";
  batch.emissions[2].intensity_estimated = true;
  batch.baselines = {{JobId(id), 900000, false}};
  return batch;
}

TEST_F(ReportTest, AnEmptyLedgerReportsNothing) {
  EXPECT_THAT(Report({}), IsEmpty());
}

TEST_F(ReportTest, SitesShareAJobByItsEnergy) {
  Commit(MovedJob(1, "ada"));
  auto sites = Report({.by = ReportBy::kSite});
  ASSERT_THAT(sites, SizeIs(2));
  const ReportRecord& oregon = sites["oregon"];
  EXPECT_EQ(oregon.jobs, 1);
  EXPECT_EQ(oregon.attempts, 1);
  EXPECT_DOUBLE_EQ(oregon.accelerator_hours, 8);
  EXPECT_EQ(oregon.joules, 7920000);
  EXPECT_EQ(oregon.measured_joules, 7920000);
  EXPECT_EQ(oregon.milligrams, 880000);
  EXPECT_EQ(oregon.baseline_milligrams, 600000);
  EXPECT_EQ(oregon.compared_milligrams, oregon.milligrams);
  EXPECT_FALSE(oregon.estimated);
  const ReportRecord& dublin = sites["dublin"];
  EXPECT_EQ(dublin.measured_joules, 0);
  EXPECT_EQ(dublin.milligrams, 100000);
  EXPECT_EQ(dublin.baseline_milligrams, 300000);
  EXPECT_TRUE(dublin.estimated);
}

TEST_F(ReportTest, WhatRunsHasNoBaselineAndIsComparedWithNone) {
  Commit(MovedJob(1, "ada"));
  Batch running = MovedJob(2, "ada");
  running.states = {State(2, JobState::kRunning)};
  running.baselines.clear();
  Commit(running);
  const ReportRecord both = Only({.by = ReportBy::kUser});
  EXPECT_EQ(both.milligrams, 2 * 980000);
  EXPECT_EQ(both.baseline_milligrams, 900000);
  EXPECT_EQ(both.compared_milligrams, 980000);
}

TEST_F(ReportTest, EveryWayOfGroupingAddsUpToTheSame) {
  for (uint64_t id = 1; id <= 12; ++id) {
    Commit(MovedJob(id, id % 3 == 0 ? "ada" : "bob"));
  }
  for (ReportBy by : {ReportBy::kUser, ReportBy::kProject, ReportBy::kSite,
                      ReportBy::kRegion, ReportBy::kJob, ReportBy::kMonth}) {
    int64_t joules = 0, milligrams = 0, baseline = 0;
    double hours = 0;
    for (const auto& [key, record] : Report({.by = by})) {
      joules += *record.joules;
      milligrams += *record.milligrams;
      baseline += *record.baseline_milligrams;
      hours += record.accelerator_hours;
    }
    EXPECT_EQ(joules, 12 * 3 * 3960000);
    EXPECT_EQ(milligrams, 12 * 980000);
    EXPECT_EQ(baseline, 12 * 900000);
    EXPECT_DOUBLE_EQ(hours, 12 * 12);
  }
  auto users = Report({.by = ReportBy::kUser});
  EXPECT_EQ(users["ada"].jobs, 4);
  EXPECT_EQ(users["bob"].attempts, 16);
  EXPECT_THAT(Report({.by = ReportBy::kJob, .user = "ada"}), SizeIs(4));
  EXPECT_THAT(Report({.project = "other"}), IsEmpty());
  auto regions = Report({.by = ReportBy::kRegion});
  EXPECT_EQ(regions["IE"].jobs, 12);
  EXPECT_EQ(regions["US-NW"].jobs, 12);
}

TEST_F(ReportTest, TheTotalCountsAJobOnceThoughItIsInSeveralRows) {
  Commit(MovedJob(1, "ada"));
  Commit(MovedJob(2, "bob"));
  for (const ReportBy by : {ReportBy::kSite, ReportBy::kRegion}) {
    const LedgerReport report = ledger_->reader().Report({.by = by}).value();
    ASSERT_THAT(report.rows, SizeIs(2));
    EXPECT_EQ(report.rows[0].jobs + report.rows[1].jobs, 4);
    EXPECT_EQ(report.total.jobs, 2);
    EXPECT_EQ(report.total.attempts, 4);
    EXPECT_EQ(report.total.milligrams, 2 * 980000);
    EXPECT_DOUBLE_EQ(report.total.accelerator_hours, 2 * 12);
  }
}

// A site that was first in one region, then in another; its cost goes where
// its energy goes, and what was restated took its cost along.
TEST_F(ReportTest, CostsAreKeyedAndDatedAsTheEnergyThatTheyAreOf) {
  Batch batch = MovedJob(1, "ada");
  batch.emissions[1].region = "US-SW";
  for (EmissionRow& row : batch.emissions) row.recorded = At(6);
  for (const EmissionRow& row : batch.emissions) {
    batch.costs.push_back(
        {row.job, row.epoch, row.start, 1'000'000, 250'000, "EUR", "EUR"});
  }
  batch.costs[2].electricity_micros.reset();
  Commit(batch);
  Batch restated;
  restated.emissions = {Emission(1, 2, 5)};
  restated.emissions[0].region = "GB";
  restated.emissions[0].recorded = At(20);
  Commit(restated);
  auto regions = Report({.by = ReportBy::kRegion});
  ASSERT_THAT(regions, SizeIs(3));
  for (const char* region : {"US-NW", "US-SW"}) {
    EXPECT_EQ(regions[region].costs["EUR"].electricity_micros, 1'000'000);
    EXPECT_EQ(regions[region].joules, 3960000);
  }
  EXPECT_EQ(regions["GB"].unpriced_joules, 3960000);
  EXPECT_EQ(regions["GB"].costs["EUR"].accelerator_micros, 250'000);
  regions = Report({.by = ReportBy::kRegion, .as_of = At(10)});
  EXPECT_EQ(regions["IE"].unpriced_joules, 3960000);
  EXPECT_EQ(regions["IE"].costs["EUR"].accelerator_micros, 250'000);
  EXPECT_FALSE(regions.contains("GB"));
  EXPECT_THAT(Report({.as_of = At(5)})["oregon"].costs, IsEmpty())
      << "nothing was on record then";
  const ReportRecord total = ledger_->reader().Report({}).value().total;
  EXPECT_EQ(total.costs.at("EUR").electricity_micros, 2'000'000);
  EXPECT_EQ(total.costs.at("EUR").accelerator_micros, 750'000);
  EXPECT_EQ(total.unpriced_joules, 3960000);
}

TEST_F(ReportTest, WhatAProjectEmittedSinceIsOneSum) {
  Commit(MovedJob(1, "ada"));
  Batch other = MovedJob(2, "bob");
  other.submissions[0].project = "blue";
  other.emissions[0].milligrams.reset();
  Commit(other);
  EXPECT_THAT(ledger_->reader().EmittedByProject(At(0)).value(),
              ElementsAre(Pair("blue", 540000), Pair("engine", 980000)));
  EXPECT_THAT(ledger_->reader().EmittedByProject(At(5)).value(),
              ElementsAre(Pair("blue", 100000), Pair("engine", 100000)));
}

TEST_F(ReportTest, ARestartIsToldWhatALiveJobHasUsed) {
  Batch batch = MovedJob(1, "ada");
  batch.states = {State(1, JobState::kRunning)};
  batch.attempts[1].ended.reset();
  batch.emissions[2].milligrams.reset();
  Commit(batch);
  const Snapshot snapshot = ledger_->Load().value();
  ASSERT_THAT(snapshot.jobs, SizeIs(1));
  const Snapshot::LiveJob& job = snapshot.jobs[0];
  EXPECT_EQ(job.joules, 3 * 3600000);
  EXPECT_FALSE(job.energy_unknown);
  EXPECT_EQ(job.milligrams, 880000);
  EXPECT_EQ(job.ran, absl::Hours(2)) << "of the attempt that has ended";
  EXPECT_THAT(job.ends, ElementsAre(Pair("succeeded", true))) << "of the same";
  EXPECT_EQ(job.accounted_until, At(6));
}

TEST_F(ReportTest, JobsComeInTheOrderOfTheirNumbers) {
  for (uint64_t id : {9, 10, 100}) Commit(MovedJob(id, "ada"));
  auto records = ledger_->reader().Report({.by = ReportBy::kJob}).value().rows;
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[0].key, "9");
  EXPECT_EQ(records[1].key, "10");
  EXPECT_EQ(records[2].key, "100");
}

TEST_F(ReportTest, ARangeTakesTheSlicesThatStartInIt) {
  Commit(MovedJob(1, "ada"));
  ReportRecord first = Only({.by = ReportBy::kJob, .to = At(1)});
  EXPECT_EQ(first.milligrams, 440000);
  EXPECT_EQ(first.baseline_milligrams, 300000);
  EXPECT_DOUBLE_EQ(first.accelerator_hours, 4);
  EXPECT_EQ(first.attempts, 1);
  ReportRecord rest = Only({.by = ReportBy::kJob, .from = At(1)});
  EXPECT_EQ(rest.milligrams, 540000);
  EXPECT_EQ(rest.baseline_milligrams, 600000);
  EXPECT_DOUBLE_EQ(rest.accelerator_hours, 8);
  EXPECT_EQ(rest.attempts, 2);
  EXPECT_THAT(Report({.from = At(2), .to = At(5)}), IsEmpty());
}

TEST_F(ReportTest, UnknownEnergyIsCountedApartAndNeverZero) {
  Batch batch;
  for (uint64_t id = 1; id <= 4; ++id) {
    batch.submissions.push_back(Submission(id));
    batch.attempts.push_back(Attempt(id, 1, 0, 2));
  }
  // 1: nothing on record. 2: one of two hours. 3: not its intensity. 4: ran
  // for no time at all.
  batch.emissions = {Emission(2, 1, 0), Emission(2, 1, 1), Emission(3, 1, 0)};
  batch.emissions[1].joules.reset();
  batch.emissions[1].milligrams.reset();
  batch.emissions[2].intensity.reset();
  batch.emissions[2].milligrams.reset();
  batch.attempts[3].ended = batch.attempts[3].started;
  Commit(batch);
  auto jobs = Report({.by = ReportBy::kJob});
  ASSERT_THAT(jobs, SizeIs(4));
  EXPECT_FALSE(jobs["1"].joules.has_value());
  EXPECT_FALSE(jobs["1"].milligrams.has_value());
  EXPECT_EQ(jobs["1"].unknown_energy_attempts, 1);
  EXPECT_EQ(jobs["2"].joules, 3960000);
  EXPECT_EQ(jobs["2"].unknown_energy_attempts, 1);
  EXPECT_EQ(jobs["3"].joules, 3960000);
  EXPECT_FALSE(jobs["3"].milligrams.has_value());
  EXPECT_EQ(jobs["3"].unknown_energy_attempts, 0);
  EXPECT_EQ(jobs["3"].unknown_carbon_attempts, 1);
  EXPECT_EQ(jobs["4"].unknown_energy_attempts, 0);
  ReportRecord all = Only({.by = ReportBy::kProject});
  EXPECT_EQ(all.unknown_energy_attempts, 2);
  EXPECT_EQ(all.unknown_carbon_attempts, 1);
  EXPECT_EQ(all.joules, 2 * 3960000);
  EXPECT_EQ(all.milligrams, 440000);
}

TEST_F(ReportTest, ARunningAttemptCountsUpToTheLastStep) {
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.attempts = {Attempt(1, 1, 0, 2), Attempt(1, 2, 3)};
  batch.attempts[1].ended.reset();
  batch.step = StepRow{At(5), "", ""};
  Commit(batch);
  EXPECT_DOUBLE_EQ(Only({.by = ReportBy::kSite}).accelerator_hours, 4 * 4);
}

TEST_F(ReportTest, AnAttemptThatNeverStartedIsNoUseOfEnergy) {
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.attempts = {Attempt(1)};
  batch.attempts[0].started.reset();
  Commit(batch);
  EXPECT_THAT(Report({}), IsEmpty());
}

TEST_F(ReportTest, MonthsAreSplitAtMidnightUtc) {
  absl::Time midnight =
      absl::FromCivil(absl::CivilMonth(2026, 12), absl::UTCTimeZone());
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.attempts = {Attempt(1)};
  batch.attempts[0].started = midnight - absl::Hours(1);
  batch.attempts[0].ended = midnight + absl::Hours(2);
  for (int hour = -1; hour < 2; ++hour) {
    batch.emissions.push_back(Emission(1, 1, 0));
    batch.emissions.back().start = midnight + absl::Hours(hour);
    batch.emissions.back().end = midnight + absl::Hours(hour + 1);
  }
  Commit(batch);
  auto months = Report({.by = ReportBy::kMonth});
  ASSERT_THAT(months, SizeIs(2));
  EXPECT_EQ(months["2026-11"].milligrams, 440000);
  EXPECT_DOUBLE_EQ(months["2026-11"].accelerator_hours, 4);
  EXPECT_EQ(months["2026-12"].milligrams, 880000);
  EXPECT_DOUBLE_EQ(months["2026-12"].accelerator_hours, 8);
  EXPECT_EQ(months["2026-12"].jobs, 1);
}

TEST_F(ReportTest, RestatedSlicesStayVisibleAndCountOnce) {
  Commit(MovedJob(1, "ada"));
  Batch restated;
  restated.emissions = {Emission(1, 2, 5)};
  restated.emissions[0].site = "dublin";
  restated.emissions[0].region = "IE";
  restated.emissions[0].milligrams = 250000;
  restated.emissions[0].data_version = "actual";
  EXPECT_THAT(EstimatedIn(*ledger_, "IE"), SizeIs(1));
  Commit(restated);
  auto sites = Report({.by = ReportBy::kSite});
  EXPECT_EQ(sites["dublin"].milligrams, 250000);
  EXPECT_FALSE(sites["dublin"].estimated);
  EXPECT_EQ(ledger_->reader().Job(JobId(1))->milligrams, 1130000);
  EXPECT_THAT(EstimatedIn(*ledger_, "IE"), IsEmpty());
  auto all = ledger_->reader().Emissions(JobId(1), true).value();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[2].milligrams, 100000);
  EXPECT_EQ(all[2].superseded_by, 1);
  EXPECT_EQ(all[3].revision, 1);
  EXPECT_FALSE(all[3].superseded_by.has_value());
  EXPECT_THAT(ledger_->reader().Emissions(JobId(1)).value(), SizeIs(3));
}

TEST_F(ReportTest, ARowMayRestateSeveralAndSeveralOne) {
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.states = {State(1)};
  batch.attempts = {Attempt(1, 1, 0, 4)};
  batch.emissions = {Emission(1, 1, 0), Emission(1, 1, 1), Emission(1, 1, 2)};
  Commit(batch);
  Batch joined;
  joined.emissions = {Emission(1, 1, 0, 2)};
  Commit(joined);
  EXPECT_EQ(ledger_->reader().Job(JobId(1))->milligrams, 2 * 440000);
  Batch split;
  split.emissions = {Emission(1, 1, 0, 2), Emission(1, 1, 2, 1)};
  split.emissions[0].milligrams = 7;
  Commit(split);
  EXPECT_EQ(ledger_->reader().Job(JobId(1))->milligrams, 440007);
  EXPECT_THAT(ledger_->reader().Emissions(JobId(1), true).value(), SizeIs(6));
}

TEST_F(ReportTest, TimesFinerThanAMicrosecondAreCutBeforeTheyAreCompared) {
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.states = {State(1)};
  batch.attempts = {Attempt(1, 1, 0, 4)};
  batch.emissions = {Emission(1, 1, 0), Emission(1, 1, 0), Emission(1, 1, 1)};
  // An hour, half a microsecond, an hour; each beginning where one ends.
  absl::Time middle = At(1) + absl::Nanoseconds(300);
  batch.emissions[0].end = batch.emissions[1].start = middle;
  batch.emissions[1].end = middle + absl::Nanoseconds(500);
  batch.emissions[2].start = batch.emissions[1].end;
  Commit(batch);
  EXPECT_EQ(ledger_->reader().Job(JobId(1))->milligrams, 3 * 440000);
  for (EmissionRow& row : batch.emissions) row.milligrams = 7;
  Batch restated;
  restated.emissions = batch.emissions;
  Commit(restated);
  EXPECT_EQ(ledger_->reader().Job(JobId(1))->milligrams, 3 * 7);
  EXPECT_THAT(ledger_->reader().Emissions(JobId(1), true).value(), SizeIs(6));
}

TEST_F(ReportTest, ARowThatCutsAnotherIsRefused) {
  Batch batch;
  batch.submissions = {Submission(1)};
  batch.attempts = {Attempt(1, 1, 0, 4)};
  batch.emissions = {Emission(1, 1, 0), Emission(1, 1, 1)};
  Commit(batch);
  for (const EmissionRow& cut :
       {Emission(1, 1, .5), Emission(1, 1, 1, .5), Emission(1, 1, -1, 1.5),
        Emission(1, 1, 1.25, .5), Emission(1, 1, 2, -1), Emission(1, 2, 7),
        Emission(9, 1, 7)}) {
    Batch bad;
    bad.emissions = {Emission(1, 1, 2), cut};
    absl::Status status = ledger_->Commit(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("emission of"));
  }
  EXPECT_THAT(ledger_->reader().Emissions(JobId(1), true).value(), SizeIs(2));
}

}  // namespace
}  // namespace ccsched
