// UTF-8 by the table of RFC 3629.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/text.h"

#include <algorithm>
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

// Whether a terminal obeys it instead of showing it: C0, DEL and C1 controls,
// and what turns the direction of all that follows. REQUIRES: well formed.
// Source: ECMA-48, 5.2 and 5.3; Unicode 15, Bidi_Control.
bool Steers(std::string_view character) {
  const auto byte = [&](size_t i) {
    return static_cast<uint8_t>(character[i]);
  };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  if (character.size() == 2) {
    return IsC1At(character, 0) || character == "\u061c";
  }
  if (character.size() != 3 || byte(0) != 0xe2) return false;
  if (byte(1) == 0x81) return byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f ||
                             (byte(2) >= 0xa8 && byte(2) <= 0xae));
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

bool IsC1At(std::string_view text, size_t i) {
  return text[i] == '\xc2' && static_cast<uint8_t>(text[i + 1]) < 0xa0;
}

std::string Printable(std::string_view text, size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= bytes_max) return out + "…";
    const size_t bytes = std::max<size_t>(CharacterBytes(text), 1);
    const std::string_view character = text.substr(0, bytes);
    if (CharacterBytes(text) == 0 || Steers(character)) {
      for (const char c : character) {
        out += absl::StrFormat("\\x%02x", static_cast<uint8_t>(c));
      }
    } else {
      out += character;
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::string LinesFor(bool terminal, std::string text) {
  if (!terminal) return text;
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    out += Printable(line, line.size() * 4);
    if (end == rest.npos) break;
    out += '\n';
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace ccsched
