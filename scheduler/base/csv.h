// Fields of CSV, as RFC 4180 wants them quoted and as spreadsheets leave them
// alone.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_CSV_H_
#define CCSCHED_SCHEDULER_BASE_CSV_H_

#include <string>
#include <string_view>
#include <vector>

namespace ccsched {

// Appends a field, in quotes where it has to be.
// Source: RFC 4180, 2.6 and 2.7.
void AppendCsvField(std::string_view field, std::string& out);

// `field` as a spreadsheet shows it without running it: what begins with = + -
// @, a tab or a carriage return and is no number gets an apostrophe in front.
// A job's or a project's name is its user's to choose, and whoever opens a
// report would run it as a formula. Quotes are no help, as spreadsheets take
// them off first. Numbers stay numbers.
// Source: OWASP, CSV Injection; ASVS 5.0, 1.2.10.
std::string CsvSafeText(std::string_view field);

// One line, with its newline, every field CsvSafeText.
std::string CsvLine(const std::vector<std::string>& fields);

// A header's fields for a message about one that is not among them: cut after
// some 300 characters, as the file may be anything. Says so where another
// character than a comma seems to separate them.
std::string ColumnsText(const std::vector<std::string>& fields);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_CSV_H_
