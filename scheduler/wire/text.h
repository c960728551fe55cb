// Texts from outside: whether they are UTF-8, and how to show them safely.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_TEXT_H_
#define CCSCHED_SCHEDULER_WIRE_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace ccsched {

// Whether `text` is well-formed UTF-8 (RFC 3629), as protobuf's strings must
// be: the transport fails a call otherwise.
bool IsUtf8(std::string_view text);

// Whether a C1 control, U+0080 to U+009F, begins at byte `i`: terminals obey
// these as well. REQUIRES: well-formed UTF-8, i < text.size().
bool IsC1At(std::string_view text, size_t i);

// `text` with malformed bytes and what steers a terminal (controls, changes of
// direction) as \xNN, cut at `bytes_max`: what a message may show of anything.
std::string Printable(std::string_view text, size_t bytes_max = 120);

// What a command prints of whole lines, a CSV say: on a terminal the same of
// each, whose ends stay; elsewhere the text as it is.
std::string LinesFor(bool terminal, std::string text);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_TEXT_H_
