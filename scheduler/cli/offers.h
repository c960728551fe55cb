// The table of offers: where and when a job could run, and what that emits.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_OFFERS_H_
#define CCSCHED_SCHEDULER_CLI_OFFERS_H_

#include <iosfwd>
#include <string>

#include "ccsched/v1/jobs.pb.h"

namespace ccsched {

// `format` is table, json or csv.
void PrintOffers(const v1::PreviewResponse& preview, const std::string& format,
                 bool colour, std::ostream& out);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_OFFERS_H_
