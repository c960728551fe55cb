// A ledger that can't be written: nothing is acknowledged, nothing is lost.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

// Says that the disk is full while it is told to.
class FullLedger : public Ledger {
 public:
  FullLedger(std::unique_ptr<Ledger> ledger, std::atomic<bool>* full,
             std::atomic<int>* failures)
      : ledger_(std::move(ledger)), full_(full), failures_(failures) {}
  absl::Status Commit(const Batch& batch) override {
    if (*full_) {
      ++*failures_;
      failures_->notify_all();
      return absl::ResourceExhaustedError("the disk is full");
    }
    return ledger_->Commit(batch);
  }
  absl::StatusOr<Snapshot> Load() override { return ledger_->Load(); }
  absl::StatusOr<std::optional<KeyedJob>> FindKey(
      const std::string& key) override {
    return ledger_->FindKey(key);
  }
  LedgerReader& reader() override { return ledger_->reader(); }

 private:
  const std::unique_ptr<Ledger> ledger_;
  std::atomic<bool>* const full_;
  std::atomic<int>* const failures_;
};

class FullDiskTest : public DaemonTest {
 protected:
  FullDiskTest() {
    options.open_ledger = [this]() -> absl::StatusOr<std::unique_ptr<Ledger>> {
      auto ledger = OpenSqliteLedger(dir() + "/state/ledger.db");
      if (!ledger.ok()) return ledger.status();
      return std::make_unique<FullLedger>(*std::move(ledger), &full_,
                                          &failures_);
    };
  }
  std::atomic<bool> full_ = false;
  std::atomic<int> failures_ = 0;
};

TEST_F(FullDiskTest, AnswersNothingUntilTheDiskHasRoomAgain) {
  Start();
  Submit(Spec());
  full_ = true;
  grpc::ClientContext context;
  v1::SubmitRequest request;
  *request.mutable_job() = Spec();
  v1::SubmitResponse response;
  std::atomic<bool> answered = false;
  grpc::Status status;
  jobs->async()->Submit(&context, &request, &response, [&](grpc::Status s) {
    status = std::move(s);
    answered = true;
    answered.notify_all();
  });
  failures_.wait(0);  // it is being tried
  // Those that come now are told at once.
  grpc::Status refused;
  for (int i = 0; i < 1000 && refused.ok(); ++i) {
    grpc::ClientContext later;
    later.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(200));
    v1::SubmitResponse none;
    refused = jobs->Submit(&later, request, &none);
    if (refused.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      refused = grpc::Status::OK;  // came before the first failure was known
    }
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("the disk is full"));
  EXPECT_FALSE(answered);
  EXPECT_EQ(Get(1).state(), v1::JOB_QUEUED) << "what is recorded can be read";
  full_ = false;
  answered.wait(false);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Get(response.job_id()).state(), v1::JOB_QUEUED);
  v1::SubmitResponse next;
  grpc::Status taken;
  do {
    taken = DaemonTest::Submit(Spec(), &next);
  } while (taken.error_code() == grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(taken.ok()) << taken.error_message();
}

TEST_F(FullDiskTest, StopsWhileTheDiskIsFullAndTellsWhoeverWaits) {
  Start();
  const uint64_t id = Submit(Spec());
  full_ = true;
  std::atomic<int> waiting = 2;
  const auto count_down = [&waiting](grpc::Status* into) {
    return [&waiting, into](grpc::Status s) {
      *into = std::move(s);
      --waiting;
      waiting.notify_all();
    };
  };
  grpc::ClientContext cancelling, submitting;
  grpc::Status cancelled, submitted;
  v1::JobActionRequest action;
  action.add_job_ids(id);
  v1::JobActionResponse done;
  jobs->async()->Cancel(&cancelling, &action, &done, count_down(&cancelled));
  v1::SubmitRequest request;
  *request.mutable_job() = Spec();
  v1::SubmitResponse response;
  jobs->async()->Submit(&submitting, &request, &response,
                        count_down(&submitted));
  failures_.wait(0);
  EXPECT_FALSE(StopInTrouble().ok());
  for (int left; (left = waiting) > 0;) waiting.wait(left);
  EXPECT_EQ(cancelled.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(submitted.error_code(), grpc::StatusCode::UNAVAILABLE);
  full_ = false;
  Start();
  EXPECT_EQ(Get(id).state(), v1::JOB_QUEUED);
}

}  // namespace
}  // namespace ccsched
