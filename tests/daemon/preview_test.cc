// What is foretold of a job that is not submitted, through the real services.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PreviewTest : public DaemonTest {
 protected:
  static v1::JobSpec Hours(int hours, const std::vector<uint64_t>& after = {}) {
    v1::JobSpec spec = Spec();
    spec.add_site("here");
    *spec.mutable_runtime() = ToProto(absl::Hours(hours));
    for (const uint64_t id : after) spec.add_after(id);
    return spec;
  }
  v1::PreviewResponse Preview(const v1::JobSpec& spec) {
    v1::PreviewResponse response = DaemonTest::Preview(spec);
    EXPECT_GT(response.offers_size(), 0);
    return response;
  }
  static absl::Duration In(const google::protobuf::Timestamp& time) {
    return FromProto(time) - absl::Now();
  }
  // A job that runs, expected to take so long.
  uint64_t Running(FakeAgent& agent, const v1::JobSpec& spec) {
    const uint64_t id = Submit(spec);
    const auto start = agent.WaitStart();
    EXPECT_TRUE(start.has_value());
    agent.Started(start->key());
    WaitFor(id, v1::JOB_RUNNING);
    return id;
  }
};

TEST_F(PreviewTest, NoStartComesBeforeWhatItWaitsForHasEnded) {
  Start();
  ASSERT_TRUE(Push(Hourly("dirty", std::vector<double>(40, 100))).ok());
  const auto agent = Agent({.node = "n1"});
  const uint64_t first = Running(*agent, Hours(4));
  EXPECT_LT(In(Preview(Hours(1)).offers(0).start_p90()), absl::Minutes(1));

  const v1::PreviewResponse one = Preview(Hours(1, {first}));
  const v1::Offer& offer = one.offers(0);
  EXPECT_GT(In(offer.start_p50()), absl::Hours(2));
  EXPECT_GE(In(offer.start_p90()), In(offer.start_p50()));
  EXPECT_GT(In(offer.finish_p50()), In(offer.start_p50()));
  EXPECT_GE(In(offer.finish_p90()), In(offer.start_p90()));
  EXPECT_EQ(one.reason().code(), "dependency");
  EXPECT_THAT(one.reason().text(),
              AllOf(HasSubstr("runs at here as soon as the jobs that it waits "
                              "for have succeeded"),
                    HasSubstr(absl::StrCat("; job ", first,
                                           ", which it waits for, is expected "
                                           "to end at "))));

  // In a chain, what waits itself ends later.
  const uint64_t second = Submit(Hours(8, {first}));
  const v1::PreviewResponse two = Preview(Hours(1, {first, second}));
  EXPECT_GT(In(two.offers(0).start_p50()),
            In(offer.start_p50()) + absl::Hours(4));
  EXPECT_THAT(two.reason().text(),
              HasSubstr(absl::StrCat("; job ", second,
                                     ", the last of 2 that it waits for")));
}

TEST_F(PreviewTest, ACleanerHourIsLookedForOnlyAfterThat) {
  config += "defaults: {max_delay: 48h}\n";
  Replace("policy: fcfs", "policy: planner");
  Start();
  std::vector<double> values(60, 500);
  values[2] = 10;   // too early
  values[12] = 50;  // early enough
  ASSERT_TRUE(Push(Hourly("dirty", values)).ok());
  const auto agent = Agent({.node = "n1"});
  v1::JobSpec now = Hours(6);
  *now.mutable_max_delay() = ToProto(absl::ZeroDuration());
  const uint64_t first = Running(*agent, now);
  EXPECT_LT(In(Preview(Hours(1)).offers(0).start()), absl::Hours(4));
  const v1::PreviewResponse after = Preview(Hours(1, {first}));
  EXPECT_GT(In(after.offers(0).start()), absl::Hours(8));
  EXPECT_EQ(after.reason().code(), "cleaner-hour");
  EXPECT_LT(after.reason().chosen().co2e_g(), after.reason().now().co2e_g());
}

// The start at once that others are compared with is weighed as they are.
TEST_F(PreviewTest, ComparesLikeWithLike) {
  Replace("policy: fcfs", "policy: planner");
  Start();
  std::vector<double> rising, steep;
  for (int hour = 0; hour < 60; ++hour) {
    rising.push_back(100 + 10 * hour);
    steep.push_back(400 + 40 * hour);
  }
  ASSERT_TRUE(Push(Hourly("dirty", steep)).ok());
  ASSERT_TRUE(Push(Hourly("clean", rising)).ok());
  const auto here = Agent({.node = "n1"});
  const auto there = Agent({.node = "n2", .site = "there"});
  v1::JobSpec spec = Spec();
  *spec.mutable_max_delay() = ToProto(absl::Hours(10));
  const v1::PreviewResponse response = Preview(spec);
  ASSERT_EQ(response.offers_size(), 2);
  EXPECT_EQ(response.offers(0).site(), "there");
  EXPECT_EQ(response.offers(1).site(), "here");
  ASSERT_LT(In(response.offers(1).start()), absl::Minutes(1));
  EXPECT_EQ(response.reason().now().site(), "here") << response.DebugString();
  EXPECT_NEAR(response.reason().now().co2e_g(), response.offers(1).co2e_g(),
              0.001 * response.offers(1).co2e_g());
}

TEST_F(PreviewTest, SaysThatAHeldJobHasToBeReleased) {
  Start();
  ASSERT_TRUE(Push(Hourly("dirty", std::vector<double>(40, 100))).ok());
  const auto agent = Agent({.node = "n1"});
  v1::JobSpec held = Hours(4);
  held.set_hold(true);
  const uint64_t first = Submit(held);
  const v1::PreviewResponse response = Preview(Hours(1, {first}));
  EXPECT_GT(In(response.offers(0).start_p50()), absl::Hours(2));
  EXPECT_THAT(response.reason().text(),
              HasSubstr(absl::StrCat("if job ", first,
                                     ", which is held, is released now")));
}

// The start at once that others are compared with.
TEST_F(PreviewTest, AStartWhereThereIsNoRoomIsNoStart) {
  Replace("policy: fcfs", "policy: planner");
  Start();
  std::vector<double> values(60, 100);
  ASSERT_TRUE(Push(Hourly("dirty", values)).ok());
  const auto agent = Agent({.node = "n1", .count = 1});
  v1::JobSpec now = Hours(6);
  *now.mutable_max_delay() = ToProto(absl::ZeroDuration());
  EXPECT_EQ(Preview(now).reason().now().note(), "");
  const uint64_t first = Running(*agent, now);
  EXPECT_EQ(Get(first).reason().now().note(), "") << "it has the room";
  EXPECT_THAT(Preview(Hours(1)).reason().now().note(),
              HasSubstr("if it had room"));
  const v1::Job waits = WaitFor(Submit(Hours(1)), v1::JOB_DEFERRED);
  EXPECT_THAT(waits.reason().now().note(), HasSubstr("if it had room"));
}

TEST_F(PreviewTest, AProjectThatNothingIsAgreedWithIsTold) {
  config +=
      "projects: [{name: vision, budget: {co2e_kg: 5}}, {name: speech}]\n";
  Start();
  const auto warning = [this](const std::string& project) {
    v1::JobSpec spec = Spec();
    spec.set_project(project);
    v1::SubmitResponse response;
    EXPECT_TRUE(Submit(spec, &response).ok());
    return response.warning();
  };
  EXPECT_EQ(warning("vision"), "");
  EXPECT_EQ(warning(""), "");
  EXPECT_EQ(warning("visoin"),
            "project 'visoin' is not configured: no carbon budget counts for "
            "it; did you mean 'vision'?");
  EXPECT_EQ(warning("robots"),
            "project 'robots' is not configured: no carbon budget counts for "
            "it");
  v1::JobSpec spec = Spec();
  spec.set_project("spech");
  EXPECT_THAT(Preview(spec).notes(),
              ElementsAre(HasSubstr("did you mean 'speech'?")));
  spec.set_project("speech");
  EXPECT_THAT(Preview(spec).notes(), IsEmpty());
}

TEST_F(PreviewTest, WithoutProjectsAnyNameWillDo) {
  Start();
  v1::JobSpec spec = Spec();
  spec.set_project("anything");
  v1::SubmitResponse response;
  ASSERT_TRUE(Submit(spec, &response).ok());
  EXPECT_EQ(response.warning(), "");
}

}  // namespace
}  // namespace ccsched
