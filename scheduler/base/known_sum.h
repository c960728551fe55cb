// Sums of what is known: unknown is not zero.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_KNOWN_SUM_H_
#define CCSCHED_SCHEDULER_BASE_KNOWN_SUM_H_

#include <optional>

namespace ccsched {

// A sum of which nothing is known stays absent.
template <typename T>
void AddKnown(std::optional<T>& sum, const std::optional<T>& value) {
  if (value) sum = sum.value_or(T()) + *value;
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_KNOWN_SUM_H_
