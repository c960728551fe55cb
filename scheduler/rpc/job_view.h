// A job as recorded, turned into what clients are shown.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_JOB_VIEW_H_
#define CCSCHED_SCHEDULER_RPC_JOB_VIEW_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/model/job.h"

namespace ccsched {

v1::JobState ToProto(JobState state);
// Errors: InvalidArgument for unspecified and unknown ones.
absl::StatusOr<JobState> FromProto(v1::JobState state);

// The job; where `emissions` (Emissions() of the job) are given, with energy
// and CO2e of each attempt.
v1::Job JobView(const JobRecord& record,
                absl::Span<const EmissionRow> emissions = {});

// The parts of an attempt from their recorded form, each with its own start.
std::vector<v1::NodeShare> PartsOf(const AttemptRow& row);
// As AttemptRow::part_starts has it.
std::string PartStartsText(absl::Span<const std::optional<absl::Time>> starts);

v1::EmissionSlice SliceView(const EmissionRow& row);
v1::Act ActView(const ActRow& row);

double Kwh(int64_t joules);

v1::ReportRow ReportView(const ReportRecord& record);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_JOB_VIEW_H_
