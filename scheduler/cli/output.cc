// Writes JSON and CSV.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/output.h"

#include <charconv>
#include <cmath>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/csv.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {

std::string JsonString(std::string_view text) {
  // What is no UTF-8 would make the whole document unreadable.
  const std::string clean =
      IsUtf8(text) ? std::string(text) : Printable(text, text.size() * 4);
  std::string out = "\"";
  for (size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    if (IsC1At(clean, i)) {
      out += absl::StrFormat("\\u%04x", static_cast<unsigned char>(clean[++i]));
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += absl::StrFormat("\\u%04x", c);
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string JsonNumber(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

void Record::AddTime(const std::string& name, bool given,
                     const google::protobuf::Timestamp& time) {
  if (!given) return AddNull(name);
  Add(name, FormatRfc3339(FromProto(time)));
}

void Record::AddSeconds(const std::string& name, bool given,
                        const google::protobuf::Duration& duration) {
  if (!given) return AddNull(name);
  Add(name, absl::ToDoubleSeconds(FromProto(duration)));
}

void Record::AddRecord(const std::string& name, const Record& record) {
  fields_.push_back({name, record.ToJson(), record.ToJson()});
}

void Record::AddRecords(const std::string& name,
                        const std::vector<Record>& records) {
  std::string json = "[";
  for (size_t i = 0; i < records.size(); ++i) {
    absl::StrAppend(&json, i > 0 ? "," : "", records[i].ToJson());
  }
  json += "]";
  fields_.push_back({name, json, json});
}

void Record::AddAsList(const std::string& name, const Record& list) {
  std::string json = "[", csv;
  for (const Field& field : list.fields_) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", field.json);
    absl::StrAppend(&csv, csv.empty() ? "" : " ", field.csv);
  }
  fields_.push_back({name, json + "]", csv});
}

std::string Record::ToJson() const {
  std::string json = "{";
  for (const Field& field : fields_) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", JsonString(field.name),
                    ":", field.json);
  }
  return json + "}";
}

std::vector<std::string> Record::Names() const {
  std::vector<std::string> names;
  for (const Field& field : fields_) names.push_back(field.name);
  return names;
}

std::vector<std::string> Record::CsvFields() const {
  std::vector<std::string> values;
  for (const Field& field : fields_) values.push_back(field.csv);
  return values;
}

void PrintJson(std::ostream& out, const std::string& thing,
               const Record& record) {
  const std::string json = record.ToJson();
  out << "{\"schema\":\"ccsched." << thing << "/v1\""
      << (json == "{}" ? "" : ",") << json.substr(1) << "\n";
}

void PrintJson(std::ostream& out, const std::string& thing, const Record& head,
               const std::string& list, const std::vector<Record>& records) {
  Record whole = head;
  whole.AddRecords(list, records);
  PrintJson(out, thing, whole);
}

void PrintCsv(Context& context, const Record& header,
              const std::vector<Record>& records) {
  context.out << CsvLine(header.Names());
  for (const Record& record : records) {
    std::vector<std::string> fields = record.CsvFields();
    if (context.out_terminal) {
      for (std::string& f : fields) f = Printable(f, f.size() * 4);
    }
    context.out << CsvLine(fields);
  }
}

namespace {

void Show(const Table& table, Context& context, bool terminal,
          std::ostream& out) {
  const std::vector<std::string> left_out =
      table.Print(out, context.out_colour, terminal ? context.out_width : 0);
  if (left_out.empty()) return;
  out.flush();
  context.err << "No room in " << context.out_width << " columns for "
              << absl::StrJoin(left_out, ", ")
              << "; piped into 'less -S' or 'cat', all are there.\n";
}

}  // namespace

void ShowTable(const Table& table, Context& context) {
  Show(table, context, context.out_terminal, context.out);
}

void ShowTableInMessages(const Table& table, Context& context) {
  Show(table, context, context.err_terminal, context.err);
}

void AddFormat(Command& command, std::string* format) {
  command.Choice("-o,--format", format, {"table", "json", "csv"},
                 "how to print it");
}

}  // namespace ccsched
