// Structured logs: one JSON object a line on standard error.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/log.h"

#include <unistd.h>

#include <cmath>

#include "absl/strings/str_format.h"
#include "scheduler/base/clock.h"

namespace ccsched {
namespace {

// The length of the UTF-8 sequence that starts at `i`, 0 if it is malformed.
size_t Utf8Length(std::string_view text, size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  const size_t length = byte < 0x80             ? 1
                        : (byte & 0xe0) == 0xc0 ? 2
                        : (byte & 0xf0) == 0xe0 ? 3
                        : (byte & 0xf8) == 0xf0 ? 4
                                                : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text, i);
    const char c = text[i];
    if (length == 0) {
      out.append("\xef\xbf\xbd");
      ++i;
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append(absl::StrFormat("\\u%04x", static_cast<unsigned char>(c)));
    } else {
      out.append(text.substr(i, length));
    }
    i += length;
  }
  out.push_back('"');
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace

std::string LogField::Json() const {
  std::string out;
  if (const auto* text = std::get_if<std::string>(&value_)) {
    AppendQuoted(out, *text);
  } else if (const auto* integer = std::get_if<int64_t>(&value_)) {
    out = std::to_string(*integer);
  } else if (const auto* number = std::get_if<double>(&value_)) {
    out = std::isfinite(*number) ? absl::StrFormat("%.15g", *number) : "null";
  } else {
    out = std::get<bool>(value_) ? "true" : "false";
  }
  return out;
}

std::string FormatLogLine(absl::Time real_time, LogLevel level,
                          std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line = "{\"time\":\"";
  line +=
      absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", real_time, absl::UTCTimeZone());
  line += "\",\"level\":\"";
  line += LevelName(level);
  line += "\",\"message\":";
  AppendQuoted(line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendQuoted(line, field.name());
    line.push_back(':');
    line += field.Json();
  }
  line += "}\n";
  return line;
}

void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields) {
  const std::string line =
      FormatLogLine(RealClock().Now(), level, message, fields);
  // A log that can't be written has nobody left to be told.
  const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);
}

}  // namespace ccsched
