// The audit trail names what was done, whatever a caller says of it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace ccsched {
namespace {

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

}  // namespace
}  // namespace ccsched
