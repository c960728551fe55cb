// ENTSO-E A75: actual generation per production type.
// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/providers/parsers.h"
#include "scheduler/providers/xml.h"

namespace ccsched {
namespace {

constexpr char kSource[] = "entsoe";

absl::Status Invalid(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("entsoe: ", what));
}

// Source: ENTSO-E, code list of PsrType.
Fuel FuelOf(std::string_view type) {
  static const std::map<std::string, Fuel, std::less<>> kFuelOf = {
      {"B01", Fuel::kBiomass},    {"B02", Fuel::kCoal},  // lignite
      {"B03", Fuel::kGas},                               // from coal
      {"B04", Fuel::kGas},        {"B05", Fuel::kCoal},
      {"B06", Fuel::kOil},        {"B07", Fuel::kOil},    // shale
      {"B08", Fuel::kCoal},                               // peat
      {"B09", Fuel::kGeothermal}, {"B10", Fuel::kHydro},  // pumped
      {"B11", Fuel::kHydro},      {"B12", Fuel::kHydro},
      {"B14", Fuel::kNuclear},    {"B16", Fuel::kSolar},
      {"B18", Fuel::kWind},       {"B19", Fuel::kWind}};
  const auto it = kFuelOf.find(type);
  return it == kFuelOf.end() ? Fuel::kUnknown : it->second;
}

template <typename T>
std::optional<T> ToNumber(std::string_view text) {
  T value = 0;
  const auto [at, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// One Period: a quantity for each interval, absent where none was given.
struct Period {
  absl::Time start;
  absl::Duration step;
  std::vector<std::optional<double>> quantities;
};

absl::StatusOr<absl::Duration> Resolution(std::string_view text) {
  for (const auto& [name, minutes] :
       {std::pair("PT15M", 15), {"PT30M", 30}, {"PT60M", 60}, {"PT1H", 60}}) {
    if (text == name) return absl::Minutes(minutes);
  }
  return Invalid(
      absl::StrFormat("resolution \"%s\" is not PT15M, PT30M or PT60M", text));
}

absl::Status ReadPoints(const XmlElement& xml, bool fill_forward,
                        Period* period) {
  for (const XmlElement& point : xml.children) {
    if (point.name != "Point") continue;
    const auto position = ToNumber<int64_t>(point.TextOf("position"));
    const auto quantity = ToNumber<double>(point.TextOf("quantity"));
    const int64_t size = static_cast<int64_t>(period->quantities.size());
    if (!position || *position < 1 || *position > size) {
      return Invalid(absl::StrFormat(
          "position \"%s\" is not between 1 and %d in the period from %s",
          point.TextOf("position"), size, FormatUtc(period->start)));
    }
    if (!quantity || !std::isfinite(*quantity)) {
      return Invalid(absl::StrFormat(
          "quantity \"%s\" at position %d of the "
          "period from %s is not a number",
          point.TextOf("quantity"), *position, FormatUtc(period->start)));
    }
    std::optional<double>& slot = period->quantities[*position - 1];
    if (slot && *slot != *quantity) {
      return Invalid(
          absl::StrFormat("two quantities at position %d of the period from %s",
                          *position, FormatUtc(period->start)));
    }
    slot = *quantity;
  }
  if (!fill_forward) return absl::OkStatus();
  for (size_t i = 1; i < period->quantities.size(); ++i) {
    if (!period->quantities[i]) {
      period->quantities[i] = period->quantities[i - 1];
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Period> ReadPeriod(const XmlElement& xml, bool fill_forward) {
  Period period;
  const XmlElement* interval = xml.Child("timeInterval");
  absl::Time end;
  if (interval == nullptr ||
      !ParseGridTime(interval->TextOf("start"), &period.start) ||
      !ParseGridTime(interval->TextOf("end"), &end)) {
    return Invalid("a period without a time interval");
  }
  ASSIGN_OR_RETURN(period.step, Resolution(xml.TextOf("resolution")));
  const absl::Duration length = end - period.start;
  if (length <= absl::ZeroDuration() || length > absl::Hours(24 * 400) ||
      length % period.step != absl::ZeroDuration()) {
    return Invalid(
        absl::StrFormat("the period from %s to %s is not a number "
                        "of steps of %s",
                        FormatUtc(period.start), FormatUtc(end),
                        absl::FormatDuration(period.step)));
  }
  period.quantities.resize(length / period.step);
  RETURN_IF_ERROR(ReadPoints(xml, fill_forward, &period));
  return period;
}

// The types of generation, each with its periods.
using Series = std::map<std::string, std::vector<Period>>;

absl::Status ReadTimeSeries(const XmlElement& xml, Series* series) {
  // Storage that fills is consumption, in the domain that goes out.
  if (xml.Child("outBiddingZone_Domain.mRID") != nullptr) {
    return absl::OkStatus();
  }
  const std::string_view unit = xml.TextOf("quantity_Measure_Unit.name");
  if (unit != "MAW") {
    return Invalid(absl::StrFormat("unit \"%s\" is not MAW", unit));
  }
  const std::string_view curve = xml.TextOf("curveType");
  if (curve != "A01" && curve != "A03") {
    return Invalid(
        absl::StrFormat("curve type \"%s\" is neither A01 nor A03", curve));
  }
  const XmlElement* type = xml.Child("MktPSRType");
  if (type == nullptr || type->TextOf("psrType").empty()) {
    return Invalid("a time series without a production type");
  }
  const std::string name(type->TextOf("psrType"));
  for (const XmlElement& child : xml.children) {
    if (child.name != "Period") continue;
    ASSIGN_OR_RETURN(Period period, ReadPeriod(child, curve == "A03"));
    (*series)[name].push_back(std::move(period));
  }
  return absl::OkStatus();
}

// Means over `step`, which every period's step divides.
absl::Status Tabulate(const Series& series, absl::Duration step,
                      GenerationTable* table) {
  for (const auto& [type, periods] : series) {
    // By interval: sum and number of finer steps seen.
    std::map<absl::Time, std::pair<double, absl::Duration>> sums;
    std::map<absl::Time, absl::Duration> seen;
    for (const Period& p : periods) {
      for (size_t i = 0; i < p.quantities.size(); ++i) {
        if (!p.quantities[i]) continue;
        const absl::Time t = p.start + p.step * i;
        if (!seen.try_emplace(t, p.step).second) {
          return Invalid(
              absl::StrFormat("two periods of %s have %s", type, FormatUtc(t)));
        }
        const absl::Time slot =
            absl::UnixEpoch() + absl::Floor(t - absl::UnixEpoch(), step);
        auto& [sum, covered] = sums[slot];
        sum += *p.quantities[i] * absl::FDivDuration(p.step, step);
        covered += p.step;
      }
    }
    for (const auto& [slot, value] : sums) {
      if (value.second == step) {
        table->Add(slot, type, FuelOf(type), value.first);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<GridUpdate>> ParseEntsoe(std::string_view body,
                                                    const FactorSet& factors,
                                                    absl::Time now) {
  ASSIGN_OR_RETURN(const XmlElement root, ParseXml(body));
  if (root.name == "Acknowledgement_MarketDocument") {
    const XmlElement* reason = root.Child("Reason");
    const std::string text =
        reason == nullptr ? "" : std::string(reason->TextOf("text"));
    return Invalid(absl::StrCat("answered: ", text));
  }
  if (root.name != "GL_MarketDocument") {
    return Invalid(absl::StrFormat(
        "a %s where a GL_MarketDocument was expected", root.name));
  }
  Series series;
  for (const XmlElement& child : root.children) {
    if (child.name == "TimeSeries") {
      RETURN_IF_ERROR(ReadTimeSeries(child, &series));
    }
  }
  absl::Duration step;
  for (const auto& [type, periods] : series) {
    for (const Period& p : periods) step = std::max(step, p.step);
  }
  GenerationTable table;
  RETURN_IF_ERROR(Tabulate(series, step, &table));
  AnswerContext context{kSource, "", now, std::nullopt};
  absl::Time created;
  if (ParseGridTime(root.TextOf("createdDateTime"), &created)) {
    context.issued = created;
  }
  return table.Build(factors, context, step);
}

}  // namespace ccsched
