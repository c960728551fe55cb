// UTF-8 by the table of RFC 3629.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/text.h"

#include <cstdint>

#include "absl/strings/str_format.h"

namespace ccsched {
namespace {

// The length of the well-formed character at the start of `s`, 0 if it is not.
size_t CharacterBytes(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || s.size() < bytes) return 0;
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return bytes;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string Printable(std::string_view text, size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= bytes_max) return out + "…";
    const size_t bytes = CharacterBytes(text);
    const auto first = static_cast<uint8_t>(text[0]);
    if (bytes == 0 || (bytes == 1 && (first < 0x20 || first == 0x7f))) {
      out += absl::StrFormat("\\x%02x", first);
      text.remove_prefix(1);
    } else {
      out += text.substr(0, bytes);
      text.remove_prefix(bytes);
    }
  }
  return out;
}

}  // namespace ccsched
