// Rows for the ledger's tests, with every field filled, and a place for files.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_LEDGER_LEDGER_ROWS_H_
#define CCSCHED_TESTS_LEDGER_LEDGER_ROWS_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/job.h"

namespace ccsched {

// A directory that goes with its test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = testing::TempDir() + "/ccsched-ledger-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name = "ledger.db") const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

inline absl::Time At(double hours) {
  return absl::FromUnixSeconds(1600000000 - 1600000000 % 3600) +
         absl::Hours(1) * hours;
}

inline SubmissionRow Submission(uint64_t id, const std::string& key = "") {
  SubmissionRow row;
  row.id = JobId(id);
  row.submitted = At(0) + absl::Microseconds(id);
  row.user = "ada";
  row.project = "engine";
  row.name = absl::StrCat("job ", id);
  row.key = key;
  row.payload = std::string("\x00\x01\xff payload", 11);
  row.array_index = 3;
  row.array_id = JobId(id);
  row.baseline_site = "virginia";
  row.baseline_accelerator = "v100";
  return row;
}

inline JobStateRow State(uint64_t id, JobState state = JobState::kQueued) {
  JobStateRow row;
  row.id = JobId(id);
  row.state = static_cast<uint8_t>(state);
  row.epoch = 2;
  row.queue_key = 0xfedcba9876543210u;
  row.changed = At(1);
  row.wake = At(2);
  row.planned_site = "oregon";
  row.planned_accelerator = "a100";
  row.executed = absl::Seconds(90);
  row.started = At(1.5);
  row.ended = At(3);
  row.exit_code = -1;
  row.hold_wanted = true;
  row.cancel_wanted = true;
  row.note = "a note";
  return row;
}

inline AttemptRow Attempt(uint64_t job, uint32_t epoch = 1, double start = 0,
                          double end = 1) {
  AttemptRow row;
  row.job = JobId(job);
  row.epoch = epoch;
  row.site = "oregon";
  row.accelerator = "a100";
  row.count = 4;
  row.nodes = "n1:2,n2:2";
  row.sent = At(start);
  row.started = At(start);
  row.ended = At(end);
  row.outcome = "succeeded";
  row.exit_code = 0;
  row.signal = 15;
  row.message = "done";
  row.part_starts = "1600000000000000,1600000001000000";
  row.blamed = true;
  return row;
}

inline DecisionRow Decision(uint64_t job, double hours = 0) {
  return {JobId(job), At(hours), "planner", std::string("a\0b", 3)};
}

// One hour of an attempt from `start`: 1 kWh at the accelerators, 1.1 kWh in
// all, 440 g.
inline EmissionRow Emission(uint64_t job, uint32_t epoch, double start,
                            double length = 1) {
  EmissionRow row;
  row.job = JobId(job);
  row.epoch = epoch;
  row.start = At(start);
  row.end = At(start + length);
  row.joules = 3600000;
  row.pue = 1.1;
  row.intensity = 400;
  row.milligrams = 440000;
  row.method = "measured";
  row.data_version = "test 1";
  row.site = "oregon";
  row.region = "US-NW";
  return row;
}

inline NodeRow Node(uint32_t id) {
  return {NodeId(id), absl::StrCat("n", id), "oregon", "a100",   8,
          true,       "broken fan",          "nvml",   "state-1"};
}

inline GridRow Grid(const std::string& region, double issued, bool actual) {
  return {region,   At(issued),  At(issued + .1),          actual,
          "source", "intensity", absl::StrCat("p", issued)};
}

// What stands and is estimated, in the region and [At(0), At(10)).
inline std::vector<EmissionRow> EstimatedIn(Ledger& ledger,
                                            const std::string& region,
                                            absl::Time from = At(0),
                                            absl::Time to = At(10)) {
  std::vector<EmissionRow> rows;
  StandingVisitor visitor;
  visitor.emission = [&](EmissionRow row, const std::string&) {
    rows.push_back(std::move(row));
  };
  visitor.node = [](NodeEnergyRow) {};
  visitor.baseline = [](BaselineRow) {};
  const absl::Status status = ledger.reader().Standing(
      {.region = region, .from = from, .to = to, .estimated_only = true},
      visitor);
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

// Opens the ledger or fails the test.
inline std::unique_ptr<Ledger> OpenLedger(const std::string& path) {
  auto ledger = OpenSqliteLedger(path);
  EXPECT_TRUE(ledger.ok()) << ledger.status();
  return ledger.ok() ? *std::move(ledger) : nullptr;
}

}  // namespace ccsched

#endif  // CCSCHED_TESTS_LEDGER_LEDGER_ROWS_H_
