// Ended jobs as entries of the report formats that others read.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_REPORT_EXPORT_H_
#define CCSCHED_SCHEDULER_CLI_REPORT_EXPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/carbon/report_formats.h"
#include "scheduler/cli/client.h"

namespace ccsched {

// The report in a format of carbon/report_formats.h: one entry a job that ended
// in [from, to), by its id; of "ghg" one an entity of `request.by`, and what
// nodes used for no job. Errors:
// those of the client and of FormatReport; NotFound if no job ended then.
absl::StatusOr<std::string> ExportReport(Client& client,
                                         const std::string& format,
                                         const v1::ReportRequest& request,
                                         const std::string& training_type = "");

// A job with its intervals: the ledger's stretches where it brings them, else
// its attempts, each with its mean power and intensity.
ReportEntry EntryOf(const v1::Job& job, const v1::SitesResponse& sites);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_REPORT_EXPORT_H_
