// Conversions between the standard's string_view and that of Debian's Abseil,
// which is a type of its own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_STRINGS_H_
#define CCSCHED_SCHEDULER_BASE_STRINGS_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace ccsched {

inline absl::string_view ToAbsl(std::string_view s) {
  return {s.data(), s.size()};
}
inline std::string_view ToStd(absl::string_view s) {
  return {s.data(), s.size()};
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_STRINGS_H_
