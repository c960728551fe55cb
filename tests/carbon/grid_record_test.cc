// What the record of the grids answers, fresh, stale and without data.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/grid_record.h"

#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const RegionId kRegion(0);
const absl::Time kStart =
    absl::FromCivil(absl::CivilDay(2021, 10, 3), absl::UTCTimeZone());

absl::Time Hour(double h) { return kStart + absl::Hours(1) * h; }

GridData Data(absl::Time issued, absl::Time start, std::vector<double> values,
              absl::Duration step = absl::Hours(1)) {
  GridData data;
  data.source = "test";
  data.issued = data.received = issued;
  data.series = *StepSeries::Create(start, step, std::move(values));
  return data;
}

GridRecord OneRegion() { return GridRecord({GridRegionOptions()}); }

TEST(GridRecordTest, WhereNothingIsKnownTheIntensityIsAbsentNotZero) {
  const GridRecord record = OneRegion();
  const auto slices = record.Slices(kRegion, Hour(0), Hour(0.5));
  ASSERT_EQ(slices.size(), 1);
  EXPECT_FALSE(slices[0].intensity.has_value());
  EXPECT_EQ(record.Newest(kRegion, Hour(0)), nullptr);
  EXPECT_EQ(record.State(kRegion, Hour(0)), GridState::kNone);
}

TEST(GridRecordTest, SlicesLieWithinOneStepAndFollowEachOther) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(0), {1, 2})).ok());
  ASSERT_TRUE(record
                  .AddActual(kRegion, Data(Hour(0), Hour(2), {3, 4, 5, 6},
                                           absl::Minutes(15)))
                  .ok());
  const auto slices = record.Slices(kRegion, Hour(0.5), Hour(2.5));
  ASSERT_EQ(slices.size(), 4);
  EXPECT_EQ(slices[0].start, Hour(0.5));
  for (size_t i = 1; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i].start, slices[i - 1].end);
  }
  EXPECT_EQ(slices[2].end, Hour(2.25));
  EXPECT_EQ(slices[3].intensity->value(), 4);
  EXPECT_EQ(slices[3].end, Hour(2.5));
  EXPECT_FALSE(slices[3].estimated);
  EXPECT_EQ(slices[0].data_version, "actual test 2021-10-03T00:00:00Z");
}

TEST(GridRecordTest, ActualValuesReplaceTheForecastWhateverTheOrder) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(
      record.AddForecast(kRegion, Data(Hour(0), Hour(0), {9, 9, 9})).ok());
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(2), Hour(0), {5, 6})).ok());
  const auto slices = record.Slices(kRegion, Hour(0), Hour(3));
  ASSERT_EQ(slices.size(), 3);
  EXPECT_EQ(slices[1].intensity->value(), 6);
  EXPECT_FALSE(slices[1].estimated);
  EXPECT_EQ(slices[2].intensity->value(), 9);
  EXPECT_TRUE(slices[2].estimated);
  EXPECT_EQ(slices[2].data_version, "forecast test 2021-10-03T00:00:00Z");
}

TEST(GridRecordTest, ARevisionCountsAndAnOlderIssueThatComesLateDoesNot) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(
      record.AddActual(kRegion, Data(Hour(9), Hour(0), {1, 2, 3})).ok());
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(10), Hour(1), {20})).ok());
  ASSERT_TRUE(
      record.AddActual(kRegion, Data(Hour(8), Hour(0), {7, 7, 7, 7})).ok());
  const auto slices = record.Slices(kRegion, Hour(0), Hour(4));
  ASSERT_EQ(slices.size(), 4);
  EXPECT_EQ(slices[0].intensity->value(), 1);
  EXPECT_EQ(slices[1].intensity->value(), 20);
  EXPECT_EQ(slices[2].intensity->value(), 3);
  EXPECT_EQ(slices[3].intensity->value(), 7);
}

// From and to, in hours.
std::vector<std::pair<double, double>> InHours(
    const std::vector<TimeSpan>& spans) {
  std::vector<std::pair<double, double>> hours;
  for (const TimeSpan& s : spans) {
    hours.emplace_back(absl::ToDoubleHours(s.from - kStart),
                       absl::ToDoubleHours(s.to - kStart));
  }
  return hours;
}

TEST(GridRecordTest, TellsWhichHoursAnActualSeriesChanges) {
  using Spans = std::vector<std::pair<double, double>>;
  GridRecord record = OneRegion();
  const auto add = [&](GridRecord& to, double issued, double start,
                       std::vector<double> values,
                       std::vector<bool> marks = {}) {
    GridData data = Data(Hour(issued), Hour(start), std::move(values));
    data.estimated = std::move(marks);
    ASSERT_TRUE(to.AddActual(kRegion, data).ok());
  };
  ASSERT_TRUE(
      record.AddForecast(kRegion, Data(Hour(0), Hour(0), {9, 9, 9})).ok());
  EXPECT_EQ(InHours(record.TakeChanges(kRegion)), Spans());
  add(record, 1, 0, {1, 2, 3, 4}, {false, false, false, true});
  EXPECT_EQ(InHours(record.TakeChanges(kRegion)), (Spans{{0, 4}}));
  EXPECT_EQ(InHours(record.TakeChanges(kRegion)), Spans()) << "told once";
  // As it was; corrected; as it was but no estimate any more; new.
  add(record, 2, 0, {1, 20, 3, 4, 5});
  EXPECT_EQ(InHours(record.TakeChanges(kRegion)), (Spans{{1, 2}, {3, 5}}));
  GridRecord again = OneRegion();
  add(again, 2, 0, {1, 20, 30, 4, 5});
  EXPECT_EQ(InHours(again.ChangesSince(record, kRegion)), (Spans{{2, 3}}));
}

TEST(GridRecordTest, AFinerRevisionCutsTheHourThatItFallsIn) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(1), Hour(0), {8})).ok());
  ASSERT_TRUE(record
                  .AddActual(kRegion, Data(Hour(2), Hour(0.25), {4, 5},
                                           absl::Minutes(15)))
                  .ok());
  const auto slices = record.Slices(kRegion, Hour(0), Hour(1));
  ASSERT_EQ(slices.size(), 4);
  EXPECT_EQ(slices[0].intensity->value(), 8);
  EXPECT_EQ(slices[1].intensity->value(), 4);
  EXPECT_EQ(slices[2].intensity->value(), 5);
  EXPECT_EQ(slices[3].intensity->value(), 8);
}

TEST(GridRecordTest, BasesNeverMix) {
  GridRecord record = OneRegion();
  GridData marginal = Data(Hour(0), Hour(0), {9});
  marginal.basis = "marginal-direct";
  EXPECT_THAT(record.AddForecast(kRegion, marginal).message(),
              HasSubstr("marginal-direct does not mix"));
  GridData unknown = Data(Hour(0), Hour(0), {9});
  unknown.basis = "green";
  EXPECT_THAT(record.AddActual(kRegion, unknown).message(),
              HasSubstr("\"green\" is not known"));
}

TEST(GridRecordTest, AMarginalSignalDecidesButIsNotAccounted) {
  GridRecord record({{.decision_basis = "marginal-direct"}});
  GridData marginal = Data(Hour(0), Hour(0), {900});
  marginal.basis = "marginal-direct";
  ASSERT_TRUE(record.AddForecast(kRegion, marginal).ok());
  ASSERT_TRUE(record.AddForecast(kRegion, Data(Hour(0), Hour(0), {300})).ok());
  EXPECT_EQ(record.Newest(kRegion, Hour(0))->At(Hour(0)).value(), 900);
  EXPECT_EQ(record.Slices(kRegion, Hour(0), Hour(1))[0].intensity->value(),
            300);
}

TEST(GridRecordTest, RefusesNegativeValuesAndMarksThatDoNotMatch) {
  GridRecord record = OneRegion();
  EXPECT_THAT(
      record.AddActual(kRegion, Data(Hour(0), Hour(0), {1, -2})).message(),
      HasSubstr("-2 at 2021-10-03T01:00:00Z is negative"));
  GridData marks = Data(Hour(0), Hour(0), {1, 2});
  marks.estimated = {true};
  EXPECT_FALSE(record.AddActual(kRegion, marks).ok());
  EXPECT_FALSE(record.AddActual(RegionId(1), Data(Hour(0), Hour(0), {1})).ok());
  EXPECT_EQ(record.State(kRegion, Hour(0)), GridState::kNone);
}

TEST(GridRecordTest, KnowsNoForecastBeforeItsIssue) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(
      record.AddForecast(kRegion, Data(Hour(0), Hour(0), {1, 1, 1, 1})).ok());
  ASSERT_TRUE(record.AddForecast(kRegion, Data(Hour(2), Hour(2), {5, 5})).ok());
  EXPECT_EQ(record.Newest(kRegion, Hour(1))->At(Hour(3)).value(), 1);
  EXPECT_EQ(record.Newest(kRegion, Hour(2))->At(Hour(3)).value(), 5);
  EXPECT_EQ(record.Newest(kRegion, Hour(1))->At(Hour(3)).value(), 1);
  EXPECT_EQ(*record.Issued(kRegion, Hour(3)), Hour(2));
}

TEST(GridRecordTest, TheSameForecastIsTheSameObject) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(record.AddForecast(kRegion, Data(Hour(0), Hour(0), {1, 2})).ok());
  const auto first = record.Newest(kRegion, Hour(0));
  EXPECT_EQ(first, record.Newest(kRegion, Hour(1)));
}

TEST(GridRecordTest, GoesFromFreshToStaleToFallback) {
  GridRecord record({{.stale_after = absl::Hours(24)}});
  std::vector<double> days;
  for (int h = 0; h < 48; ++h) days.push_back(100 + h % 24);
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(-48), days)).ok());
  ASSERT_TRUE(record.AddForecast(kRegion, Data(Hour(0), Hour(0), days)).ok());
  EXPECT_EQ(record.State(kRegion, Hour(24)), GridState::kFresh);
  EXPECT_EQ(record.State(kRegion, Hour(25)), GridState::kStale);
  EXPECT_EQ(record.State(kRegion, Hour(48)), GridState::kFallback);
  // The entry says so too.
  const auto version = [&](double hour) {
    return record.Slices(kRegion, Hour(hour), Hour(hour + 1))[0].data_version;
  };
  EXPECT_THAT(version(24), HasSubstr("forecast test"));
  EXPECT_THAT(version(24), Not(HasSubstr("stale")));
  EXPECT_THAT(version(25), HasSubstr("stale"));
  EXPECT_THAT(version(48), HasSubstr("fallback"));
  // Two days back is the last known hour of the same name.
  EXPECT_EQ(record.Newest(kRegion, Hour(48))->At(Hour(53)).value(), 105);
  // After a week without data, the mean.
  EXPECT_DOUBLE_EQ(record.Newest(kRegion, Hour(400))->At(Hour(400)).value(),
                   111.5);
}

TEST(GridRecordTest, AFileThatIsPlayedBackIsFresh) {
  GridRecord record = OneRegion();
  const GridData file =
      Data(Hour(0), Hour(0), std::vector<double>(24 * 30, 100));
  ASSERT_TRUE(record.AddActual(kRegion, file).ok());
  ASSERT_TRUE(record.AddForecast(kRegion, file).ok());
  EXPECT_EQ(record.State(kRegion, Hour(24 * 20)), GridState::kFresh);
  EXPECT_EQ(record.State(kRegion, Hour(24 * 30)), GridState::kFallback);
}

TEST(GridRecordTest, SharesAreKeptApart) {
  GridRecord record = OneRegion();
  EXPECT_FALSE(record.ShareAt(kRegion, Hour(0)));
  ASSERT_TRUE(record.AddShare(kRegion, Data(Hour(0), Hour(0), {40, 60})).ok());
  EXPECT_EQ(record.ShareAt(kRegion, Hour(1.5)), .6);
  EXPECT_FALSE(record.ShareAt(kRegion, Hour(2)));
  EXPECT_EQ(record.State(kRegion, Hour(0)), GridState::kNone);
  EXPECT_FALSE(record.AddShare(kRegion, Data(Hour(0), Hour(0), {101})).ok());
}

TEST(GridRecordTest, TheFallbackDoesNotKnowTheFuture) {
  GridRecord record = OneRegion();
  std::vector<double> values(72, 1);
  for (int h = 30; h < 72; ++h) values[h] = 1000;
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(0), values)).ok());
  const auto forecast = record.Newest(kRegion, Hour(30));
  ASSERT_NE(forecast, nullptr);
  for (int h = 30; h < 78; ++h) EXPECT_EQ(forecast->At(Hour(h)).value(), 1);
}

TEST(GridRecordTest, AccountsOverAHoleAreMarkedWithTheirMethod) {
  GridRecord record = OneRegion();
  std::vector<double> day;
  for (int h = 0; h < 24; ++h) day.push_back(h);
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(24), Hour(0), day)).ok());
  const auto slices = record.Slices(kRegion, Hour(25), Hour(26));
  ASSERT_EQ(slices.size(), 1);
  EXPECT_EQ(slices[0].intensity->value(), 1);
  EXPECT_TRUE(slices[0].estimated);
  EXPECT_THAT(slices[0].data_version, HasSubstr("fallback same-hour-1d"));
}

TEST(GridRecordTest, GivesTheForecasterWhatIsKnownUpToNow) {
  GridRecord record = OneRegion();
  ASSERT_TRUE(
      record.AddActual(kRegion, Data(Hour(0), Hour(0), {1, 2, 3, 4})).ok());
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(4), {5})).ok());
  EXPECT_EQ(record.ActualsUntil(kRegion, Hour(2.5)).values().size(), 2);
  EXPECT_EQ(record.ActualsUntil(kRegion, Hour(9)).values().size(), 5);
  EXPECT_TRUE(record.ActualsUntil(kRegion, Hour(0)).empty());
  // Hours 5 and 6 were never reported.
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(7), {7})).ok());
  EXPECT_THAT(record.ActualsUntil(kRegion, Hour(9)).values(),
              ::testing::ElementsAre(1, 2, 3, 4, 5, 5, 5, 7));
  ASSERT_TRUE(record.AddActual(kRegion, Data(Hour(0), Hour(57), {8})).ok());
  EXPECT_EQ(record.ActualsUntil(kRegion, Hour(60)).values().size(), 1);
}

}  // namespace
}  // namespace ccsched
