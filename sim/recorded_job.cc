// A job's submission as the ledger has it.
// SPDX-License-Identifier: Apache-2.0
#include "sim/recorded_job.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/keyed_job.h"

namespace ccsched {

absl::StatusOr<JobSubmitted> RecordedSubmission(LedgerReader& reader, JobId id,
                                                std::vector<JobId> after,
                                                const Topology& topology,
                                                SymbolTable& symbols,
                                                Placement& placement) {
  ASSIGN_OR_RETURN(const JobRecord record, reader.Job(id));
  const SubmissionRow& row = record.submission;
  v1::JobSpec spec;
  auto read = ModelOfRecord(row.payload, topology, row.submitted, spec);
  if (absl::IsDataLoss(read.status())) {
    return absl::DataLossError(
        absl::StrCat("the submission of job ", id.value(), " can't be read"));
  }
  ASSIGN_OR_RETURN(ModelJob model, std::move(read));
  JobSubmitted e;
  e.spec = model.spec;
  e.spec.id = id;
  e.spec.submitted = row.submitted;
  e.spec.user = symbols.Intern(row.user);
  e.spec.project = symbols.Intern(row.project);
  e.spec.name = symbols.Intern(row.name);
  e.shape = model.shape;
  e.after = std::move(after);
  placement = std::move(model.placement);
  return e;
}

}  // namespace ccsched
