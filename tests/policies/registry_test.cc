// The registry, the window search and what they say of wrong input.
// SPDX-License-Identifier: Apache-2.0
#include "policies/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "policies/window.h"
#include "scheduler/base/random.h"
#include "tests/builders.h"

namespace ccsched::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RegistryTest, NamesAreUniqueAndFound) {
  std::set<std::string> names;
  for (const PolicySpec& spec : AllPolicies()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    const absl::StatusOr<const PolicySpec*> found = FindPolicy(spec.name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, &spec);
  }
}

TEST(RegistryTest, AnUnknownNameIsAnsweredWithTheNearest) {
  const absl::Status status = FindPolicy("lowest-windw").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"lowest-windw\"; did you mean 'lowest-window'?"));
}

TEST(RegistryTest, WhatIsLikeNoPolicyIsAnsweredWithAllOfThem) {
  const std::string what(FindPolicy("quota").status().message());
  EXPECT_THAT(what, HasSubstr("\"quota\" (known: fcfs, "));
  EXPECT_THAT(what, Not(HasSubstr("did you mean")));
}

TEST(RegistryTest, WhatIsLikeNoParameterIsAnsweredWithAllOfThem) {
  const std::string what(
      MakePolicy("ecovisor", {{"zzzzzz", 3}}).status().message());
  EXPECT_THAT(what, HasSubstr("no parameter \"zzzzzz\" (known: "));
}

TEST(RegistryTest, AnUnknownParameterIsNamed) {
  const absl::Status status =
      MakePolicy("ecovisor", {{"percentil", 3}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"percentil\""));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("did you mean 'percentile'?"));
}

TEST(RegistryTest, AParameterOutOfRangeIsNamedWithItsValue) {
  const absl::Status status =
      MakePolicy("ecovisor", {{"percentile", 130}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("130"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("between 0 and 100"));
}

TEST(RegistryTest, TheRangeOfAPlainNumberEndsTheMessage) {
  for (const PolicySpec& spec : AllPolicies()) {
    for (const ParameterSpec& p : spec.parameters) {
      const std::string what(
          MakePolicy(spec.name, {{p.name, p.max + 1}}).status().message());
      EXPECT_NE(what.back(), ' ') << what;
    }
  }
}

TEST(RegistryTest, NotANumberIsOutOfRange) {
  EXPECT_FALSE(MakePolicy("ecovisor", {{"percentile", std::nan("")}}).ok());
}

std::shared_ptr<const Forecast> RandomForecast(Random& random, int n,
                                               absl::Duration step) {
  std::vector<double> values;
  values.reserve(n);
  for (int i = 0; i < n; ++i) values.push_back(50 + 500 * random.Uniform());
  return std::make_shared<const Forecast>(
      T(0), *StepSeries::Create(T(0), step, std::move(values)));
}

TEST(CurveTest, AgreesWithTheForecastWithinAndBeyondIt) {
  Random random(1);
  for (const absl::Duration step :
       {absl::Hours(1), absl::Minutes(5), absl::Minutes(45)}) {
    const auto forecast = RandomForecast(random, 48, step);
    Curve curve(forecast);
    for (int i = 0; i < 500; ++i) {
      const absl::Time from = T(100 * random.Uniform() - 5);
      const absl::Time to = from + absl::Hours(30) * random.Uniform();
      const double expected = forecast->PerKilowatt(from, to).value();
      EXPECT_NEAR(curve.Grams(ToUs(from), ToUs(to)), expected,
                  1e-6 * (1 + expected));
      EXPECT_EQ(curve.At(ToUs(from)), forecast->At(FromUs(ToUs(from))).value());
    }
  }
}

TEST(CurveTest, AllWindowsAtOnceAreTheWindowsOneByOne) {
  Random random(2);
  std::vector<double> grams(60);
  for (const absl::Duration step :
       {absl::Hours(1), absl::Minutes(15), absl::Minutes(45)}) {
    const auto forecast = RandomForecast(random, 96, step);
    Curve curve(forecast);
    for (int i = 0; i < 100; ++i) {
      const int64_t from_us = ToUs(T(50 * random.Uniform()));
      const auto length_us =
          static_cast<int64_t>(1 + 20 * random.Uniform() * kHourUs);
      const int n = static_cast<int>(1 + random.Below(60));
      curve.Windows(from_us, length_us, kHourUs, n, grams.data());
      for (int k = 0; k < n; ++k) {
        const int64_t start_us = from_us + k * kHourUs;
        EXPECT_NEAR(grams[k], curve.Grams(start_us, start_us + length_us),
                    1e-6);
      }
    }
  }
}

TEST(CurveTest, TheNextEdgeIsAfterTheMoment) {
  Random random(3);
  Curve curve(RandomForecast(random, 24, absl::Hours(1)));
  EXPECT_EQ(curve.NextEdge(ToUs(T(2))), ToUs(T(3)));
  EXPECT_EQ(curve.NextEdge(ToUs(T(2.5))), ToUs(T(3)));
  EXPECT_EQ(curve.NextEdge(ToUs(T(-0.5))), ToUs(T(0)));
}

TEST(StartsAllowedTest, NowIsAlwaysAllowed) {
  EXPECT_EQ(StartsAllowed(100, 50, 10, kNeverUs, 10), 1);
  EXPECT_EQ(StartsAllowed(100, 500, 10, 105, 10), 1);
  EXPECT_EQ(StartsAllowed(100, 130, 10, kNeverUs, 10), 4);
  EXPECT_EQ(StartsAllowed(100, 139, 10, kNeverUs, 10), 4);
  EXPECT_EQ(StartsAllowed(100, 500, 10, 130, 10), 3);
}

}  // namespace
}  // namespace ccsched::testing
