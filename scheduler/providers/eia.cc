// EIA v2: hourly generation by fuel of a balancing authority.
// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/providers/json.h"
#include "scheduler/providers/parsers.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "eia";

// Storage ("BAT", "PS") gives back what was generated before: left out.
std::optional<Fuel> FuelOf(const std::string& type) {
  static const std::map<std::string, Fuel> kFuelOf = {
      {"COL", Fuel::kCoal},      {"NG", Fuel::kGas},    {"OIL", Fuel::kOil},
      {"NUC", Fuel::kNuclear},   {"WAT", Fuel::kHydro}, {"SUN", Fuel::kSolar},
      {"SNB", Fuel::kSolar},     {"WND", Fuel::kWind},  {"WNB", Fuel::kWind},
      {"GEO", Fuel::kGeothermal}};
  if (type == "BAT" || type == "PS" || type == "UES") return std::nullopt;
  const auto it = kFuelOf.find(type);
  return it == kFuelOf.end() ? Fuel::kUnknown : it->second;
}

absl::StatusOr<Json> Response(std::string_view page) {
  ASSIGN_OR_RETURN(Json json, ParseJson(page, kSource));
  if (json.is_object() && json.contains("response") &&
      json["response"].is_object()) {
    return std::move(json["response"]);
  }
  const std::string error =
      OptionalText(json, "error").value_or("something without a response");
  return absl::InvalidArgumentError(absl::StrCat("eia: answered: ", error));
}

// A number, or a number in quotes; absent for null.
absl::StatusOr<std::optional<double>> ValueAt(const Json& row,
                                              const std::string& path) {
  if (!row.contains("value") || row["value"].is_null()) {
    return std::optional<double>();
  }
  if (const std::optional<std::string> text = OptionalText(row, "value")) {
    double value = 0;
    const char* end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || at != end || !std::isfinite(value)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s.value: \"%s\" is not a number", path, *text));
    }
    return std::optional<double>(value);
  }
  ASSIGN_OR_RETURN(const double value, NumberAt(row, "value", path));
  return std::optional<double>(value);
}

absl::StatusOr<absl::Time> PeriodStart(const Json& row,
                                       const std::string& path) {
  ASSIGN_OR_RETURN(const std::string period, TextAt(row, "period", path));
  absl::Time end;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H", period, &end, &error)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.period: \"%s\" is not an hour", path, period));
  }
  return end - absl::Hours(1);
}

absl::Status AddRow(
    const Json& row, const std::string& path, const std::string& respondent,
    GenerationTable* table,
    std::map<std::pair<absl::Time, std::string>, double>* seen) {
  ASSIGN_OR_RETURN(const std::string of, TextAt(row, "respondent", path));
  if (of != respondent) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s is of respondent %s, not of %s", path, of, respondent));
  }
  const std::string units =
      OptionalText(row, "value-units").value_or("megawatthours");
  if (units != "megawatthours") {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s.value-units: \"%s\" is not megawatthours", path, units));
  }
  ASSIGN_OR_RETURN(const std::string type, TextAt(row, "fueltype", path));
  ASSIGN_OR_RETURN(const absl::Time start, PeriodStart(row, path));
  ASSIGN_OR_RETURN(const std::optional<double> value, ValueAt(row, path));
  const std::optional<Fuel> fuel = FuelOf(type);
  if (!value || !fuel) return absl::OkStatus();
  const auto [it, added] = seen->try_emplace({start, type}, *value);
  if (!added) {
    if (it->second == *value) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: two values of %s for %s: %g and %g", path, type,
                        FormatUtc(start), it->second, *value));
  }
  table->Add(start, type, *fuel, *value);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> ParseEiaTotal(std::string_view page) {
  ASSIGN_OR_RETURN(const Json response, Response(page));
  const auto it = response.find("total");
  if (it == response.end()) {
    return absl::InvalidArgumentError("eia.response.total is missing");
  }
  if (it->is_number_integer()) return it->get<int64_t>();
  int64_t total = 0;
  const std::string text = OptionalText(response, "total").value_or("");
  const auto [at, error] =
      std::from_chars(text.data(), text.data() + text.size(), total);
  if (error != std::errc() || at != text.data() + text.size()) {
    return absl::InvalidArgumentError("eia.response.total is not a number");
  }
  return total;
}

absl::StatusOr<std::vector<GridUpdate>> ParseEia(
    const std::vector<std::string>& pages, const std::string& respondent,
    const FactorSet& factors, absl::Time now) {
  GenerationTable table;
  std::map<std::pair<absl::Time, std::string>, double> seen;
  for (size_t p = 0; p < pages.size(); ++p) {
    ASSIGN_OR_RETURN(const Json response, Response(pages[p]));
    ASSIGN_OR_RETURN(const Json* rows, ArrayAt(response, "data", kSource));
    for (size_t i = 0; i < rows->size(); ++i) {
      RETURN_IF_ERROR(AddRow((*rows)[i],
                             absl::StrFormat("eia page %d data[%d]", p + 1, i),
                             respondent, &table, &seen));
    }
  }
  return table.Build(factors, {kSource, "", now, std::nullopt}, absl::Hours(1));
}

}  // namespace ccsched
