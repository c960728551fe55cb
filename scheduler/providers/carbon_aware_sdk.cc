// Carbon Aware SDK WebAPI: forecasts and past values of one location.
// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/providers/json.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "carbon-aware-sdk";

absl::Status CheckLocation(const Json& row, const std::string& location,
                           const std::string& path) {
  const std::optional<std::string> of = OptionalText(row, "location");
  if (!of || *of == location) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is of location %s, not of %s", path, *of, location));
}

// Minutes as a number, or "hh:mm:ss".
absl::StatusOr<absl::Duration> DurationAt(const Json& row,
                                          const std::string& path) {
  if (const std::optional<std::string> text = OptionalText(row, "duration")) {
    absl::Time t;
    std::string error;
    if (absl::ParseTime("%H:%M:%S", *text, &t, &error)) {
      return t - absl::FromUnixSeconds(absl::ToUnixSeconds(t) / 86400 * 86400);
    }
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.duration: \"%s\" is not hh:mm:ss", path, *text));
  }
  ASSIGN_OR_RETURN(const double minutes, NumberAt(row, "duration", path));
  if (!(minutes > 0 && minutes <= 1440)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.duration: %g minutes", path, minutes));
  }
  return absl::Seconds(60 * minutes);
}

absl::Status AddRow(const Json& row, const std::string& location,
                    const std::string& path, bool actual, Points* points) {
  RETURN_IF_ERROR(CheckLocation(row, location, path));
  ASSIGN_OR_RETURN(const absl::Time time,
                   TimeAt(row, actual ? "time" : "timestamp", path));
  ASSIGN_OR_RETURN(const double value,
                   NumberAt(row, actual ? "rating" : "value", path));
  ASSIGN_OR_RETURN(const absl::Duration length, DurationAt(row, path));
  return points->Add(GridSignal::kIntensity, time, value, false, length);
}

}  // namespace

absl::StatusOr<std::vector<GridUpdate>> ParseCarbonAwareSdk(
    std::string_view body, const std::string& location, bool actual,
    const AnswerContext& context) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body, kSource));
  if (!json.is_array()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: answered: %s", kSource,
        OptionalText(json, "title").value_or("something that is no list")));
  }
  AnswerContext c = context;
  c.source = kSource;
  std::vector<GridUpdate> all;
  Points past;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string at = absl::StrFormat("%s[%d]", kSource, i);
    if (actual) {
      RETURN_IF_ERROR(AddRow(json[i], location, at, true, &past));
      continue;
    }
    RETURN_IF_ERROR(CheckLocation(json[i], location, at));
    ASSIGN_OR_RETURN(const Json* rows, ArrayAt(json[i], "forecastData", at));
    ASSIGN_OR_RETURN(c.issued, TimeAt(json[i], "generatedAt", at));
    Points points;
    for (size_t j = 0; j < rows->size(); ++j) {
      RETURN_IF_ERROR(AddRow((*rows)[j], location,
                             absl::StrFormat("%s.forecastData[%d]", at, j),
                             false, &points));
    }
    ASSIGN_OR_RETURN(std::vector<GridUpdate> updates, points.Build(c, false));
    for (GridUpdate& u : updates) all.push_back(std::move(u));
  }
  if (actual) return past.Build(c, true);
  if (all.empty()) {
    return absl::NotFoundError("carbon-aware-sdk: no forecast in the answer");
  }
  return all;
}

}  // namespace ccsched
