// Whether a job that comes again under its key is the same job.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/keyed_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::JobSpec Spec() {
  v1::JobSpec spec;
  spec.add_command("train");
  spec.set_user("ada");
  spec.set_key("nightly");
  (*spec.mutable_env())["LR"] = "0.1";
  (*spec.mutable_env())["SEED"] = "7";
  return spec;
}

// As the scheduler took it: with a runtime, a time limit and a delay.
ModelJob WithDefaults() {
  ModelJob model;
  model.spec.runtime = absl::Hours(1);
  model.spec.time_limit = absl::Hours(24);
  model.spec.max_delay = absl::Hours(6);
  return model;
}

absl::Status Again(const v1::JobSpec& before, const v1::JobSpec& spec,
                   const ModelJob& model = WithDefaults()) {
  return CheckSameJob(spec, RecordedJob(before, model), JobId(7));
}

TEST(KeyedJobTest, TheSameAgainIsTheSame) {
  EXPECT_TRUE(Again(Spec(), Spec()).ok());
  v1::JobSpec held = Spec();
  held.set_hold(true);  // a field behind the key
  *held.mutable_max_delay() = ToProto(absl::Hours(1));
  EXPECT_TRUE(Again(held, held).ok());
}

TEST(KeyedJobTest, AnotherIsToldByItsFieldsAndTheFirstOnesNumber) {
  v1::JobSpec other = Spec();
  (*other.mutable_env())["LR"] = "0.2";
  other.set_priority(3);
  const absl::Status status = Again(Spec(), other);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("'nightly' was given to job 7"),
                    HasSubstr("env LR"), HasSubstr("priority"),
                    Not(HasSubstr("SEED")), Not(HasSubstr("0.2"))));
}

// What was asked for counts, not what was filled in.
TEST(KeyedJobTest, DefaultsAreNoPartOfTheRequest) {
  ModelJob later = WithDefaults();
  later.spec.max_delay = absl::Hours(12);
  EXPECT_TRUE(Again(Spec(), Spec(), later).ok());
  v1::JobSpec explicitly = Spec();
  *explicitly.mutable_max_delay() = ToProto(absl::Hours(6));
  EXPECT_THAT(std::string(Again(Spec(), explicitly).message()),
              HasSubstr("(max_delay differs)"));
  EXPECT_THAT(std::string(Again(explicitly, Spec()).message()),
              HasSubstr("(max_delay differs)"));
  v1::JobSpec held = Spec();
  held.set_hold(true);
  EXPECT_THAT(std::string(Again(held, Spec()).message()),
              HasSubstr("(hold differs)"));
  EXPECT_THAT(std::string(Again(Spec(), held).message()),
              HasSubstr("(hold differs)"));
}

// Wherever the fields stand of which defaults are taken.
TEST(KeyedJobTest, DefaultsAreToldFromTheRequestByTheirPlace) {
  v1::JobSpec mark, taken;
  mark.set_key("nightly");
  *taken.mutable_restart() = ToProto(absl::Minutes(1));
  const std::string recorded = Spec().SerializeAsString() +
                               mark.SerializeAsString() +
                               taken.SerializeAsString();
  v1::JobSpec wordy = Spec();
  wordy.set_priority(0);
  EXPECT_TRUE(CheckSameJob(wordy, recorded, JobId(7)).ok());
  wordy.set_priority(1);
  EXPECT_THAT(std::string(CheckSameJob(wordy, recorded, JobId(7)).message()),
              HasSubstr("(priority differs)"));
}

// As they were before the key was said again.
TEST(KeyedJobTest, OlderRecordsAreUnderstood) {
  v1::JobSpec taken;
  *taken.mutable_max_delay() = ToProto(absl::Hours(6));
  v1::JobSpec held = Spec();
  held.set_hold(true);
  const std::string recorded =
      held.SerializeAsString() + taken.SerializeAsString();
  EXPECT_TRUE(CheckSameJob(held, recorded, JobId(7)).ok());
  EXPECT_THAT(std::string(CheckSameJob(Spec(), recorded, JobId(7)).message()),
              HasSubstr("(hold differs)"));
}

// A client that reads the job and sends what it read.
TEST(KeyedJobTest, TheJobAsItIsToldIsTheSame) {
  v1::JobSpec told;
  ASSERT_TRUE(told.ParseFromString(RecordedJob(Spec(), WithDefaults())));
  EXPECT_TRUE(Again(Spec(), told).ok());
  *told.mutable_max_delay() = ToProto(absl::Hours(7));
  EXPECT_FALSE(Again(Spec(), told).ok());
}

TEST(KeyedJobTest, TwoWaysToSayTheSameAreTheSame) {
  v1::JobSpec wordy = Spec();
  wordy.set_accelerators(1);
  wordy.set_priority(0);
  wordy.set_warn_signal("TERM");
  EXPECT_TRUE(Again(Spec(), wordy).ok());
  EXPECT_TRUE(Again(wordy, Spec()).ok());
  // A delay of nothing is not the same as none said.
  v1::JobSpec at_once = Spec();
  *at_once.mutable_max_delay() = ToProto(absl::ZeroDuration());
  EXPECT_FALSE(Again(Spec(), at_once).ok());
}

TEST(KeyedJobTest, ARelativeDeadlineIsAsItWasWritten) {
  v1::JobSpec first = Spec(), later = Spec();
  *first.mutable_finish_by() = ToProto(absl::FromUnixSeconds(1000));
  first.set_finish_by_text("+36h");
  *later.mutable_finish_by() = ToProto(absl::FromUnixSeconds(1060));
  later.set_finish_by_text("+36h");
  EXPECT_TRUE(Again(first, later).ok());
  later.set_finish_by_text("+24h");
  EXPECT_THAT(DifferencesOf(first, later), ElementsAre("finish_by"));
  later.clear_finish_by_text();
  EXPECT_THAT(DifferencesOf(first, later), ElementsAre("finish_by"));
  first.clear_finish_by_text();
  EXPECT_THAT(DifferencesOf(first, later), ElementsAre("finish_by"));
}

TEST(KeyedJobTest, OfAWholeEnvironmentOnlyWhatWasGivenCounts) {
  v1::JobSpec first = Spec(), later = Spec();
  for (v1::JobSpec* spec : {&first, &later}) {
    spec->set_env_exported(true);
    spec->add_env_given("LR");
  }
  (*later.mutable_env())["SEED"] = "8";
  (*later.mutable_env())["SSH_CLIENT"] = "10.0.0.7";
  EXPECT_TRUE(Again(first, later).ok());
  (*later.mutable_env())["LR"] = "0.2";
  EXPECT_THAT(DifferencesOf(first, later), ElementsAre("env LR"));
  EXPECT_THAT(DifferencesOf(first, Spec()), Not(IsEmpty()));
}

TEST(KeyedJobTest, OfAnotherUsersJobNothingElseIsTold) {
  v1::JobSpec other = Spec();
  other.set_user("eve");
  other.add_command("--guess");
  EXPECT_THAT(DifferencesOf(Spec(), other), ElementsAre("user"));
}

TEST(KeyedJobTest, ManyDifferencesAreCounted) {
  v1::JobSpec other = Spec();
  for (char name = 'a'; name < 'h'; ++name) {
    (*other.mutable_env())[std::string(1, name)] = "x";
  }
  EXPECT_THAT(std::string(Again(Spec(), other).message()),
              HasSubstr(" and 2 more differ)"));
}

TEST(KeyedJobTest, WhatCantBeReadIsLost) {
  EXPECT_EQ(CheckSameJob(Spec(), "\xff\xff", JobId(7)).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ccsched
