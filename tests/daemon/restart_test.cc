// What it costs to take up what is on record.
// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

class RestartTest : public DaemonTest {
 protected:
  // CPU time of this process, which is the scheduler's.
  double SecondsOfRestart() {
    Stop();
    const std::clock_t before = std::clock();
    Start();
    return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  }
};

// Not of all its indices for each of its jobs.
TEST_F(RestartTest, AnArrayIsTakenUpLikeAsManyOtherJobs) {
  constexpr int kJobs = 16'000;
  Start();
  v1::JobSpec spec = Spec();
  spec.set_hold(true);
  v1::SubmitBulkRequest request;
  for (int i = 0; i < kJobs; ++i) *request.add_jobs() = spec;
  grpc::ClientContext context;
  v1::SubmitBulkResponse response;
  const auto writer = jobs->SubmitBulk(&context, &response);
  ASSERT_TRUE(writer->Write(request));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  const double others = SecondsOfRestart();
  spec.set_array(absl::StrCat("1-", kJobs));
  Submit(spec);
  const double both = SecondsOfRestart();
  EXPECT_LT(both - others, 3 * others) << others << " s without the array";
}

}  // namespace
}  // namespace ccsched
