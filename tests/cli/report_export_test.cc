// Ended jobs in the formats that others read, from what the scheduler says.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/report_export.h"

#include <google/protobuf/text_format.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fake_client.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Message>
Message Parsed(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

v1::Job EndedJob(int id, int ended_s) {
  return Parsed<v1::Job>("id: " + std::to_string(id) +
                         R"( spec { name: "train" project: "speech" }
          started { seconds: 0 } ended { seconds: )" +
                         std::to_string(ended_s) + R"( }
          energy_kwh: 3.3 co2e_g: 1000 baseline_co2e_g: 1500
          attempts { site: "iowa" accelerator: "v100" count: 4
                     started { seconds: 0 } ended { seconds: 3600 }
                     energy_kwh: 2 site_energy_kwh: 2.2 co2e_g: 880 energy_method: "measured" }
          attempts { site: "iowa" accelerator: "v100" count: 4
                     started { seconds: 7200 } ended { seconds: 10800 }
                     energy_kwh: 1 site_energy_kwh: 1.1 co2e_g: 120 energy_method: "modelled"
                     co2e_estimated: true })");
}

class ReportExportTest : public ::testing::Test {
 protected:
  ReportExportTest() : client_(&scheduler_) {
    scheduler_.sites = Parsed<v1::SitesResponse>(
        R"(sites { name: "iowa" region: "MISO" pue: 1.1 })");
    scheduler_.jobs = {EndedJob(1, 10800), EndedJob(2, 20000),
                       EndedJob(3, 30000)};
    v1::Job waiting = EndedJob(4, 0);
    waiting.clear_ended();
    scheduler_.jobs.push_back(waiting);
  }
  std::string Export(const std::string& format) {
    const auto text = ExportReport(client_, format, request_);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.ok() ? *text : "";
  }

  FakeScheduler scheduler_;
  FakeClient client_;
  v1::ReportRequest request_;
};

TEST_F(ReportExportTest, AJobIsAnEntryWithTheWeakestOfItsMethods) {
  const ReportEntry e = EntryOf(scheduler_.jobs[0], scheduler_.sites);
  EXPECT_EQ(e.region, "MISO");
  EXPECT_EQ(e.pue, 1.1);
  EXPECT_EQ(e.method, "modelled");
  EXPECT_TRUE(e.estimated);
  EXPECT_EQ(e.running, absl::Hours(2));
  EXPECT_EQ(*e.energy_kwh, 3.3);
  ASSERT_EQ(e.intervals.size(), 2);
  EXPECT_NEAR(*e.intervals[0].energy_kwh, 2.2, 1e-9);
  EXPECT_NEAR(*e.intervals[0].intensity, 400, 1e-9);
}

// A job that went on elsewhere was at both places, under the PUE of each.
TEST_F(ReportExportTest, AJobThatMovedIsAtAllItsPlaces) {
  *scheduler_.sites.add_sites() =
      Parsed<v1::SiteStatus>(R"(name: "oslo" region: "NO" pue: 1.2)");
  v1::Job job = scheduler_.jobs[0];
  job.mutable_attempts(1)->set_site("oslo");
  job.mutable_attempts(1)->set_site_energy_kwh(1.3);
  const ReportEntry mixed = EntryOf(job, scheduler_.sites);
  EXPECT_EQ(mixed.site, "iowa, oslo");
  EXPECT_EQ(mixed.region, "MISO, NO");
  EXPECT_NEAR(mixed.pue, 3.5 / 3, 1e-12);
  // Hour by hour it is exact, free of what the sums were rounded by.
  for (const int start : {0, 7200}) {
    *job.add_emissions() = Parsed<v1::EmissionSlice>(
        "start { seconds: " + std::to_string(start) + " } end { seconds: " +
        std::to_string(start + 3600) + " } energy_kwh: 1.7500001 pue: 1.15");
  }
  EXPECT_EQ(EntryOf(job, scheduler_.sites).pue, 1.15);
}

TEST_F(ReportExportTest, OnlyJobsThatEndedInTheTimeAskedForAreIn) {
  request_.mutable_from()->set_seconds(10801);
  request_.mutable_to()->set_seconds(30000);
  const std::string csv = Export("codecarbon");
  EXPECT_THAT(csv, HasSubstr(",speech,2,train,7200,1,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2);
  request_.mutable_from()->set_seconds(40000);
  request_.clear_to();
  EXPECT_EQ(ExportReport(client_, "codecarbon", request_).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ReportExportTest, ACardSumsTheGramsOfAllJobs) {
  EXPECT_THAT(Export("huggingface"), HasSubstr("emissions: 3000\n"));
  scheduler_.jobs[1].clear_co2e_g();
  EXPECT_THAT(
      std::string(
          ExportReport(client_, "huggingface", request_).status().message()),
      HasSubstr("emission of job 2 is unknown"));
}

TEST_F(ReportExportTest, GhgHasARowForEachEntity) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      R"(rows { key: "iowa" energy_kwh: 10 co2e_g: 4e6 })");
  request_.set_by("site");
  const std::string csv = Export("ghg");
  EXPECT_THAT(csv, HasSubstr("iowa,iowa,,"));
  EXPECT_THAT(csv, HasSubstr(",10,4,,"));
  EXPECT_THAT(csv, Not(HasSubstr("train")));
}

TEST_F(ReportExportTest, GhgSaysFromWhenToWhenJobsRan) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      R"(rows { key: "iowa" energy_kwh: 10 co2e_g: 4e6 }
         unallocated { key: "oslo" energy_kwh: 1 })");
  scheduler_.jobs.resize(3);
  for (v1::Job& job : scheduler_.jobs) {
    job.mutable_attempts(0)->mutable_started()->set_seconds(60);
  }
  request_.set_by("site");
  const std::string all = Export("ghg");
  EXPECT_THAT(all, HasSubstr("iowa,iowa,,1970-01-01T00:01:00Z,"
                             "1970-01-01T03:00:00Z,10,"));
  // No job ran there: what its nodes used belongs to the same time.
  EXPECT_THAT(all, HasSubstr("idle oslo,oslo,,1970-01-01T00:01:00Z,"
                             "1970-01-01T03:00:00Z,1,"));
  request_.mutable_from()->set_seconds(3600);
  EXPECT_THAT(Export("ghg"), HasSubstr("iowa,iowa,,1970-01-01T02:00:00Z,"
                                       "1970-01-01T03:00:00Z,10,"));
}

TEST_F(ReportExportTest, GhgHasNoEndOfWhatStillRuns) {
  scheduler_.report =
      Parsed<v1::ReportResponse>(R"(rows { key: "iowa" energy_kwh: 10 })");
  scheduler_.jobs.resize(1);
  scheduler_.jobs[0].mutable_attempts(0)->mutable_started()->set_seconds(60);
  scheduler_.jobs[0].mutable_attempts(1)->clear_ended();
  request_.set_by("site");
  EXPECT_THAT(Export("ghg"), HasSubstr("iowa,iowa,,1970-01-01T00:01:00Z,,10,"));
}

TEST_F(ReportExportTest, GhgRowsOfMonthsHaveTheirDaysAndIdleItsName) {
  scheduler_.report = Parsed<v1::ReportResponse>(
      R"(rows { key: "2026-12" energy_kwh: 10 co2e_g: 4e6 }
         unallocated { energy_kwh: 1 })");
  request_.set_by("month");
  const std::string csv = Export("ghg");
  EXPECT_THAT(csv, HasSubstr("2026-12,,,2026-12-01T00:00:00Z,"
                             "2027-01-01T00:00:00Z,10,"));
  EXPECT_THAT(csv, HasSubstr("\nidle,,,,,1,"));
}

TEST_F(ReportExportTest, ImpactFrameworkAndMlperfListTheAttempts) {
  EXPECT_THAT(Export("impact-framework"), HasSubstr("\"job-3\":"));
  scheduler_.jobs.resize(1);
  EXPECT_THAT(Export("mlperf"), HasSubstr("power/result_0/node_0.txt"));
}

}  // namespace
}  // namespace ccsched
