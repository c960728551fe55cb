// Electricity Maps v4: carbon intensity and carbon-free energy.
// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/providers/json.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "electricity-maps";

absl::Status Invalid(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(kSource, ": ", what));
}

absl::Status AddRow(const Json& row, const std::string& path,
                    const ElectricityMapsRequest& request, Points* points) {
  const std::optional<std::string> zone = OptionalText(row, "zone");
  if (zone && *zone != request.zone) {
    return Invalid(absl::StrFormat("%s is of zone %s, not of %s", path, *zone,
                                   request.zone));
  }
  const std::optional<std::string> factors =
      OptionalText(row, "emissionFactorType");
  if (factors && "average-" + *factors != request.context.basis) {
    return Invalid(absl::StrFormat("%s has %s factors where %s was asked for",
                                   path, *factors, request.context.basis));
  }
  ASSIGN_OR_RETURN(const absl::Time time, TimeAt(row, "datetime", path));
  const bool share = !row.contains("carbonIntensity");
  ASSIGN_OR_RETURN(const double value,
                   NumberAt(row, share ? "value" : "carbonIntensity", path));
  return points->Add(share ? GridSignal::kCarbonFree : GridSignal::kIntensity,
                     time, value, TrueAt(row, "isEstimated"));
}

}  // namespace

absl::StatusOr<std::vector<GridUpdate>> ParseElectricityMaps(
    std::string_view body, const ElectricityMapsRequest& request) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(body, kSource));
  if (!json.is_object()) return Invalid("the answer is not an object");
  if (const auto error = OptionalText(json, "error")) {
    return Invalid(absl::StrCat("answered: ", *error));
  }
  const std::optional<std::string> zone = OptionalText(json, "zone");
  if (zone && *zone != request.zone) {
    return Invalid(absl::StrFormat("the answer is of zone %s, not of %s", *zone,
                                   request.zone));
  }
  const std::optional<std::string> unit = OptionalText(json, "unit");
  if (unit && *unit != "%" && *unit != "gCO2eq/kWh") {
    return Invalid(
        absl::StrFormat("unit \"%s\" is neither gCO2eq/kWh nor %%", *unit));
  }
  Points points;
  const char* list = nullptr;
  for (const char* name : {"history", "data", "forecast"}) {
    if (json.contains(name)) list = name;
  }
  if (list == nullptr) {
    RETURN_IF_ERROR(AddRow(json, kSource, request, &points));
  } else {
    ASSIGN_OR_RETURN(const Json* rows, ArrayAt(json, list, kSource));
    for (size_t i = 0; i < rows->size(); ++i) {
      RETURN_IF_ERROR(AddRow((*rows)[i],
                             absl::StrFormat("%s.%s[%d]", kSource, list, i),
                             request, &points));
    }
  }
  AnswerContext context = request.context;
  context.source = kSource;
  absl::StatusOr<absl::Time> updated = TimeAt(json, "updatedAt", kSource);
  if (updated.ok()) context.issued = *updated;
  return points.Build(context, request.actual);
}

}  // namespace ccsched
