// Net emissions, scores, idle energy and earlier figures come from the record.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class MarketTest : public testing::Test {
 protected:
  void Commit(const Batch& batch) {
    absl::Status status = ledger_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  ReportRecord Only(const ReportFilter& filter = {}) {
    auto records = ledger_->reader().Report(filter).value().rows;
    EXPECT_THAT(records, SizeIs(1));
    return records.empty() ? ReportRecord() : records[0];
  }
  static Batch JobOf(uint64_t id, std::vector<EmissionRow> emissions) {
    Batch batch;
    batch.submissions = {Submission(id)};
    batch.states = {State(id, JobState::kSucceeded)};
    batch.attempts = {Attempt(id, 1, 0, 4)};
    batch.emissions = std::move(emissions);
    return batch;
  }
  // An hour of `kwh` at the site without PUE.
  static EmissionRow Hour(uint64_t job, double hour, double kwh,
                          double intensity, std::optional<double> share) {
    EmissionRow row = Emission(job, 1, hour);
    row.joules = std::llround(kwh * 3.6e6);
    row.pue = 1;
    row.intensity = intensity;
    row.milligrams = std::llround(kwh * intensity * 1000);
    row.grid_share = share;
    return row;
  }
  static ContractRow Bought(double hour, std::vector<double> kwh,
                            const std::string& site = "") {
    ContractRow row;
    row.region = "US-NW";
    row.site = site;
    row.name = "wind";
    row.start = At(hour);
    row.end = At(hour + static_cast<double>(kwh.size()));
    row.step = absl::Hours(1);
    row.kwh = std::move(kwh);
    return row;
  }
  static NodeEnergyRow Idle(uint32_t node, double hour, double metered,
                            double idle) {
    NodeEnergyRow row;
    row.node = NodeId(node);
    row.start = At(hour);
    row.end = At(hour + 1);
    row.metered = std::llround(metered * 3.6e6);
    row.unallocated = std::llround(idle * 3.6e6);
    row.intensity = 500;
    row.milligrams = std::llround(idle * 500'000);
    row.method = "measured";
    row.site = "oregon";
    row.region = "US-NW";
    row.recorded = At(hour + 1);
    return row;
  }

  TempDir dir_;
  std::unique_ptr<Ledger> ledger_ = OpenLedger(dir_.File());
};

// Fact 15 of the accounts: four hours, a surplus in the last two.
TEST_F(MarketTest, MatchesHourByHourAndGivesNothingForASurplus) {
  Batch batch = JobOf(1, {Hour(1, 0, 100, 500, .2), Hour(1, 1, 100, 480, .2),
                          Hour(1, 2, 100, 420, .4), Hour(1, 3, 100, 400, .4)});
  batch.contracts = ContractSet{At(4), {Bought(0, {0, 50, 150, 200})}};
  Commit(batch);
  const ReportRecord r = Only();
  EXPECT_EQ(r.milligrams, 180'000'000);
  EXPECT_EQ(r.net_milligrams, 74'000'000);
  EXPECT_EQ(r.score_joules, *r.joules);
  EXPECT_NEAR(r.carbon_free_joules / static_cast<double>(*r.joules), .70,
              1e-12);
}

TEST_F(MarketTest, WithoutContractsThereIsNoNetAndTheScoreIsTheGrids) {
  Commit(JobOf(1, {Hour(1, 0, 1, 500, .25), Hour(1, 1, 3, 500, std::nullopt)}));
  const ReportRecord r = Only();
  EXPECT_FALSE(r.net_milligrams.has_value());
  EXPECT_EQ(r.score_joules, 3'600'000) << "of one hour it is unknown";
  EXPECT_DOUBLE_EQ(r.carbon_free_joules, 900'000);
}

TEST_F(MarketTest, EverybodySharesWhatIsBoughtIdleNodesToo) {
  Batch batch = JobOf(1, {Hour(1, 0, 30, 500, 0.0)});
  batch.nodes = {Node(1)};
  batch.node_energy = {Idle(1, 0, 80, 10)};
  ContractRow mix;
  mix.region = "US-NW";
  mix.residual = 600;
  batch.contracts = ContractSet{At(0), {mix, Bought(0, {60})}};
  Commit(batch);
  batch = JobOf(2, {Hour(2, 0, 40, 500, 0.0)});
  batch.submissions[0].user = "bob";
  Commit(batch);
  // 80 kWh in all, of which 60 are covered: a quarter is left, at 600 g.
  EXPECT_EQ(Only({.user = "ada"}).net_milligrams, 4'500'000);
  EXPECT_EQ(Only({.user = "bob"}).net_milligrams, 6'000'000);
  auto idle = ledger_->reader().Report({}).value().unallocated;
  ASSERT_THAT(idle, SizeIs(1));
  EXPECT_EQ(idle[0].key, "oregon");
  EXPECT_EQ(idle[0].net_milligrams, 1'500'000);
  EXPECT_EQ(idle[0].metered_joules, 80 * 3'600'000);
  EXPECT_THAT(ledger_->reader().Report({.user = "ada"}).value().unallocated,
              IsEmpty());
}

// Fact 22: 1000 kWh at 4.5 % loss are 1047.12 kWh generated.
TEST_F(MarketTest, WhatIsLostOnTheWayStandsApart) {
  Batch batch = JobOf(1, {Hour(1, 0, 1000, 500, .25)});
  ContractRow loss;
  loss.region = "US-NW";
  loss.loss = .045;
  batch.contracts = ContractSet{At(4), {loss}};
  Commit(batch);
  const ReportRecord r = Only();
  EXPECT_NEAR(static_cast<double>(*r.lost_joules) / 3.6e6, 47.1204, 1e-4);
  EXPECT_NEAR(static_cast<double>(*r.lost_milligrams), 47.1204e3 * 500, 100);
  EXPECT_EQ(r.joules, 3'600'000'000) << "in no other sum";
  EXPECT_EQ(r.milligrams, 500'000'000);
  EXPECT_FALSE(r.net_milligrams.has_value()) << "nothing is bought";
  EXPECT_DOUBLE_EQ(r.carbon_free_joules, 900'000'000);
  EXPECT_FALSE(Only({.as_of = At(3)}).lost_joules.has_value())
      << "not known then";
  EXPECT_EQ(ledger_->Load().value().contracts.rows, batch.contracts->rows);
}

TEST_F(MarketTest, ASitesOwnContractIsNobodyElses) {
  Batch batch = JobOf(1, {Hour(1, 0, 30, 500, 0.0)});
  EmissionRow there = Hour(1, 1, 30, 500, 0.0);
  there.site = "dublin";
  batch.emissions.push_back(there);
  batch.contracts =
      ContractSet{At(0), {Bought(0, {10, 10}, "dublin"), Bought(0, {5, 5})}};
  Commit(batch);
  // 30 - 5 in the first hour, 30 - 10 - 5 in the second.
  EXPECT_EQ(Only({.by = ReportBy::kJob}).net_milligrams,
            (25 + 15) * 500 * 1000);
}

TEST_F(MarketTest, AReportAsOfAnEarlierTimeIsTheOneGivenThen) {
  Batch batch = JobOf(1, {Hour(1, 0, 1, 500, .1)});
  batch.emissions[0].intensity_estimated = true;
  batch.emissions[0].recorded = At(1);
  batch.nodes = {Node(1)};
  batch.node_energy = {Idle(1, 0, 2, 1)};
  batch.baselines = {{JobId(1), 900'000, true, At(2)}};
  batch.contracts = ContractSet{At(1), {Bought(0, {1})}};
  Commit(batch);
  const ReportRecord before = Only();
  // Better data come, and the contract is found to have been another.
  Batch later;
  later.emissions = {Hour(1, 0, 1, 300, .1)};
  later.emissions[0].recorded = At(10);
  later.node_energy = {Idle(1, 0, 2, 1)};
  later.node_energy[0].milligrams = 300'000;
  later.node_energy[0].recorded = At(10);
  later.baselines = {{JobId(1), 700'000, false, At(10)}};
  later.contracts = ContractSet{At(11), {Bought(0, {0})}};
  Commit(later);
  const ReportRecord now = Only();
  EXPECT_EQ(now.milligrams, 300'000);
  EXPECT_EQ(now.net_milligrams, 300'000);
  EXPECT_EQ(now.baseline_milligrams, 700'000);
  EXPECT_EQ(now.restated, 1);
  EXPECT_EQ(now.restated_last, At(10));
  const ReportRecord then = Only({.as_of = At(5)});
  EXPECT_EQ(then.milligrams, before.milligrams);
  EXPECT_EQ(then.net_milligrams, before.net_milligrams);
  EXPECT_EQ(then.baseline_milligrams, 900'000);
  EXPECT_EQ(then.restated, 0);
  EXPECT_TRUE(then.estimated);
  EXPECT_EQ(ledger_->reader().Report({}).value().unallocated[0].milligrams,
            300'000);
  EXPECT_EQ(ledger_->reader()
                .Report({.as_of = At(5)})
                .value()
                .unallocated[0]
                .milligrams,
            500'000);
  // The second of two rows that cover the hour names what it replaced.
  const auto all = ledger_->reader().Emissions(JobId(1), true).value();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].superseded_at, At(10));
}

TEST_F(MarketTest, AFileTellsARestartWhatIsUnderContractAndMetered) {
  Batch batch;
  batch.nodes = {Node(1), Node(2)};
  batch.node_energy = {Idle(1, 0, 2, 1), Idle(1, 1, 2, 1)};
  batch.contracts = ContractSet{At(1), {Bought(0, {1, 2.5})}};
  Commit(batch);
  const Snapshot snapshot = ledger_->Load().value();
  EXPECT_EQ(snapshot.contracts.rows, batch.contracts->rows);
  ASSERT_THAT(snapshot.metered_until, SizeIs(1));
  EXPECT_EQ(snapshot.metered_until[0].second, At(2));
  Batch none;
  none.contracts = ContractSet{At(3), {}};
  Commit(none);
  EXPECT_THAT(ledger_->Load().value().contracts.rows, IsEmpty());
}

}  // namespace
}  // namespace ccsched
