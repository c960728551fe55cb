// What a ledger holds of the past, made ready to be played by any policy.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RECORDED_DAY_H_
#define CCSCHED_SIM_RECORDED_DAY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/ledger/ledger.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/script.h"
#include "sim/workload.h"

namespace ccsched {

// What was outside the scheduler's power stays as it was: when jobs were
// submitted, held and released, when nodes came and went, what was forecast
// when. What a job did once it ran stays too: its useful work, how it
// ended, and its power relative to its accelerators' (from its energy on
// record). All else is the policy's: what starts where and when.
//
// Intensities are the same for all policies and for the record: those that jobs
// were accounted by, else measured ones, else the newest forecast for the hour.
// A job that was cancelled, or still ran when the record ends, counts with what
// it had done; one that had done nothing is left out. Attempts start at once,
// and no policy is charged for what the record lost but by the failure of a
// node.
struct RecordedDay {
  Scenario scenario;  // topology and grids; it names no trace
  std::unique_ptr<Workload> workload;
  Script script;
  // What really happened, by the same figures. Its peaks and utilisation are
  // those of the attempts on record.
  SimResult recorded;
  uint64_t unended = 0;    // count with what they had done
  uint64_t cancelled = 0;  // so do these
  uint64_t left_out = 0;   // had done nothing
  bool estimated = false;  // some intensity is not a measured one
  absl::Time first, last;
};

// Errors: those of the reader; FailedPrecondition if the ledger holds no jobs
// that ran, or if the cluster was another one after a restart; OutOfRange if
// nothing is known of the intensity where a job ran; DataLoss for a journal
// that can't be read.
absl::StatusOr<std::unique_ptr<RecordedDay>> ReadRecordedDay(
    LedgerReader& reader);

}  // namespace ccsched

#endif  // CCSCHED_SIM_RECORDED_DAY_H_
