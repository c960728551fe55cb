// Tests of units: which products exist and what they are.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/units.h"

#include <type_traits>

#include "gtest/gtest.h"

namespace ccsched {
namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};

TEST(UnitsTest, AKilowattHourAt400GramsIs400Grams) {
  const GramsCo2e g = Watts(1000) * absl::Hours(1) * GramsPerKwh(400);
  EXPECT_DOUBLE_EQ(g.value(), 400);
}

TEST(UnitsTest, UnlikeUnitsDoNotAdd) {
  static_assert(Addable<Watts, Watts>);
  static_assert(!Addable<Watts, KilowattHours>);
  static_assert(!Addable<GramsCo2e, GramsPerKwh>);
  static_assert(!std::is_convertible_v<double, Watts>);
  static_assert(!std::is_convertible_v<Watts, double>);
}

TEST(UnitsTest, JoulesAndKilowattHoursConvertBothWays) {
  EXPECT_DOUBLE_EQ(ToJoules(KilowattHours(2)).value(), 7.2e6);
  EXPECT_DOUBLE_EQ(ToKilowattHours(Joules(1.8e6)).value(), 0.5);
}

// The pound is 453.59237 g by definition.
TEST(UnitsTest, AThousandPoundsAMegawattHour) {
  EXPECT_DOUBLE_EQ(FromPoundsPerMwh(1000).value(), 453.59237);
}

}  // namespace
}  // namespace ccsched
