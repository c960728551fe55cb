// How well the forecasters do on real grids: learnt on 2021, tested on 2022.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gtest/gtest.h"
#include "scheduler/carbon/forecaster.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

constexpr int kLeadDays = 4;

struct Score {
  std::array<double, kLeadDays> mape = {};  // %, by day ahead
  double covered = 0;                       // share within p10 to p90
};

// Issues a forecast at 00:00 UTC of each day of [from, to).
Score Evaluate(const char* name, const StepSeries& actual, absl::Time from,
               absl::Time to) {
  const auto forecaster = *MakeForecaster(name);
  Score score;
  int days = 0;
  int banded = 0;
  for (absl::Time t = from; t + absl::Hours(24 * kLeadDays) <= to;
       t += absl::Hours(24)) {
    const auto issued =
        forecaster->Issue(actual, t, absl::Hours(24 * kLeadDays));
    EXPECT_TRUE(issued.has_value());
    ++days;
    for (int h = 0; h < 24 * kLeadDays; ++h) {
      const absl::Time at = t + absl::Hours(h);
      const double truth = actual.At(at);
      score.mape[h / 24] +=
          std::abs(issued->forecast.At(at).value() - truth) / truth / 24 * 100;
      if (issued->p10.empty()) continue;
      ++banded;
      score.covered +=
          truth >= issued->p10.At(at) && truth <= issued->p90.At(at);
    }
  }
  for (double& m : score.mape) m /= days;
  if (banded > 0) score.covered /= banded;
  return score;
}

std::string Traces() {
  const char* dir = std::getenv("CCSCHED_TRACES");
  return dir != nullptr ? dir : CCSCHED_SOURCE_DIR "/../shared/traces";
}

TEST(ForecasterTraceTest, RegressionBeatsPersistenceOnEveryZoneAndDayAhead) {
  const std::string dir = Traces() + "/carbon";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << "no traces in " << dir;
  const char* year = std::getenv("CCSCHED_FORECAST_YEAR");
  const int y = year != nullptr ? std::atoi(year) : 2022;
  const absl::Time from =
      y == 2022
          ? absl::FromCivil(absl::CivilYear(2022), absl::UTCTimeZone())
          : absl::FromCivil(absl::CivilMonth(2021, 7), absl::UTCTimeZone());
  const absl::Time to =
      absl::FromCivil(absl::CivilYear(y + 1), absl::UTCTimeZone());
  std::printf("MAPE, %%, 1 to 4 days ahead\n");
  double total = 0;
  for (const char* column : {"ci_lca", "ci_direct"}) {
    for (const char* zone :
         {"US-CAL-CISO", "US-MIDA-PJM", "US-TEX-ERCO", "DE", "GB", "CA-ON"}) {
      const auto read =
          ReadGridCsv(absl::StrCat(dir, "/", zone, "_2021_2022.csv"), column,
                      GapRule::kRefuse);
      ASSERT_TRUE(read.ok()) << read.status();
      std::array<Score, 3> scores;
      int i = 0;
      for (const char* name : {"persistence", "blend", "regression"}) {
        scores[i] = Evaluate(name, read->series, from, to);
        std::printf("%-12s %-9s %-12s", zone, column, name);
        for (const double m : scores[i].mape) std::printf(" %6.2f", m);
        std::printf("  band %.2f\n", scores[i].covered);
        ++i;
      }
      for (int d = 0; d < kLeadDays; ++d) {
        EXPECT_LT(scores[2].mape[d], scores[0].mape[d]) << zone << " day " << d;
        total += scores[2].mape[d];
      }
      if (y == 2022) {
        EXPECT_GE(scores[2].covered, .78) << zone << " " << column;
        EXPECT_LE(scores[2].covered, .82) << zone << " " << column;
      }
    }
  }
  std::printf("sum %.2f\n", total);
}

}  // namespace
}  // namespace ccsched
