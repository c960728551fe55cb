// In which encoding a text from outside is: ours are UTF-8.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_ENCODING_H_
#define CCSCHED_SCHEDULER_BASE_ENCODING_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace ccsched {

// `text`, or the beginning of one (4 bytes are enough), without the byte order
// mark of UTF-8 that some editors write. Errors: InvalidArgument, naming `file`
// and what was seen, for what begins like UTF-16 or UTF-32: their byte order
// mark, or without one the zero bytes beside an ASCII character; and for what
// is compressed.
// Source: YAML 1.2.2, 5.2, whose table tells all of these apart.
absl::StatusOr<std::string_view> WithoutByteOrderMark(std::string_view text,
                                                      std::string_view file);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_ENCODING_H_
