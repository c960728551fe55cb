// WattTime v3: marginal operating emissions rate.
// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/base/units.h"
#include "scheduler/providers/json.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "watttime";

absl::Status CheckMeta(const Json& json, const std::string& region,
                       absl::Duration* step) {
  const auto it = json.find("meta");
  if (it == json.end() || !it->is_object()) {
    return absl::InvalidArgumentError("watttime: meta is missing");
  }
  ASSIGN_OR_RETURN(const std::string units, TextAt(*it, "units", "meta"));
  if (units != "lbs_co2_per_mwh") {
    return absl::InvalidArgumentError(absl::StrFormat(
        "watttime: meta.units: \"%s\" is not lbs_co2_per_mwh", units));
  }
  ASSIGN_OR_RETURN(const std::string signal,
                   TextAt(*it, "signal_type", "meta"));
  if (signal != "co2_moer") {
    return absl::InvalidArgumentError(absl::StrFormat(
        "watttime: meta.signal_type: \"%s\" is not co2_moer", signal));
  }
  ASSIGN_OR_RETURN(const std::string of, TextAt(*it, "region", "meta"));
  if (of != region) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "watttime: the answer is of region %s, not of %s", of, region));
  }
  ASSIGN_OR_RETURN(const double seconds,
                   NumberAt(*it, "data_point_period_seconds", "meta"));
  if (!(seconds >= 1 && seconds <= 86400)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "watttime: meta.data_point_period_seconds: %g", seconds));
  }
  *step = absl::Seconds(seconds);
  return absl::OkStatus();
}

absl::StatusOr<Points> ReadRows(const Json& rows, const std::string& path,
                                absl::Duration step) {
  Points points;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string at = absl::StrFormat("%s[%d]", path, i);
    ASSIGN_OR_RETURN(const absl::Time time, TimeAt(rows[i], "point_time", at));
    ASSIGN_OR_RETURN(const double pounds, NumberAt(rows[i], "value", at));
    RETURN_IF_ERROR(points.Add(GridSignal::kIntensity, time,
                               FromPoundsPerMwh(pounds).value(), false, step));
  }
  return points;
}

}  // namespace

absl::StatusOr<std::vector<GridUpdate>> ParseWattTime(std::string_view body,
                                                      const std::string& region,
                                                      bool actual,
                                                      absl::Time now) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body, kSource));
  if (const auto error = OptionalText(json, "error")) {
    return absl::InvalidArgumentError(
        absl::StrCat("watttime: answered: ", *error));
  }
  if (!json.is_object()) {
    return absl::InvalidArgumentError("watttime: the answer is not an object");
  }
  absl::Duration step;
  RETURN_IF_ERROR(CheckMeta(json, region, &step));
  ASSIGN_OR_RETURN(const Json* data, ArrayAt(json, "data", kSource));
  AnswerContext context{kSource, "marginal-direct", now, std::nullopt};
  absl::StatusOr<absl::Time> generated =
      TimeAt(json["meta"], "generated_at", "meta");
  if (generated.ok()) context.issued = *generated;
  if (data->empty() || !(*data)[0].contains("forecast")) {
    ASSIGN_OR_RETURN(const Points points,
                     ReadRows(*data, "watttime.data", step));
    return points.Build(context, actual);
  }
  std::vector<GridUpdate> all;  // historical forecasts: many issues
  for (size_t i = 0; i < data->size(); ++i) {
    const std::string at = absl::StrFormat("watttime.data[%d]", i);
    ASSIGN_OR_RETURN(context.issued, TimeAt((*data)[i], "generated_at", at));
    ASSIGN_OR_RETURN(const Json* rows, ArrayAt((*data)[i], "forecast", at));
    ASSIGN_OR_RETURN(const Points points,
                     ReadRows(*rows, at + ".forecast", step));
    ASSIGN_OR_RETURN(std::vector<GridUpdate> updates,
                     points.Build(context, /*actual=*/false));
    for (GridUpdate& u : updates) all.push_back(std::move(u));
  }
  return all;
}

absl::StatusOr<std::string> ParseWattTimeLogin(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body, "watttime login"));
  const auto it = json.is_object() ? json.find("token") : json.end();
  if (it == json.end() || !it->is_string() ||
      it->get_ref<const std::string&>().empty()) {
    return absl::InvalidArgumentError(
        "watttime: the answer to the login holds no token");
  }
  return it->get<std::string>();
}

}  // namespace ccsched
