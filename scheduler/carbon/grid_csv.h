// Reads a column of grid data (intensity, carbon-free share, price) from CSV.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(GridColumn column,
//                    ReadGridCsv("CISO.csv", "ci_lca", GapRule::kRefuse));
//
// Two layouts are read as they stand: ours (`utc,<column>,…`, optionally
// `estimated` of 0 and 1), and that of the Electricity Maps data portal, whose
// headers are matched by words, since their wording has changed over the years.
// A time without a zone is read as UTC where its column says so, and refused
// where not. In either, these names find the column: ci_lca, ci_direct,
// cfe_pct, renewable_pct; any other name must be a header of the file.
#ifndef CCSCHED_SCHEDULER_CARBON_GRID_CSV_H_
#define CCSCHED_SCHEDULER_CARBON_GRID_CSV_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"

namespace ccsched {

// What to do about a missing row or an empty value. Text that is no number, a
// negative intensity, a share outside 0 to 100, a duplicate or a row out of
// order are errors under either rule.
enum class GapRule {
  kRefuse,
  // Up to 3 hours: a straight line between the neighbours. Longer, up to 7
  // days: the same hour of the nearest earlier day (a later one where there is
  // none earlier). Each filled value is marked estimated. Longer still:
  // refused. Empty values at either end of the file shorten the series.
  kInterpolate,
};
// "refuse" (also "") or "interpolate". Errors: InvalidArgument.
absl::StatusOr<GapRule> ParseGapRule(std::string_view name);

struct GridColumn {
  StepSeries series;
  // One a value: true if the source says so or it was filled.
  std::vector<bool> estimated;
  // "average-lifecycle" or "average-direct" of an intensity, "cfe" of a
  // carbon-free and "renewable" of a renewable share, "" of anything else.
  std::string basis;
  size_t filled = 0;  // values filled under GapRule::kInterpolate
};

// Reads the column `column` of the file `path`; empty: the lifecycle intensity,
// else the direct one. The step of the series is the file's commonest
// difference of times, UTC.
// Errors: NotFound if the file can't be read; InvalidArgument, as
// "file:line: …", for all that is wrong in it.
absl::StatusOr<GridColumn> ReadGridCsv(const std::string& path,
                                       const std::string& column, GapRule gaps);

// The same from text; `file` is what errors name.
absl::StatusOr<GridColumn> ParseGridCsv(std::string_view text,
                                        std::string_view file,
                                        std::string_view column, GapRule gaps);

// Intensity from a carbon-free share in %: (1 - share) * residual, where
// `residual` is the intensity of what is not carbon-free in this region. A
// share is not an intensity (two grids of one share differ by half), so each
// value comes out marked estimated, and its basis says so: "average-residual".
// Errors: InvalidArgument unless column.basis is "cfe" and residual is positive
// and finite.
absl::StatusOr<GridColumn> IntensityFromCfe(const GridColumn& column,
                                            GramsPerKwh residual);

// Reads a time as people write it in such files: RFC 3339 with or without
// seconds, fraction and offset, or "2021-01-01 00:00:00" (UTC).
bool ParseGridTime(std::string_view text, absl::Time* time);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_GRID_CSV_H_
