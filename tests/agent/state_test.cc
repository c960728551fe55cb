// What the agent writes down and reads back: records, names, numbers.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "agent/attempt_store.h"
#include "agent/boot_clock.h"
#include "agent/energy.h"
#include "agent/launch.h"
#include "agent/launch_spec.h"
#include "agent/log_keeper.h"
#include "agent/output_name.h"
#include "agent/run_file.h"
#include "agent/sample_outbox.h"
#include "agent/spawn.h"
#include "agent/supervisor.h"
#include "gmock/gmock.h"
#include "scheduler/wire/proto_time.h"
#include "tests/temporary_folder.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class StateTest : public testing::Test {
 protected:
  std::string Journal() const { return folder_ / "journal"; }
  std::unique_ptr<AttemptStore> Open(uint32_t count = 4) const {
    return *AttemptStore::Open(Journal(), count);
  }
  static v1::AttemptAccepted Accepted(AttemptId id,
                                      std::vector<uint32_t> accelerators) {
    v1::AttemptAccepted accepted;
    *accepted.mutable_key() = ToProto(id);
    accepted.mutable_accelerators()->Assign(accelerators.begin(),
                                            accelerators.end());
    *accepted.mutable_started() = ToProto(absl::FromUnixSeconds(1000));
    accepted.set_tag(id.ToString());
    return accepted;
  }
  static v1::AttemptFinished Finished(AttemptId id) {
    v1::AttemptFinished finished;
    *finished.mutable_status()->mutable_key() = ToProto(id);
    finished.mutable_status()->set_exit_code(3);
    finished.mutable_sample()->set_joules(5);
    return finished;
  }

  const TemporaryFolder own_;
  const std::filesystem::path folder_ = own_.path();
};

TEST_F(StateTest, WhatWasCommittedIsReadBack) {
  {
    const auto store = Open();
    store->Accept(Accepted({1, 1}, {0, 1}));
    store->Accept(Accepted({2, 4}, {3}));
    store->Finish(Finished({1, 1}));
    v1::AttemptSampled sampled;
    *sampled.mutable_key() = ToProto(AttemptId{2, 4});
    *sampled.mutable_until() = ToProto(absl::FromUnixSeconds(1010));
    sampled.set_cpu_ns(77);
    store->MarkSampled(sampled);
    ASSERT_TRUE(store->Commit().ok());
  }
  const auto store = Open();
  ASSERT_EQ(store->book().attempts().size(), 2u);
  EXPECT_EQ(store->book().Find({1, 1})->ended->exit_code(), 3);
  EXPECT_EQ(store->book().Find({1, 1})->last_sample->joules(), 5);
  EXPECT_EQ(store->book().Find({2, 4})->sampled_cpu_ns, 77);
  EXPECT_EQ(store->book().Find({2, 4})->sampled_until,
            absl::FromUnixSeconds(1010));
  EXPECT_EQ(*store->book().FreeAccelerators(3),
            (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_FALSE(store->book().FreeAccelerators(4));
}

TEST_F(StateTest, WhatWasNotCommittedIsNot) {
  {
    const auto store = Open();
    store->Accept(Accepted({1, 1}, {0}));
    ASSERT_TRUE(store->Commit().ok());
    store->Accept(Accepted({2, 1}, {1}));
  }
  EXPECT_EQ(Open()->book().attempts().size(), 1u);
}

TEST_F(StateTest, ATornTailIsCutOffAndTheRestIsKept) {
  {
    const auto store = Open();
    store->Accept(Accepted({1, 1}, {0}));
    ASSERT_TRUE(store->Commit().ok());
    store->Accept(Accepted({2, 1}, {1}));
    ASSERT_TRUE(store->Commit().ok());
  }
  const auto whole = std::filesystem::file_size(Journal());
  for (uintmax_t size = whole - 1; size > whole - 10; --size) {
    std::filesystem::resize_file(Journal(), size);
    const auto store = Open();
    EXPECT_EQ(store->book().attempts().size(), 1u);
    EXPECT_NE(store->book().Find({1, 1}), nullptr);
  }
  const auto store = Open();
  store->Accept(Accepted({3, 1}, {2}));
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(Open()->book().attempts().size(), 2u);
}

// A user may name a file as long as a message of gRPC's may be.
TEST_F(StateTest, ALongRecordIsReadBackAndWhatComesAfterIt) {
  {
    const auto store = Open();
    v1::AttemptAccepted accepted = Accepted({1, 1}, {0});
    accepted.set_output(std::string(15 << 20, 'x'));
    store->Accept(accepted);
    ASSERT_TRUE(store->Commit().ok());
    store->Accept(Accepted({2, 1}, {1}));
    ASSERT_TRUE(store->Commit().ok());
  }
  EXPECT_EQ(Open()->book().attempts().size(), 2u);
}

TEST_F(StateTest, AFlippedBitEndsTheJournalThere) {
  {
    const auto store = Open();
    store->Accept(Accepted({1, 1}, {0}));
    ASSERT_TRUE(store->Commit().ok());
  }
  std::fstream file(Journal(), std::ios::in | std::ios::out);
  file.seekp(12);
  file.put('\x7f');
  file.close();
  EXPECT_TRUE(Open()->book().attempts().empty());
}

TEST_F(StateTest, TheFenceOfAJobThatIsStillHereIsNotForgotten) {
  AttemptBook book(8);
  const auto accept = [&](AttemptId id) {
    v1::AgentRecord record;
    *record.mutable_accepted() = Accepted(id, {});
    book.Apply(record);
  };
  accept({1, 2});
  for (uint64_t job = 2; job < 70'000; ++job) {
    accept({job, 1});
    v1::AgentRecord over;
    *over.mutable_acknowledged() = ToProto(AttemptId{job, 1});
    book.Apply(over);
  }
  EXPECT_EQ(book.Check({1, 2}), FenceCheck::kSame);
  EXPECT_EQ(book.Check({1, 1}), FenceCheck::kStale);
  EXPECT_EQ(book.Check({2, 1}), FenceCheck::kNew) << "long ago";
  EXPECT_EQ(book.Check({69'999, 1}), FenceCheck::kSame);
}

TEST_F(StateTest, TheFenceOutlivesAcknowledgementAndRewriting) {
  {
    const auto store = Open();
    // Enough for the journal to be written anew more than once.
    for (uint64_t job = 1; job <= 60000; ++job) {
      store->Accept(Accepted({job, 2}, {0}));
      store->Finish(Finished({job, 2}));
      store->Acknowledge({job, 2});
      if (job % 1000 == 0) {
        ASSERT_TRUE(store->Commit().ok());
      }
    }
  }
  EXPECT_LT(std::filesystem::file_size(Journal()), 8u << 20);
  const auto store = Open();
  EXPECT_TRUE(store->book().attempts().empty());
  EXPECT_EQ(store->book().Check({1, 1}), FenceCheck::kStale);
  EXPECT_EQ(store->book().Check({1, 2}), FenceCheck::kSame);
  EXPECT_EQ(store->book().Check({1, 3}), FenceCheck::kNew);
  EXPECT_EQ(store->book().Check({60001, 1}), FenceCheck::kNew);
}

// So that little of a short attempt is unrecorded if all that knew of it is
// killed, and thousands of long ones seldom wake the machine.
TEST_F(StateTest, ThatAJobRunsIsSaidSoonAtFirstAndThenSeldom) {
  constexpr int64_t kTenthNs = kNanosPerSecond / 10;
  std::vector<int64_t> marks{NextAliveNs(0)};
  while (marks.back() <= 60 * kNanosPerSecond) {
    marks.push_back(NextAliveNs(marks.back()));
    const int64_t unsaid_ns = marks.back() - marks[marks.size() - 2];
    EXPECT_LE(unsaid_ns, 2 * kNanosPerSecond);
    EXPECT_LE(unsaid_ns, std::max(marks.back() / 2, kTenthNs));
  }
  EXPECT_EQ(marks.front(), kTenthNs);
  EXPECT_LE(marks.size(), 60 / 2 + 6u);
}

TEST_F(StateTest, ARunFileKeepsItsEndAndTellsATornOne) {
  const Fd fd(open((folder_ / "run").c_str(), O_RDWR | O_CREAT, 0600));
  const RunFile file(fd.get());
  ASSERT_TRUE(file.Create());
  EXPECT_FALSE(file.end());
  EXPECT_FALSE(file.job());
  RunEnd end{.kind = EndKind::kKilled,
             .value = 9,
             .cause = EndCause::kLimit,
             .out_of_memory = true,
             .elapsed_ns = 123,
             .cpu_ns = 45,
             .message = std::string(1000, 'x')};
  ASSERT_TRUE(file.WriteEnd(end));
  ASSERT_TRUE(file.WriteJob({.pid = 7, .start_ticks = 8}));
  EXPECT_EQ(file.alive_ns(), 0);
  ASSERT_TRUE(file.WriteAlive(77));
  EXPECT_EQ(file.alive_ns(), 77);
  const auto back = file.end();
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, EndKind::kKilled);
  EXPECT_EQ(back->cause, EndCause::kLimit);
  EXPECT_EQ(back->elapsed_ns, 123);
  EXPECT_EQ(back->message.size(), 256u);
  EXPECT_TRUE(back->out_of_memory);
  EXPECT_EQ(file.job()->start_ticks, 8u);
  ASSERT_EQ(pwrite(fd.get(), "?", 1, 300), 1);
  EXPECT_FALSE(file.end());
}

TEST_F(StateTest, ALaunchSpecComesBackAndACutOneDoesNot) {
  const LaunchSpec spec{.argv = {"/bin/sh", "", "a b"},
                        .env = {"A=1", "B="},
                        .workdir = "/w",
                        .output = "/o",
                        .append = true,
                        .output_limit = 99,
                        .began_ns = 4,
                        .time_limit_ns = 5,
                        .grace_ns = 6,
                        .warn_signal = 10,
                        .lease_path = "/l",
                        .run_as = RunAs{.uid = 1, .gid = 2, .groups = {3, 4}}};
  const std::string bytes = EncodeLaunchSpec(spec);
  const auto back = DecodeLaunchSpec(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeLaunchSpec(*back), bytes);
  EXPECT_EQ(back->argv, spec.argv);
  EXPECT_EQ(back->began_ns, 4);
  EXPECT_EQ(back->run_as->groups, spec.run_as->groups);
  for (size_t n = 0; n < bytes.size() - 5; ++n) {
    EXPECT_FALSE(DecodeLaunchSpec(std::string_view(bytes).substr(0, n)));
  }
}

// A scheduler that starts anew hears what was not on record, in its order.
TEST_F(StateTest, ANodesEnergyIsKeptUntilItIsOnRecord) {
  const auto store = Open();
  std::vector<v1::Telemetry> sent;
  SampleOutbox outbox(*store, [&](v1::AgentMessage message) {
    sent.push_back(message.telemetry());
  });
  const auto put = [&](int from, int to) {
    v1::Telemetry node;
    *node.mutable_start() = ToProto(absl::FromUnixSeconds(from));
    *node.mutable_end() = ToProto(absl::FromUnixSeconds(to));
    node.set_node_joules(10 * (to - from));
    node.set_unallocated_joules(to - from);
    node.add_accelerators();
    outbox.PutNode(node);
  };
  const auto again = [&] {
    sent.clear();
    outbox.Resend();
    std::vector<std::pair<int64_t, int64_t>> stretches;
    for (const v1::Telemetry& node : sent) {
      stretches.emplace_back(node.start().seconds(), node.end().seconds());
      EXPECT_EQ(node.accelerators_size(), 0);
      EXPECT_EQ(node.node_joules(),
                10 * (node.end().seconds() - node.start().seconds()));
      EXPECT_EQ(node.node_joules(), 10 * node.unallocated_joules());
    }
    return stretches;
  };
  using Stretches = std::vector<std::pair<int64_t, int64_t>>;
  outbox.PutNode({});  // the first look knows no energy
  for (int t = 0; t < 120; t += 30) put(t, t + 30);
  EXPECT_EQ(sent.size(), 5u) << "each is sent at once";
  put(200, 230);  // a gap is not bridged
  EXPECT_EQ(again(), (Stretches{{0, 60}, {60, 120}, {200, 230}}));
  outbox.NodeTaken(absl::FromUnixSeconds(90));  // the rest of it is still due
  EXPECT_EQ(again(), (Stretches{{60, 120}, {200, 230}}));
  outbox.NodeTaken(absl::FromUnixSeconds(230));
  EXPECT_TRUE(again().empty());
}

// A scheduler that starts anew has on record what ends with a step of the
// grid's data. It cuts a sample there as the one before it did, but could not
// cut so what it is a part of.
TEST_F(StateTest, WhatStraddlesAStepOfTheGridsDataIsKeptByItself) {
  std::vector<v1::Telemetry> sent;
  const auto store = Open();
  store->Accept(Accepted({1, 1}, {0}));
  SampleOutbox outbox(*store, [&](v1::AgentMessage message) {
    sent.push_back(message.telemetry());
  });
  for (int t = 1183; t < 1211; t += 7) {
    v1::EnergySample sample;
    *sample.mutable_key() = ToProto(AttemptId{1, 1});
    *sample.mutable_start() = ToProto(absl::FromUnixSeconds(t));
    *sample.mutable_end() = ToProto(absl::FromUnixSeconds(t + 7));
    outbox.Put(sample, 0);
  }
  for (int t = 1480; t < 1520; t += 10) {  // one ends with the step
    v1::Telemetry node;
    *node.mutable_start() = ToProto(absl::FromUnixSeconds(t));
    *node.mutable_end() = ToProto(absl::FromUnixSeconds(t + 10));
    node.set_node_joules(1);
    outbox.PutNode(node);
  }
  sent.clear();
  outbox.Resend();
  ASSERT_EQ(sent.size(), 5u);
  EXPECT_EQ(sent[0].end().seconds(), 1500);
  EXPECT_EQ(sent[0].node_joules(), 2);
  EXPECT_EQ(sent[1].end().seconds(), 1520);
  std::vector<std::pair<int64_t, int64_t>> stretches;
  for (size_t i = 2; i < sent.size(); ++i) {
    stretches.emplace_back(sent[i].samples(0).start().seconds(),
                           sent[i].samples(0).end().seconds());
  }
  EXPECT_THAT(stretches,
              ElementsAre(std::pair(1183, 1197), std::pair(1197, 1204),
                          std::pair(1204, 1211)));
}

// Of both, but for the last minute: the agent may be killed.
TEST_F(StateTest, WhatWasNotTakenIsKnownToTheNextAgent) {
  std::vector<v1::Telemetry> sent;
  const auto send = [&](v1::AgentMessage message) {
    sent.push_back(message.telemetry());
  };
  const auto at = [](int s) { return ToProto(absl::FromUnixSeconds(s)); };
  {
    const auto store = Open();
    store->Accept(Accepted({1, 1}, {0, 1}));
    SampleOutbox outbox(*store, send);
    for (int t = 1000; t < 1200; t += 20) {
      v1::EnergySample sample;
      *sample.mutable_key() = ToProto(AttemptId{1, 1});
      *sample.mutable_start() = at(t);
      *sample.mutable_end() = at(t + 20);
      sample.set_joules(t);
      sample.set_utilisation(t % 60 == 0 ? 1 : 0.25);
      sample.set_method("measured");
      outbox.Put(sample, t * 10);
      v1::Telemetry node;
      *node.mutable_start() = at(t);
      *node.mutable_end() = at(t + 20);
      node.set_node_joules(t);
      outbox.PutNode(node);
    }
    outbox.Taken({1, 1}, absl::FromUnixSeconds(1070));
    outbox.NodeTaken(absl::FromUnixSeconds(1130));
    ASSERT_TRUE(store->Commit().ok());
  }
  const auto check = [&] {
    const auto store = Open();
    const KnownAttempt& known = *store->book().Find({1, 1});
    EXPECT_EQ(known.sampled_until, absl::FromUnixSeconds(1060));
    EXPECT_EQ(known.sampled_cpu_ns, 10400);
    ASSERT_EQ(known.kept.size(), 2u);
    EXPECT_EQ(known.kept.back().cpu_ns(), 11600);
    sent.clear();
    SampleOutbox(*store, send).Resend();
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(sent[0].start().seconds(), 1120);
    EXPECT_EQ(sent[0].end().seconds(), 1180);
    EXPECT_EQ(sent[0].node_joules(), 1120 + 1140 + 1160);
    const v1::EnergySample& sample = sent[1].samples(0);
    EXPECT_EQ(sample.start().seconds(), 1060);
    EXPECT_EQ(sample.end().seconds(), 1120);
    EXPECT_EQ(sample.joules(), 1060 + 1080 + 1100);
    EXPECT_DOUBLE_EQ(sample.utilisation(), 0.5);
    EXPECT_EQ(sample.method(), "measured");
    EXPECT_EQ(sent[2].samples(0).start().seconds(), 1120);
  };
  check();
  // As it is when the journal is written anew.
  const auto records = Open()->book().Snapshot();
  ASSERT_TRUE(ccsched::Journal::Open(Journal(), [](const auto&) {})
                  .value()
                  ->Rewrite(records)
                  .ok());
  check();
}

// A supervisor that was killed has left them; they count, and go, as others do.
TEST_F(StateTest, WhatARotationLeftHalfDoneIsRemovedWithTheRest) {
  for (const char* rest : {"old", "new", "parts.new"})
    std::ofstream(folder_ / (std::string("5-1.out.") + rest)) << "x";
  EventLoop loop;
  LogKeeper keeper(loop, folder_, {.files_max = 0},
                   [](AttemptId) { return false; });
  keeper.Begin();
  while (keeper.looks() == 0) loop.RunOnce(kNanosPerSecond);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(StateTest, TheOldestLogsGoFirstAndThoseInUseStay) {
  const auto put = [&](const std::string& name, int age, size_t bytes) {
    std::ofstream(folder_ / name) << std::string(bytes, 'x');
    std::filesystem::last_write_time(
        folder_ / name, std::filesystem::file_time_type::clock::now() -
                            std::chrono::hours(age));
  };
  put("1-1.out", 9, 100);
  put("2-1.out.1", 8, 100);
  put("2-1.out", 7, 100);
  put("3-1.out", 6, 100);
  put("4-1.out", 5, 100);
  put("notes", 99, 1000);
  const auto look = [&](const LogBounds& bounds) {
    EventLoop loop;
    LogKeeper keeper(loop, folder_, bounds,
                     [](AttemptId id) { return id.job == 1; });
    keeper.Begin();
    while (keeper.looks() == 0) loop.RunOnce(kNanosPerSecond);
  };
  const auto left = [&] {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      names.insert(file.path().filename());
    }
    return names;
  };
  look({.bytes_max = 500, .files_max = 9});
  EXPECT_THAT(left(), UnorderedElementsAre("1-1.out", "2-1.out", "2-1.out.1",
                                           "3-1.out", "4-1.out", "notes"));
  look({.bytes_max = 300, .files_max = 9, .removals_max = 1});
  EXPECT_THAT(left(), UnorderedElementsAre("1-1.out", "2-1.out", "3-1.out",
                                           "4-1.out", "notes"));
  look({.bytes_max = 300, .files_max = 9});
  EXPECT_THAT(left(),
              UnorderedElementsAre("1-1.out", "3-1.out", "4-1.out", "notes"));
  look({.bytes_max = 900, .files_max = 2});
  EXPECT_THAT(left(), UnorderedElementsAre("1-1.out", "4-1.out", "notes"));
}

TEST(OutputNameTest, FillsInWhatItKnowsAndNothingElse) {
  const OutputNames names{.job = 42,
                          .array = 40,
                          .index = 2,
                          .rank = 1,
                          .epoch = 3,
                          .node = "n1",
                          .name = "../../etc/passwd",
                          .user = ".."};
  EXPECT_EQ(ExpandOutputName("a-%j-%a-%A-%r-%e-%n", names), "a-42-2-40-1-3-n1");
  EXPECT_EQ(ExpandOutputName("%6j%%%q%", names), "000042%%q%");
  EXPECT_EQ(ExpandOutputName("%x/%u", names), ".._.._etc_passwd/__");
  EXPECT_EQ(ExpandOutputName("%99999999999999999999j", names),
            "00000000000000000042");
}

TEST(SignalTest, IsReadByNameAndNumber) {
  EXPECT_EQ(*ParseSignal(""), SIGTERM);
  EXPECT_EQ(*ParseSignal("USR1"), SIGUSR1);
  EXPECT_EQ(*ParseSignal("SIGINT"), SIGINT);
  EXPECT_EQ(*ParseSignal("10"), 10);
  EXPECT_FALSE(ParseSignal("0").ok());
  EXPECT_FALSE(ParseSignal("TERMINATE").ok());
}

TEST(EnergyTest, IsLinearInUseAndClipped) {
  ModelledUse use{
      .from = {.until = absl::FromUnixSeconds(0)},
      .to = {.until = absl::FromUnixSeconds(3600), .cpu_ns = 10'000'000'000},
      .real = absl::Seconds(10),
      .count = 2,
      .idle = Watts(100),
      .active = Watts(300)};
  // 10 s of CPU in 10 s on two accelerators is half.
  ASSERT_DOUBLE_EQ(*Utilisation(use), 0.5);
  EXPECT_DOUBLE_EQ(ModelledSample({1, 1}, use, 0.5, "modelled").joules(),
                   2 * 200 * 3600.0);
  use.to.cpu_ns *= 10;
  EXPECT_DOUBLE_EQ(*Utilisation(use), 1);
  use.real = absl::ZeroDuration();
  EXPECT_FALSE(Utilisation(use));
}

}  // namespace
}  // namespace ccsched
