// What a job asks for, kept with what it was given, and whether another job
// asks for the same.
// SPDX-License-Identifier: Apache-2.0
//
//   row.payload = RecordedJob(request.job(), model);
//   ...
//   RETURN_IF_ERROR(CheckSameJob(retry.job(), row.payload, row.id));
//
// A job that comes again under its idempotency key is compared as its user
// wrote it: not with defaults that may have changed since, and not with what
// one and the same request says otherwise at another time or in another shell
// (see JobSpec::finish_by_text and env_exported).
#ifndef CCSCHED_SCHEDULER_WIRE_KEYED_JOB_H_
#define CCSCHED_SCHEDULER_WIRE_KEYED_JOB_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/base/ids.h"
#include "scheduler/wire/convert.h"

namespace ccsched {

// A job as it goes on record (SubmissionRow::payload): a v1::JobSpec with the
// defaults that it took, so that a later change of these changes no job that is
// already here.
std::string RecordedJob(const v1::JobSpec& spec, const ModelJob& job);

// What that asks for, of one job even if it is an array's: to read all indices
// again for each of its jobs would take their square. `spec` becomes all that
// is on record. Errors: DataLoss if it can't be read; those of ToModel.
absl::StatusOr<ModelJob> ModelOfRecord(std::string_view payload,
                                       const Topology& topology,
                                       absl::Time submitted, v1::JobSpec& spec);

// The fields in which two requests differ, as a YAML file has them; a variable
// is named too ("env LR"). Of different users' requests it is told only that
// they are ("user"). Empty: they ask for the same.
std::vector<std::string> DifferencesOf(const v1::JobSpec& a,
                                       const v1::JobSpec& b);

// Whether `spec` asks for what job `first` of the same key did; `recorded` is
// that job as RecordedJob gave it, and the job with the defaults that it took
// is the same. REQUIRES: both have a key. Errors: AlreadyExists that names key,
// job and differences.
absl::Status CheckSameJob(const v1::JobSpec& spec, std::string_view recorded,
                          JobId first);
// The same of two requests that came together; `before` got that number.
absl::Status CheckSameJob(const v1::JobSpec& spec, const v1::JobSpec& before,
                          JobId first);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_KEYED_JOB_H_
