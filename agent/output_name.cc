// Names of output files: %j and its kin, filled in.
// SPDX-License-Identifier: Apache-2.0
#include "agent/output_name.h"

#include <algorithm>

namespace ccsched {
namespace {

constexpr size_t kWidthMax = 20;

std::string Padded(uint64_t number, size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

// As one part of a path.
std::string Safe(std::string text) {
  if (text == "." || text == "..") return std::string(text.size(), '_');
  for (char& c : text) {
    if (c == '/' || c == 0) c = '_';
  }
  return text;
}

std::optional<std::string> Value(char letter, size_t width,
                                 const OutputNames& names) {
  switch (letter) {
    case 'j':
      return Padded(names.job, width);
    case 'a':
      return Padded(names.index.value_or(0), width);
    case 'A':
      return Padded(names.array, width);
    case 'r':
    case 't':
      return Padded(names.rank, width);
    case 'e':
      return Padded(names.epoch, width);
    case 'n':
    case 'N':
      return Safe(names.node);
    case 'x':
      return Safe(names.name);
    case 'u':
      return Safe(names.user);
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string ExpandOutputName(std::string_view pattern,
                             const OutputNames& names) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out.push_back(pattern[i]);
      continue;
    }
    size_t end = i + 1;
    size_t width = 0;
    while (end < pattern.size() && pattern[end] >= '0' && pattern[end] <= '9') {
      width = std::min(kWidthMax, width * 10 + (pattern[end] - '0'));
      ++end;
    }
    const auto value =
        end < pattern.size() ? Value(pattern[end], width, names) : std::nullopt;
    if (!value) {
      out.push_back('%');
      continue;
    }
    out += *value;
    i = end;
  }
  return out;
}

}  // namespace ccsched
