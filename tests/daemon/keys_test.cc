// Idempotency keys, through the real services.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KeysTest : public DaemonTest {
 protected:
  static v1::JobSpec Keyed(int priority = 0) {
    v1::JobSpec spec = Spec();
    spec.set_key("nightly");
    if (priority != 0) spec.set_priority(priority);
    return spec;
  }
  v1::SubmitBulkResponse Bulk(const std::vector<v1::JobSpec>& specs) {
    grpc::ClientContext context;
    v1::SubmitBulkResponse response;
    const auto writer = jobs->SubmitBulk(&context, &response);
    v1::SubmitBulkRequest request;
    for (const v1::JobSpec& spec : specs) *request.add_jobs() = spec;
    EXPECT_TRUE(writer->Write(request));
    writer->WritesDone();
    EXPECT_TRUE(writer->Finish().ok());
    return response;
  }
};

TEST_F(KeysTest, AnotherJobUnderAKnownKeyIsRefused) {
  Start();
  EXPECT_EQ(Submit(Keyed()), 1);
  v1::SubmitResponse response;
  const grpc::Status status = Submit(Keyed(5), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(status.error_message(),
              HasSubstr("'nightly' was given to job 1, which is another one "
                        "(priority differs)"));
  ASSERT_TRUE(Submit(Keyed(), &response).ok());
  EXPECT_TRUE(response.existed());
  EXPECT_EQ(response.job_id(), 1);
  EXPECT_EQ(Submit(Spec()), 2) << "nothing was made of the others";
}

TEST_F(KeysTest, TheSameJobIsTheSameForGoodWhateverTheDefaultsAreByThen) {
  config += "defaults: {max_delay: 6h, runtime: 1h}\n";
  Start();
  v1::JobSpec array = Keyed();
  array.set_array("0-4");
  EXPECT_EQ(Submit(array), 1);
  Stop();
  Replace("max_delay: 6h, runtime: 1h", "max_delay: 12h, time_limit: 2h");
  Start();
  v1::SubmitResponse response;
  ASSERT_TRUE(Submit(array, &response).ok());
  EXPECT_TRUE(response.existed());
  EXPECT_EQ(response.jobs(), 5);
  *array.mutable_max_delay() = ToProto(absl::Hours(6));
  EXPECT_THAT(Submit(array, &response).error_message(),
              HasSubstr("(max_delay differs)"));
}

TEST_F(KeysTest, InOneBatchTheFirstOfAKeyCounts) {
  Start();
  const v1::SubmitBulkResponse first = Bulk({Keyed(), Keyed(5), Keyed()});
  EXPECT_EQ(first.last_job_id(), 1);
  ASSERT_EQ(first.refusals_size(), 1);
  EXPECT_EQ(first.refusals(0).index(), 1);
  EXPECT_THAT(first.refusals(0).message(),
              AllOf(HasSubstr("job 1"), HasSubstr("priority")));
  const v1::SubmitBulkResponse again = Bulk({Keyed(5), Keyed()});
  EXPECT_EQ(again.refused(), 1);
  EXPECT_EQ(again.accepted(), 1);
  EXPECT_EQ(Submit(Spec()), 2);
}

TEST_F(KeysTest, APreviewSaysWhatItsKeyWouldDo) {
  Start();
  v1::PreviewResponse response;
  ASSERT_TRUE(Preview(Keyed(), &response).ok());
  EXPECT_THAT(response.notes(), IsEmpty());
  Submit(Keyed());
  ASSERT_TRUE(Preview(Keyed(), &response).ok());
  EXPECT_THAT(response.notes(),
              ElementsAre(HasSubstr("'nightly' was given to job 1")));
  EXPECT_EQ(Preview(Keyed(5), &response).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
}

}  // namespace
}  // namespace ccsched
