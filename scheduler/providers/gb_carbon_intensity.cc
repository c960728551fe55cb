// GB Carbon Intensity: national and regional half hours.
// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/providers/json.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "gb-carbon-intensity";

absl::Status AddRow(const Json& row, const std::string& path, Points* forecast,
                    Points* actual) {
  ASSIGN_OR_RETURN(const absl::Time from, TimeAt(row, "from", path));
  ASSIGN_OR_RETURN(const absl::Time to, TimeAt(row, "to", path));
  const auto it = row.find("intensity");
  if (it == row.end() || !it->is_object()) {
    return absl::InvalidArgumentError(path + ".intensity is missing");
  }
  const std::string at = path + ".intensity";
  bool any = false;
  for (const bool is_actual : {false, true}) {
    const char* key = is_actual ? "actual" : "forecast";
    if (!it->contains(key) || (*it)[key].is_null()) continue;
    ASSIGN_OR_RETURN(const double value, NumberAt(*it, key, at));
    RETURN_IF_ERROR(
        (is_actual ? actual : forecast)
            ->Add(GridSignal::kIntensity, from, value, false, to - from));
    any = true;
  }
  if (any) return absl::OkStatus();
  return absl::InvalidArgumentError(at + " holds neither forecast nor actual");
}

}  // namespace

absl::StatusOr<std::vector<GridUpdate>> ParseGbCarbonIntensity(
    std::string_view body, absl::Time now) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body, kSource));
  if (json.is_object() && json.contains("error")) {
    const Json& error = json["error"];
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: answered: %s", kSource,
                        OptionalText(error, "message").value_or("an error")));
  }
  // The regional answer nests data.data.
  const Json* holder = &json;
  if (json.is_object() && json.contains("data") && json["data"].is_object()) {
    holder = &json["data"];
  }
  ASSIGN_OR_RETURN(const Json* rows, ArrayAt(*holder, "data", kSource));
  Points forecast;
  Points actual;
  for (size_t i = 0; i < rows->size(); ++i) {
    RETURN_IF_ERROR(AddRow((*rows)[i],
                           absl::StrFormat("%s.data[%d]", kSource, i),
                           &forecast, &actual));
  }
  // Source of the basis: combustion factors of the methodology of 2017.
  const AnswerContext context{kSource, "average-direct", now, std::nullopt};
  std::vector<GridUpdate> all;
  if (!actual.empty()) {
    absl::StatusOr<std::vector<GridUpdate>> built = actual.Build(context, true);
    if (built.ok()) {
      all = *std::move(built);
    } else if (!absl::IsNotFound(built.status())) {
      return built.status();
    }
  }
  if (forecast.empty() && all.empty()) {
    return absl::NotFoundError("gb-carbon-intensity: no values in the answer");
  }
  if (forecast.empty()) return all;
  ASSIGN_OR_RETURN(std::vector<GridUpdate> issued,
                   forecast.Build(context, false));
  for (GridUpdate& u : issued) all.push_back(std::move(u));
  return all;
}

}  // namespace ccsched
