// Energy and CO2e of a described training run.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/footprint.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/power.h"

namespace ccsched {
namespace {

std::set<std::string> Words(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    if (absl::ascii_isalnum(c)) {
      word += absl::ascii_tolower(c);
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

bool HasAll(const std::set<std::string>& words,
            const std::set<std::string>& wanted) {
  for (const std::string& w : wanted) {
    if (!words.contains(w)) return false;
  }
  return !wanted.empty();
}

}  // namespace

FootprintResult Footprint(const TrainingRun& run) {
  FootprintResult r;
  r.energy = run.watts * (absl::Hours(24) * run.days) * (run.chips * run.pue);
  r.gross = r.energy * run.gross;
  r.net = r.energy * run.net.value_or(run.gross);
  return r;
}

// gCO2e/kWh; coal is near 1,000.
constexpr double kIntensityMax = 10'000;

absl::Status CheckRun(const TrainingRun& run) {
  const auto error = [&run](const char* field, double value,
                            const char* needed) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "run \"%s\": %s: %g is not %s", run.name, field, value, needed));
  };
  // Within these bounds no figure runs over.
  const auto within = [](double v, double most) { return v > 0 && v <= most; };
  if (run.name.empty()) return absl::InvalidArgumentError("a run has no name");
  if (!within(run.chips, 1e9)) {
    return error("chips", run.chips, "above 0, at most 1e9");
  }
  if (!within(run.days, 36525)) {
    return error("days", run.days, "above 0, at most a century");
  }
  if (!within(run.watts.value(), 1e9)) {
    return error("watts", run.watts.value(), "above 0, at most 1e9");
  }
  if (!CheckPue(run.pue).ok()) return error("pue", run.pue, "at least 1");
  if (!(run.gross.value() >= 0) || run.gross.value() > kIntensityMax) {
    return error("gross_g_per_kwh", run.gross.value(),
                 "0 or above, at most 10000");
  }
  if (run.net && (!(run.net->value() >= 0) || *run.net > run.gross)) {
    return error("net_g_per_kwh", run.net->value(), "between 0 and gross");
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingRun> FindRun(absl::Span<const TrainingRun> runs,
                                    std::string_view name) {
  for (const TrainingRun& r : runs) {
    if (absl::EqualsIgnoreCase(r.name, ToAbsl(name))) return r;
  }
  const std::set<std::string> wanted = Words(name);
  std::vector<const TrainingRun*> found;
  for (const TrainingRun& r : runs) {
    if (HasAll(Words(r.name), wanted)) found.push_back(&r);
  }
  if (found.size() == 1) return *found[0];
  std::vector<std::string> names;
  names.reserve(runs.size());
  for (const TrainingRun* r : found) names.push_back(r->name);
  if (found.empty()) {
    for (const TrainingRun& r : runs) names.push_back(r.name);
  }
  return absl::NotFoundError(absl::StrFormat(
      "%s named \"%s\"; there %s: %s",
      found.empty() ? "no run is" : "several runs could be", name,
      names.size() == 1 ? "is" : "are", absl::StrJoin(names, "; ")));
}

}  // namespace ccsched
