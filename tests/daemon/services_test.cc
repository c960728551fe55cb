// What clients and operators ask, through the real services.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "scheduler/ledger/sqlite_db.h"
#include "scheduler/wire/proto_time.h"
#include "tests/daemon/daemon_fixture.h"

namespace ccsched {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServicesTest : public DaemonTest {
 protected:
  grpc::Status SetPolicy(const std::string& name) {
    grpc::ClientContext context;
    v1::SetPolicyRequest request;
    request.set_name(name);
    v1::SetPolicyResponse response;
    return admin->SetPolicy(&context, request, &response);
  }
  std::string Policy() {
    grpc::ClientContext context;
    v1::StatusResponse response;
    EXPECT_TRUE(admin->Status(&context, {}, &response).ok());
    return response.policy();
  }
};

TEST_F(ServicesTest, ListsJobsInPages) {
  Start();
  v1::JobSpec spec = Spec();
  spec.set_array("1-25");
  Submit(spec);
  std::set<uint64_t> seen;
  v1::ListJobsRequest request;
  request.set_page_size(10);
  int pages = 0;
  do {
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    ASSERT_TRUE(jobs->List(&context, request, &response).ok());
    for (const v1::Job& job : response.jobs()) seen.insert(job.id());
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(seen.size(), 25u);
  request.set_page_token("gibberish");
  grpc::ClientContext context;
  v1::ListJobsResponse response;
  EXPECT_EQ(jobs->List(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServicesTest, TakesAStreamOfJobsAndNamesTheRefused) {
  Start();
  grpc::ClientContext context;
  v1::SubmitBulkResponse response;
  const auto writer = jobs->SubmitBulk(&context, &response);
  for (int message = 0; message < 20; ++message) {
    v1::SubmitBulkRequest request;
    for (int i = 0; i < 50; ++i) *request.add_jobs() = Spec();
    request.mutable_jobs(7)->add_site("nowhere");
    ASSERT_TRUE(writer->Write(request));
  }
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.accepted(), 980);
  EXPECT_EQ(response.refused(), 20);
  EXPECT_EQ(response.refusals(1).index(), 57);
  EXPECT_THAT(response.refusals(1).message(), HasSubstr("nowhere"));
  EXPECT_EQ(response.last_job_id(), 980);
}

TEST_F(ServicesTest, GivesOneJobForAKeyRepeatedWithinOneBatch) {
  Start();
  grpc::ClientContext context;
  v1::SubmitBulkResponse response;
  const auto writer = jobs->SubmitBulk(&context, &response);
  v1::SubmitBulkRequest request;
  for (int i = 0; i < 10; ++i) {
    *request.add_jobs() = Spec();
    request.mutable_jobs(i)->set_key("same");
  }
  ASSERT_TRUE(writer->Write(request));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.last_job_id(), 1);
  EXPECT_EQ(Submit(Spec()), 2);
}

TEST_F(ServicesTest, PreviewsWithoutTakingTheJobIn) {
  Start();
  ASSERT_TRUE(Push(Hourly("dirty", {500, 500, 500, 100, 100, 100})).ok());
  ASSERT_TRUE(SetPolicy("lowest-window").ok());
  v1::JobSpec spec = Spec();
  spec.add_site("here");
  *spec.mutable_runtime() = ToProto(absl::Hours(1));
  *spec.mutable_max_delay() = ToProto(absl::Hours(6));
  v1::PreviewResponse response;
  ASSERT_TRUE(Preview(spec, &response).ok());
  ASSERT_GT(response.offers_size(), 0);
  EXPECT_TRUE(response.offers(0).chosen());
  EXPECT_GT(FromProto(response.offers(0).start()),
            absl::Now() + absl::Hours(1));
  EXPECT_EQ(response.reason().code(), "cleaner-hour");
  EXPECT_LT(response.reason().chosen().co2e_g(),
            response.reason().now().co2e_g());
  EXPECT_EQ(Submit(Spec()), 1) << "the preview took no number";
}

TEST_F(ServicesTest, APreviewSaysWhereThereIsNoRoomNow) {
  Start();
  ASSERT_TRUE(Push(Hourly("dirty", {500, 500, 500, 500, 500, 500})).ok());
  ASSERT_TRUE(SetPolicy("fcfs").ok());
  const auto agent = Agent({.node = "n1"});
  v1::JobSpec spec = Spec();
  spec.add_site("here");
  EXPECT_EQ(Preview(spec).offers(0).note(), "");
  v1::JobSpec whole = Spec();
  whole.add_site("here");
  whole.set_accelerators(8);
  Submit(whole);
  ASSERT_TRUE(agent->WaitStart().has_value());
  const v1::PreviewResponse full = Preview(spec);
  EXPECT_EQ(full.offers(0).note(), "no room now");
  EXPECT_EQ(full.reason().code(), "capacity");
  EXPECT_THAT(full.reason().text(), HasSubstr("waits for 1 free"));
}

TEST_F(ServicesTest, DefersAJobToTheForecastsCleanHour) {
  Start();
  ASSERT_TRUE(Push(Hourly("dirty", {500, 500, 500, 100, 100, 100})).ok());
  ASSERT_TRUE(SetPolicy("lowest-window").ok());
  const auto agent = Agent({.node = "n1"});
  v1::JobSpec spec = Spec();
  spec.add_site("here");
  *spec.mutable_runtime() = ToProto(absl::Hours(1));
  *spec.mutable_max_delay() = ToProto(absl::Hours(6));
  const uint64_t id = Submit(spec);
  v1::Job job = Get(id);
  EXPECT_EQ(job.state(), v1::JOB_DEFERRED);
  EXPECT_EQ(job.planned_site(), "here");
  EXPECT_THAT(job.reason().text(), HasSubstr("cleaner hour"));
  Restart();
  EXPECT_EQ(Get(id).state(), v1::JOB_DEFERRED);
  EXPECT_EQ(Policy(), "lowest-window");
}

TEST_F(ServicesTest, RefusesImpossibleGridDataByName) {
  Start();
  EXPECT_THAT(Push(Hourly("nowhere", {1})).error_message(),
              HasSubstr("nowhere"));
  EXPECT_THAT(Push(Hourly("dirty", {100, -1})).error_message(),
              HasSubstr("intensity[1]: -1"));
  EXPECT_THAT(Push(Hourly("dirty", {100, NAN})).error_message(),
              HasSubstr("intensity[1]"));
  EXPECT_THAT(Push(Hourly("dirty", {})).error_message(), HasSubstr("values"));
  v1::GridSeries odd = Hourly("dirty", {100, 100});
  *odd.mutable_step() = ToProto(absl::Minutes(7));
  EXPECT_THAT(Push(odd).error_message(), HasSubstr("step: 7m"));
  v1::GridSeries future = Hourly("dirty", {100, 100});
  *future.mutable_issued() = ToProto(absl::Now() + absl::Hours(2));
  EXPECT_THAT(Push(future).error_message(), HasSubstr("issued"));
  v1::GridSeries share = Hourly("clean", {});
  share.add_cfe_pct(80);
  EXPECT_THAT(Push(share).error_message(), HasSubstr("residual"));
  // A region with a residual of 500 turns 80 % into 100 g/kWh.
  share.set_region("dirty");
  EXPECT_TRUE(Push(share).ok());
  grpc::ClientContext context;
  v1::SitesResponse sites;
  ASSERT_TRUE(admin->Sites(&context, {}, &sites).ok());
  EXPECT_NEAR(sites.sites(0).intensity(), 100, 1e-9);
  EXPECT_EQ(sites.sites(0).data_state(), "fresh");
  EXPECT_FALSE(sites.sites(1).has_intensity());
  EXPECT_EQ(sites.sites(1).data_state(), "none");
}

TEST_F(ServicesTest, DrainsANodeForGood) {
  Start();
  auto agent = Agent({.node = "n1"});
  grpc::ClientContext context;
  v1::DrainRequest request;
  request.set_node("n1");
  request.set_reason("fans");
  v1::DrainResponse drained;
  ASSERT_TRUE(admin->Drain(&context, request, &drained).ok());
  Restart();
  agent = Agent({.node = "n1"});
  const uint64_t id = Submit(Spec());
  EXPECT_EQ(Get(id).state(), v1::JOB_QUEUED);
  grpc::ClientContext list_context;
  v1::NodesResponse nodes;
  ASSERT_TRUE(admin->Nodes(&list_context, {}, &nodes).ok());
  EXPECT_EQ(nodes.nodes(0).state(), "drained");
  EXPECT_EQ(nodes.nodes(0).reason(), "fans");
  grpc::ClientContext other_context;
  v1::NodesRequest elsewhere;
  elsewhere.set_site("nowhere");
  const grpc::Status none = admin->Nodes(&other_context, elsewhere, &nodes);
  EXPECT_EQ(none.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(none.error_message().find("site: there is no \"nowhere\""), 0u);
  request.set_undrain(true);
  request.set_node("n2");
  grpc::ClientContext mistyped_context;
  const grpc::Status mistyped =
      admin->Drain(&mistyped_context, request, &drained);
  EXPECT_EQ(mistyped.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(mistyped.error_message(), HasSubstr("there is no \"n2\""));
  request.set_node("n1");
  grpc::ClientContext undrain_context;
  ASSERT_TRUE(admin->Drain(&undrain_context, request, &drained).ok());
  EXPECT_TRUE(agent->WaitStart().has_value());
}

TEST_F(ServicesTest, RecordsWhoDidWhatWithAJobAndNotWhatWasRefused) {
  Start();
  const uint64_t id = Submit(Spec());
  v1::JobActionRequest request;
  request.add_job_ids(id);
  request.add_job_ids(99);
  request.set_reason("wrong data");
  v1::JobActionResponse response;
  for (int i = 0; i < 2; ++i) {  // the second time it has ended
    grpc::ClientContext context;
    ASSERT_TRUE(jobs->Cancel(&context, request, &response).ok());
    EXPECT_EQ(response.results(0).done(), i == 0);
  }
  Restart();
  const v1::Job job = Get(id);
  ASSERT_EQ(job.acts_size(), 1);
  EXPECT_EQ(job.acts(0).by(), "local");
  EXPECT_EQ(job.acts(0).what(), "cancel");
  EXPECT_EQ(job.acts(0).detail(), "wrong data");
  EXPECT_EQ(FromProto(job.acts(0).at()), FromProto(job.ended()));
}

TEST_F(ServicesTest, RecordsWhoOperatedTheCluster) {
  Start();
  auto agent = Agent({.node = "n1"});
  for (const char* node : {"n1", "n2"}) {
    grpc::ClientContext context;
    v1::DrainRequest request;
    request.set_node(node);
    request.set_reason("fans");
    v1::DrainResponse response;
    EXPECT_EQ(admin->Drain(&context, request, &response).ok(),
              std::string(node) == "n1");
  }
  EXPECT_TRUE(SetPolicy("easy-backfill").ok());
  EXPECT_FALSE(SetPolicy("no-such").ok());
  EXPECT_TRUE(Push(Hourly("dirty", {1, 2})).ok());
  std::ofstream(dir() + "/cluster.yaml") << config;
  daemon().Reload("uid 7");
  Policy();  // waits until it has been done
  agent.reset();
  Stop();
  auto db = SqliteDb::Open(dir() + "/state/ledger.db").value();
  Statement& s = db->Prepare(
      "SELECT caller || ' ' || act || ' ' || target || ' ' || detail "
      "FROM acts ORDER BY id");
  std::vector<std::string> acts;
  s.Bind();
  while (s.Next()) acts.push_back(s.Column<std::string>(0));
  EXPECT_THAT(acts, ElementsAre("local drain node n1 fans",
                                "local set-policy policy easy-backfill ",
                                StartsWith("local push-forecast region dirty "
                                           "forecast, 2 values"),
                                "uid 7 reload configuration "));
}

// What was wrong with the node may be mended.
TEST_F(ServicesTest, AnUnfitNodeIsToldOfItsUndraining) {
  Start();
  const auto agent = Agent({.node = "n1"});
  v1::AgentMessage message;
  message.mutable_health()->set_unfit("no supervisor");
  agent->Send(message);
  agent->Heartbeat();
  ASSERT_TRUE(agent->WaitLease().has_value());
  grpc::ClientContext context;
  v1::DrainRequest request;
  request.set_node("n1");
  request.set_undrain(true);
  v1::DrainResponse response;
  ASSERT_TRUE(admin->Drain(&context, request, &response).ok());
  EXPECT_TRUE(agent->WaitResume());
}

TEST_F(ServicesTest, RefusesAnUnknownPolicyAndKeepsTheOld) {
  Start();
  EXPECT_EQ(SetPolicy("lowest-windoww").error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Policy(), "fcfs");
}

TEST_F(ServicesTest, ReloadsAllOrNothing) {
  Start();
  const auto rewrite = [&](const std::string& from, const std::string& to) {
    std::string text = config;
    text.replace(text.find(from), from.size(), to);
    std::ofstream(dir() + "/cluster.yaml") << text;
  };
  rewrite("policy: fcfs", "policy: easy-backfill");
  daemon().Reload();
  EXPECT_EQ(Policy(), "easy-backfill");
  // The PUE can't change: so neither does the policy.
  rewrite("pue: 1.5", "pue: 1.1");
  daemon().Reload();
  EXPECT_EQ(Policy(), "easy-backfill");
  std::ofstream(dir() + "/cluster.yaml") << "version: [";
  daemon().Reload();
  EXPECT_EQ(Policy(), "easy-backfill");
}

// A watcher that goes when it has just been told something: a server that
// waits for such a stream would never stop.
TEST_F(ServicesTest, StopsAlthoughWatchersLeftAsTheyWereTold) {
  Start();
  const uint64_t id = Submit(Spec());
  for (int i = 0; i < 500; ++i) {
    grpc::ClientContext context;
    v1::WatchJobsRequest request;
    request.add_job_ids(id);
    const auto reader = jobs->Watch(&context, request);
    v1::Job job;
    ASSERT_TRUE(reader->Read(&job));
    context.TryCancel();
  }
  Stop();
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job_id(id);
  v1::Job job;
  EXPECT_EQ(jobs->Get(&context, request, &job).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

// Calls a method by hand, with these bytes.
struct Answer {
  grpc::Status status;
  std::string bytes;
};
Answer CallRaw(const std::shared_ptr<grpc::Channel>& channel,
               const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &request, &response,
                 [&](grpc::Status status) { done.set_value(status); });
  Answer answer{done.get_future().get(), ""};
  std::vector<grpc::Slice> slices;
  if (answer.status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& s : slices) answer.bytes.append(s.begin(), s.end());
  }
  return answer;
}

TEST_F(ServicesTest, AnswersHealthChecks) {
  Start();
  // An empty request; field 1 of the response is SERVING (1).
  const Answer answer = CallRaw(channel, "/grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.bytes, "\x08\x01");
}

// Of methods that are not registered by themselves.
TEST_F(ServicesTest, TellsAnUnknownMethodFromARequestThatIsNone) {
  Start();
  EXPECT_TRUE(CallRaw(channel, "/ccsched.v1.Admin/Sites", "").status.ok());
  EXPECT_EQ(CallRaw(channel, "/ccsched.v1.Admin/Site", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(
      CallRaw(channel, "/ccsched.v1.Admin/Drain", "\xff").status.error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace ccsched
