// Finds the header lines and hands each to what understands it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/script_header.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

absl::StatusOr<JobOptions> ReadCcsched(std::vector<std::string> words) {
  JobOptions line;
  Command command("#CCSCHED", "");
  AddJobOptions(command, &line);
  command.OnRun([] { return 0; });
  std::string help;
  const auto parsed = command.Parse(std::move(words), &help);
  if (!parsed.ok()) {
    // The first line of it says what; the second would advise --help.
    const std::string what(parsed.status().message());
    return absl::InvalidArgumentError(what.substr(0, what.find('\n')));
  }
  if (*parsed == nullptr) {
    return absl::InvalidArgumentError("#CCSCHED: --help is no job's option");
  }
  return line;
}

}  // namespace

absl::Status ScriptHeader::Located(const absl::Status& why) const {
  for (const auto& [at, line] : lines) {
    v1::JobSpec alone;
    const absl::Status status = ApplyJobOptions(
        line, [] { return absl::UnixEpoch(); }, absl::LocalTimeZone(),
        [](const char* name) { return getenv(name); }, &alone);
    if (status.ok() || status.message() != why.message()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(at, absl::string_view(why.message())));
  }
  return why;
}

absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (quote != 0) {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else if (c == '#' && !in_word) {
      break;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", std::string(1, quote), " is not closed"));
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

absl::StatusOr<ScriptHeader> ReadScriptHeader(std::string_view script,
                                              std::string_view file) {
  ScriptHeader header;
  JobOptions ours;
  int number = 0;
  while (!script.empty()) {
    const size_t end = script.find('\n');
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(end == script.npos ? script.size() : end + 1);
    const std::string at = absl::StrCat(ToAbsl(file), ":", ++number, ": ");
    const std::string_view stripped =
        ToStd(absl::StripAsciiWhitespace(ToAbsl(line)));
    if (stripped.empty()) continue;
    if (stripped[0] != '#') break;  // The first command ends the header.
    const bool sbatch = absl::StartsWith(ToAbsl(line), "#SBATCH");
    if (!sbatch && !absl::StartsWith(ToAbsl(line), "#CCSCHED")) continue;
    const std::string_view rest = line.substr(sbatch ? 7 : 8);
    if (!rest.empty() && rest[0] != ' ' && rest[0] != '\t') continue;
    absl::StatusOr<std::vector<std::string>> words = SplitWords(rest);
    absl::Status status = words.status();
    std::vector<std::string> ignored;
    if (status.ok() && !words->empty() && sbatch) {
      status =
          ApplySbatch(*words, &header.options, &header.export_all, &ignored);
    } else if (status.ok() && !words->empty()) {
      auto line_options = ReadCcsched(*std::move(words));
      status = line_options.status();
      if (status.ok()) {
        LayOver(*line_options, &ours);
        header.lines.emplace_back(at, *std::move(line_options));
      }
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(at, absl::string_view(status.message())));
    }
    for (const std::string& warning : ignored) {
      header.warnings.push_back(at + warning);
    }
  }
  LayOver(ours, &header.options);
  return header;
}

}  // namespace ccsched
