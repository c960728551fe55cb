// Structured logs: one JSON object a line on standard error.
// SPDX-License-Identifier: Apache-2.0
//
//   Log(LogLevel::kInfo, "agent connected", {{"node", name}, {"count", 8}});
//   {"time":"2026-…Z","level":"info","message":"agent connected",
//    "node":"…","count":8}
#ifndef CCSCHED_SCHEDULER_BASE_LOG_H_
#define CCSCHED_SCHEDULER_BASE_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ccsched {

enum class LogLevel : uint8_t { kInfo, kWarning, kError };

// A name and a value: text, integer, number or truth.
class LogField {
 public:
  LogField(std::string_view name, std::string_view value)
      : name_(name), value_(std::string(value)) {}
  LogField(std::string_view name, const char* value)
      : name_(name), value_(std::string(value)) {}
  LogField(std::string_view name, const std::string& value)
      : name_(name), value_(value) {}
  LogField(std::string_view name, const absl::Status& status)
      : name_(name), value_(status.ToString()) {}
  LogField(std::string_view name, bool value) : name_(name), value_(value) {}
  template <std::integral T>
  LogField(std::string_view name, T value)
      : name_(name), value_(static_cast<int64_t>(value)) {}
  LogField(std::string_view name, double value) : name_(name), value_(value) {}

  std::string_view name() const { return name_; }
  // The value as JSON.
  std::string Json() const;

 private:
  std::string_view name_;
  std::variant<std::string, int64_t, double, bool> value_;
};

// The line, with its newline, as Log writes it. Bytes that are not UTF-8 are
// replaced; control characters are escaped.
std::string FormatLogLine(absl::Time real_time, LogLevel level,
                          std::string_view message,
                          std::initializer_list<LogField> fields);

// Writes one line, in one write, to standard error. Thread safe.
void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields = {});

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_LOG_H_
