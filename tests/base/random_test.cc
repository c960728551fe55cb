// Tests of the seeded generator: fixed sequence, plausible distributions.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/random.h"

#include "gtest/gtest.h"

namespace ccsched {
namespace {

// The first outputs of SplitMix64 for seed 0, as its authors' code gives them.
TEST(RandomTest, IsTheGeneratorThatItSaysItIs) {
  Random random(0);
  EXPECT_EQ(random.Next(), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(random.Next(), 0x6e789e6aa1b965f4ULL);
  EXPECT_EQ(random.Next(), 0x06c45d188009454fULL);
}

TEST(RandomTest, HasTheMomentsOfItsDistributions) {
  Random random(42);
  double uniform = 0, exponential = 0, normal = 0, square = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    uniform += random.Uniform();
    exponential += random.Exponential(3);
    const double z = random.Normal();
    normal += z;
    square += z * z;
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.01);
  EXPECT_NEAR(exponential / kDraws, 3, 0.05);
  EXPECT_NEAR(normal / kDraws, 0, 0.02);
  EXPECT_NEAR(square / kDraws, 1, 0.03);
}

TEST(RandomTest, StaysBelowItsBound) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.Below(7), 7u);
}

}  // namespace
}  // namespace ccsched
