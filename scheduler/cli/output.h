// Data for programs: versioned JSON, and CSV, from the same records.
// SPDX-License-Identifier: Apache-2.0
//
//   Record job;
//   job.Add("job_id", id);
//   job.Add("co2e_g", co2e);  // an empty optional is null in JSON, "" in CSV
//   PrintJson(out, "jobs", {}, "jobs", {job});
#ifndef CCSCHED_SCHEDULER_CLI_OUTPUT_H_
#define CCSCHED_SCHEDULER_CLI_OUTPUT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "scheduler/cli/command.h"
#include "scheduler/cli/context.h"
#include "scheduler/wire/table.h"

namespace ccsched {

// One value as JSON; numbers in the shortest form that reads back the same.
std::string JsonString(std::string_view text);
std::string JsonNumber(double value);  // null if it is not finite

class Record {
 public:
  void Add(const std::string& name, std::string_view text) {
    fields_.push_back({name, JsonString(text), std::string(text)});
  }
  void Add(const std::string& name, const std::string& text) {
    Add(name, std::string_view(text));
  }
  void Add(const std::string& name, const char* text) {
    Add(name, std::string_view(text));
  }
  template <typename T>
  requires std::is_arithmetic_v<T>
  void Add(const std::string& name, T value) {
    std::string text;
    if constexpr (std::is_same_v<T, bool>) {
      text = value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      text = JsonNumber(value);
    } else {
      text = std::to_string(value);
    }
    fields_.push_back({name, text, text == "null" ? "" : text});
  }
  template <typename T>
  void Add(const std::string& name, const std::optional<T>& value) {
    if (value) {
      Add(name, *value);
    } else {
      AddNull(name);
    }
  }
  void AddNull(const std::string& name) {
    fields_.push_back({name, "null", ""});
  }
  // RFC 3339 UTC; null if `given` is not.
  void AddTime(const std::string& name, bool given,
               const google::protobuf::Timestamp& time);
  // Seconds; null if `given` is not.
  void AddSeconds(const std::string& name, bool given,
                  const google::protobuf::Duration& duration);
  // Parts: objects and lists in JSON, joined by blanks in CSV.
  void AddRecord(const std::string& name, const Record& record);
  // The other's fields, each as one of its own.
  void Append(const Record& other) {
    fields_.insert(fields_.end(), other.fields_.begin(), other.fields_.end());
  }
  void AddRecords(const std::string& name, const std::vector<Record>& records);
  template <typename List>
  void AddList(const std::string& name, const List& values) {
    Record list;
    for (const auto& value : values) list.Add("", value);
    AddAsList(name, list);
  }

  std::string ToJson() const;
  std::vector<std::string> Names() const;
  std::vector<std::string> CsvFields() const;

 private:
  struct Field {
    std::string name, json, csv;
  };
  void AddAsList(const std::string& name, const Record& list);
  std::vector<Field> fields_;
};

// {"schema":"ccsched.<thing>/v1", <head's fields>, "<list>":[…]}, a line.
void PrintJson(std::ostream& out, const std::string& thing, const Record& head,
               const std::string& list, const std::vector<Record>& records);
// The same of one thing: its fields stand beside the schema.
void PrintJson(std::ostream& out, const std::string& thing,
               const Record& record);
// A header line and one line a record, as RFC 4180 but for the line's end. All
// must have the fields of `header`, which is what an empty list prints. Texts
// that a spreadsheet would run get an apostrophe (scheduler/base/csv.h); on a
// terminal what steers it is shown as \xNN, as in tables; all else is as given.
// JSON has every text exactly.
void PrintCsv(Context& context, const Record& header,
              const std::vector<Record>& records);

// Prints a table, on a terminal as wide as that; says, among the messages,
// which columns had no room.
void ShowTable(const Table& table, Context& context);
// The same where a question is asked: among the messages.
void ShowTableInMessages(const Table& table, Context& context);

// Adds -o/--format with table, json and csv.
void AddFormat(Command& command, std::string* format);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_OUTPUT_H_
