// The audit trail names what was done, whatever a caller says of it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "scheduler/wire/proto_time.h"
#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(AuditTest, NamesManyJobsByTheirRanges) {
  v1::JobActionRequest request;
  for (const uint64_t id : {9, 3, 1, 2, 9, 12}) request.add_job_ids(id);
  request.set_reason("wrong data");
  const AuditAct act = ActOf(JobActionKind::kCancel, request);
  EXPECT_EQ(act.what, "cancel");
  EXPECT_EQ(act.target, "jobs 1-3,9,12");
  EXPECT_EQ(act.detail, "wrong data");
  EXPECT_EQ(act.by, "");
}

TEST(AuditTest, StaysShortWhateverIsAsked) {
  v1::JobActionRequest request;
  for (uint64_t id = 2; id < 200'000; id += 2) request.add_job_ids(id);
  request.add_job_ids(std::numeric_limits<uint64_t>::max());
  request.set_reason(std::string(1'000'000, 'x') + "\n\x80");
  const AuditAct act = ActOf(JobActionKind::kHold, request);
  EXPECT_LT(act.target.size(), 1000u);
  EXPECT_THAT(act.target, HasSubstr("18446744073709551615"));
  EXPECT_LT(act.detail.size(), 600u);
}

TEST(AuditTest, IsOneLineOfTextWhateverBytesAreGiven) {
  v1::DrainRequest request;
  request.set_node("n1\n\"by\":\"root\"");
  request.set_reason("\xff\x00");
  const AuditAct act = ActOf(request);
  EXPECT_EQ(act.what, "drain");
  EXPECT_THAT(act.target, Not(HasSubstr("\n")));
  EXPECT_THAT(act.detail, HasSubstr("\\xff"));
}

// Many at one instant, as one call on many jobs makes them.
class ActsPageTest : public ::testing::Test {
 protected:
  ActsPageTest() : ledger_(OpenLedger(dir_.File())) {
    Batch batch;
    batch.acts = {{At(1), "alice", "hold", JobId(7), "", "wait"},
                  {At(2), "olga", "drain", std::nullopt, "node n1", "fan"},
                  {At(3), "olga", "cancel", JobId(7), "", ""},
                  {At(3), "olga", "cancel", JobId(8), "", ""},
                  {At(3), "olga", "cancel", JobId(9), "", ""},
                  {At(4), "bob", "undrain", std::nullopt, "node n1", ""}};
    EXPECT_TRUE(ledger_->Commit(batch).ok());
  }
  // The targets of each page.
  std::vector<std::vector<std::string>> Pages(v1::ActsRequest request) {
    std::vector<std::vector<std::string>> pages;
    do {
      v1::ActsResponse response;
      const absl::Status status =
          ActsPage(ledger_->reader(), request, response);
      EXPECT_TRUE(status.ok()) << status;
      std::vector<std::string>& page = pages.emplace_back();
      for (const v1::Act& act : response.acts()) {
        page.push_back(act.what() + " " + act.target());
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return pages;
  }

  TempDir dir_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(ActsPageTest, PagesLoseNoneOfOneInstant) {
  v1::ActsRequest request;
  request.set_page_size(2);
  EXPECT_THAT(Pages(request),
              ElementsAre(ElementsAre("undrain node n1", "cancel job 9"),
                          ElementsAre("cancel job 8", "cancel job 7"),
                          ElementsAre("drain node n1", "hold job 7")));
}

TEST_F(ActsPageTest, APeriodHasItsStartAndNotItsEnd) {
  v1::ActsRequest request;
  *request.mutable_from() = ToProto(At(2));
  *request.mutable_to() = ToProto(At(3));
  EXPECT_THAT(Pages(request), ElementsAre(ElementsAre("drain node n1")));
  request.clear_from();
  request.set_by("alice");
  EXPECT_THAT(Pages(request), ElementsAre(ElementsAre("hold job 7")));
  request.Clear();
  request.add_what("undrain");
  request.add_what("hold");
  EXPECT_THAT(Pages(request),
              ElementsAre(ElementsAre("undrain node n1", "hold job 7")));
}

TEST_F(ActsPageTest, RefusesByName) {
  v1::ActsResponse response;
  v1::ActsRequest request;
  for (const char* token : {"x", "1", "1-", "-1-2", "1-2-3", "1-x"}) {
    request.set_page_token(token);
    EXPECT_THAT(
        std::string(ActsPage(ledger_->reader(), request, response).message()),
        HasSubstr("page_token"))
        << token;
  }
  request.Clear();
  *request.mutable_from() = ToProto(At(2));
  *request.mutable_to() = ToProto(At(2));
  EXPECT_THAT(
      std::string(ActsPage(ledger_->reader(), request, response).message()),
      HasSubstr("from: must be before to"));
}

}  // namespace
}  // namespace ccsched
