// Fair share: what is charged, to whom, and what can't be gained by pretending.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/fair_share.h"

#include <gtest/gtest.h>

namespace ccsched {
namespace {

constexpr PoolId kHere(0), kThere(1);

absl::Time At(double hours) {
  return absl::FromUnixSeconds(1'600'000'000) + absl::Hours(1) * hours;
}

class FairShareTest : public ::testing::Test {
 protected:
  FairShareTest() : shares_({.half_life = absl::Hours(24 * 7)}, 2) {
    shares_.SetNow(At(0));
    a_ = shares_.Account(Symbol(1));
    b_ = shares_.Account(Symbol(2));
  }
  double ChargedHours(AccountId account) {
    return shares_.Charged(account) / 3600;
  }

  FairShare shares_;
  AccountId a_, b_;
};

TEST_F(FairShareTest, ChargesNothingForWhatNobodyElseWants) {
  shares_.Start(a_, kHere, 8, false);
  shares_.SetNow(At(5));
  shares_.End(a_, kHere, 8, At(0), {});
  EXPECT_EQ(ChargedHours(a_), 0);
}

TEST_F(FairShareTest, ChargesTheTimeForWhichOthersWait) {
  shares_.Start(a_, kHere, 8, false);
  shares_.SetNow(At(2));
  shares_.SetContested(kHere, true);
  shares_.SetNow(At(5));
  shares_.SetContested(kHere, false);
  shares_.SetNow(At(6));
  shares_.End(a_, kHere, 8, At(0), {});
  // Faded by hours, with a half-life of a week.
  EXPECT_NEAR(ChargedHours(a_), 8 * 3, 0.5);
  EXPECT_LT(ChargedHours(a_), 8 * 3);
}

TEST_F(FairShareTest, ForgetsHalfInAHalfLife) {
  shares_.SetContested(kHere, true);
  shares_.Start(a_, kHere, 4, false);
  shares_.SetNow(At(1));
  shares_.End(a_, kHere, 4, At(0), {});
  const double before = ChargedHours(a_);
  shares_.SetNow(At(1 + 24 * 7));
  EXPECT_NEAR(ChargedHours(a_), before / 2, 1e-9);
}

TEST_F(FairShareTest, CountsABurstOfStartsAtOnce) {
  shares_.Start(a_, kHere, 4, false);
  EXPECT_GT(shares_.Load(a_), shares_.Load(b_));
  shares_.Start(b_, kHere, 8, false);
  EXPECT_LT(shares_.Load(a_), shares_.Load(b_));
  shares_.SetShare(Symbol(2), 4);
  EXPECT_GT(shares_.Load(a_), shares_.Load(b_));
}

TEST_F(FairShareTest, IsTheSameHoweverWorkIsSplit) {
  shares_.SetContested(kHere, true);
  shares_.Start(a_, kHere, 8, false);
  for (int i = 0; i < 8; ++i) shares_.Start(b_, kHere, 1, false);
  EXPECT_EQ(shares_.Load(a_), shares_.Load(b_));
  shares_.SetNow(At(3));
  shares_.End(a_, kHere, 8, At(0), {});
  for (int i = 0; i < 8; ++i) shares_.End(b_, kHere, 1, At(0), {});
  EXPECT_NEAR(shares_.Load(a_), shares_.Load(b_), 1e-6);
}

TEST_F(FairShareTest, ChargesAFlexibleRunNoMoreThanARigidOne) {
  // Quiet for three hours, then contested.
  ASSERT_TRUE(shares_.Claim(kHere, 4, 10, absl::Hours(3)));
  const FairShare::Claimed claim = {true, kHere, At(0)};
  shares_.SetNow(At(3));
  shares_.SetContested(kHere, true);
  shares_.Start(a_, kHere, 4, true);
  // While it runs it counts as anybody's.
  EXPECT_GT(shares_.Load(a_), 0);
  shares_.SetNow(At(6));
  shares_.End(a_, kHere, 4, At(3), claim);
  EXPECT_EQ(ChargedHours(a_), 0);
}

TEST_F(FairShareTest, ChargesItWhatTheRigidOneWouldHaveMet) {
  ASSERT_TRUE(shares_.Claim(kHere, 4, 10, absl::Hours(3)));
  const FairShare::Claimed claim = {true, kHere, At(0)};
  shares_.SetNow(At(2));
  shares_.SetContested(kHere, true);
  shares_.SetContested(kThere, true);
  shares_.SetNow(At(5));
  shares_.Start(a_, kThere, 4, true);
  shares_.SetNow(At(8));
  shares_.End(a_, kThere, 4, At(5), claim);
  // It met three contested hours; from its deferral on, one.
  EXPECT_NEAR(ChargedHours(a_), 4, 1e-9);
}

TEST_F(FairShareTest, LetsNobodyClaimTheSameRoomTwice) {
  EXPECT_TRUE(shares_.Claim(kHere, 6, 10, absl::Hours(3)));
  EXPECT_FALSE(shares_.Claim(kHere, 6, 10, absl::Hours(3)));
  EXPECT_TRUE(shares_.Claim(kHere, 4, 10, absl::Hours(3)));
  EXPECT_FALSE(shares_.Claim(kHere, 1, 10, absl::Hours(3)));
  // What was claimed is free again when the job would have ended.
  shares_.SetNow(At(3));
  EXPECT_TRUE(shares_.Claim(kHere, 10, 10, absl::Hours(1)));
}

TEST_F(FairShareTest, LetsNobodyClaimContestedRoom) {
  shares_.SetContested(kHere, true);
  EXPECT_FALSE(shares_.Claim(kHere, 1, 10, absl::Hours(1)));
}

TEST_F(FairShareTest, LetsPromisesGoFirstWithinTheShareOnly) {
  shares_.Start(a_, kHere, 9, false);
  shares_.Start(b_, kHere, 1, false);
  shares_.Weigh();
  EXPECT_FALSE(shares_.WithinShare(a_));
  EXPECT_TRUE(shares_.WithinShare(b_));
  shares_.SetShare(Symbol(1), 9);
  shares_.Weigh();
  EXPECT_TRUE(shares_.WithinShare(a_));
  EXPECT_TRUE(shares_.WithinShare(b_));
}

TEST_F(FairShareTest, PutsNobodyBeyondTheOnlyShare) {
  shares_.SetContested(kHere, true);
  shares_.Start(a_, kHere, 7, false);
  shares_.SetNow(At(13.37));
  shares_.Weigh();
  EXPECT_TRUE(shares_.WithinShare(a_));
}

}  // namespace
}  // namespace ccsched
