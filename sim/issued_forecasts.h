// A file of forecasts as they were issued, each row with its time of issue.
// SPDX-License-Identifier: Apache-2.0
//
//   issued_utc,utc,ci_lca
//   2021-10-03T00:00:00Z,2021-10-03T00:00:00Z,412.5
//   2021-10-03T00:00:00Z,2021-10-03T01:00:00Z,398.1
//   2021-10-03T06:00:00Z,2021-10-03T06:00:00Z,371.9
#ifndef CCSCHED_SIM_ISSUED_FORECASTS_H_
#define CCSCHED_SIM_ISSUED_FORECASTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "sim/scenario.h"

namespace ccsched {

struct IssuedFile {
  std::string path;
  std::string issued;  // the columns
  std::string utc = "utc";
  std::string value;
  absl::Duration offset;  // added to `utc`
};

// The forecasts of the file for a run from `start`: what was issued by then at
// its beginning, in the order of issue, then each at its time. The rows of one
// issue stand together, in equal steps; issues follow each other in time.
// Errors: NotFound; InvalidArgument "file:line: …" for what is not so, for a
// value that is negative, and if nothing was issued by the start.
absl::StatusOr<std::vector<ForecastIssue>> ReadIssuedForecasts(
    RegionId region, const IssuedFile& file, absl::Time start);

}  // namespace ccsched

#endif  // CCSCHED_SIM_ISSUED_FORECASTS_H_
