// The product of two step series.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SERIES_PRODUCT_H_
#define CCSCHED_SIM_SERIES_PRODUCT_H_

#include "absl/status/statusor.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

// At every moment that both cover, the product of their values there, in the
// longest steps within which neither changes. Errors: InvalidArgument if they
// have no moment in common or if those steps would be too many.
absl::StatusOr<StepSeries> SeriesProduct(const StepSeries& a,
                                         const StepSeries& b);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SERIES_PRODUCT_H_
