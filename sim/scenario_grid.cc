// Loads a scenario's regions: actual series, forecasts, prices.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_grid.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/price_csv.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/wire/money.h"
#include "scheduler/wire/proto_time.h"
#include "sim/forecasts.h"
#include "sim/issued_forecasts.h"

namespace ccsched {
namespace {

absl::Status At(const YamlSource& source, const std::string& path,
                const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(source.At(path), ": ", what));
}

// Names the scenario's line where the message names no file of its own.
absl::Status Blame(const YamlSource& source, const std::string& path,
                   const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat(source.At(path), ": ", std::string(status.message())));
}

// Shifts the stamps of a series.
StepSeries Shifted(const StepSeries& series, absl::Duration offset) {
  return *StepSeries::Create(series.start() + offset, series.step(),
                             series.values());
}

// How long after the last submission forecasts are still issued.
constexpr absl::Duration kAfterEnd = absl::Hours(24 * 60);

class RegionLoader {
 public:
  RegionLoader(const YamlSource& source, const ccsched::v1::MoneyConfig& money,
               uint64_t seed, Scenario& scenario)
      : source_(source), money_(money), seed_(seed), scenario_(scenario) {}

  absl::Status Load(const ccsched::v1::ScenarioRegion& region, int index) {
    at_ = absl::StrCat("regions[", index, "]");
    if (region.name().empty()) return At(source_, at_, "region without a name");
    for (const Region& other : scenario_.topology.regions) {
      if (other.name == region.name()) {
        return At(source_, at_ + ".name",
                  absl::StrCat("region ", region.name(), " is given twice"));
      }
    }
    const absl::StatusOr<GapRule> gaps = ParseGapRule(region.gaps());
    if (!gaps.ok()) return Blame(source_, at_ + ".gaps", gaps.status());
    gaps_ = *gaps;
    if (region.intensity().empty()) {
      return At(source_, at_,
                absl::StrCat("region ", region.name(), " has no intensity"));
    }
    RegionData data;
    data.file = ResolvePath(scenario_.path, region.intensity());
    scenario_.files.push_back(data.file);
    absl::StatusOr<GridColumn> actual =
        ReadGridCsv(data.file, region.column(), gaps_);
    if (!actual.ok()) {
      return Blame(source_, at_ + ".intensity", actual.status());
    }
    data.actual = std::move(actual->series);
    data.basis = actual->basis;
    RETURN_IF_ERROR(CheckBasis(region, data));
    RETURN_IF_ERROR(CheckCoverage(region.name(), data.actual));
    const RegionId id(static_cast<uint16_t>(scenario_.regions.size()));
    RETURN_IF_ERROR(LoadPrices(id, region, data));
    RETURN_IF_ERROR(LoadForecast(id, region.forecast(), data));
    scenario_.topology.regions.push_back({region.name()});
    scenario_.regions.push_back(std::move(data));
    return absl::OkStatus();
  }

 private:
  absl::Status CheckCoverage(const std::string& name,
                             const StepSeries& actual) const {
    absl::Time last = scenario_.start;
    if (scenario_.end != absl::InfiniteFuture()) last = scenario_.end;
    if (scenario_.horizon) last = std::max(last, *scenario_.horizon);
    if (actual.Covers(scenario_.start, last)) return absl::OkStatus();
    return At(
        source_, at_ + ".intensity",
        absl::StrCat("the intensity of ", name, " covers ",
                     FormatUtc(actual.start()), " to ", FormatUtc(actual.end()),
                     ", the scenario ", FormatUtc(scenario_.start), " to ",
                     FormatUtc(last)));
  }

  absl::StatusOr<ForecastSpec> Spec(
      const ccsched::v1::ScenarioForecast& forecast,
      const RegionData& data) const {
    const std::string at = at_ + ".forecast";
    ForecastSpec spec;
    spec.seed = seed_;
    if (!forecast.csv().empty()) {
      spec.kind = ForecastKind::kDayAhead;
      absl::StatusOr<GridColumn> column =
          ReadGridCsv(ResolvePath(scenario_.path, forecast.csv()),
                      forecast.column(), gaps_);
      if (!column.ok()) return Blame(source_, at + ".csv", column.status());
      RETURN_IF_ERROR(CheckForecastBasis(forecast, column->basis, data));
      spec.issued = Shifted(column->series, FromProto(forecast.offset()));
      return spec;
    }
    const absl::StatusOr<ForecastKind> kind =
        ParseForecastKind(forecast.name());
    if (!kind.ok()) return Blame(source_, at, kind.status());
    spec.kind = *kind;
    spec.forecaster = forecast.name();
    if (forecast.has_every()) spec.every = FromProto(forecast.every());
    if (forecast.has_horizon()) spec.reach = FromProto(forecast.horizon());
    if (forecast.has_error()) spec.error = forecast.error();
    if (forecast.has_correlation()) spec.correlation = forecast.correlation();
    if (spec.every <= absl::ZeroDuration() ||
        spec.reach <= absl::ZeroDuration() || !(spec.error >= 0) ||
        !(spec.correlation >= 0 && spec.correlation <= 1)) {
      return At(source_, at,
                "every and horizon have to be positive, error at least 0, "
                "correlation between 0 and 1");
    }
    return spec;
  }

  // Shares are no intensities, and grams of two bases make no sum.
  absl::Status CheckBasis(const ccsched::v1::ScenarioRegion& region,
                          const RegionData& data) const {
    const std::string column =
        region.column().empty() ? "" : absl::StrCat(" ", region.column());
    if (data.basis == "cfe" || data.basis == "renewable") {
      return At(source_, at_ + ".column",
                absl::StrCat("column", column, " of ", data.file,
                             " holds shares in %, not an intensity"));
    }
    for (size_t i = 0; i < scenario_.regions.size(); ++i) {
      const std::string& other = scenario_.regions[i].basis;
      if (data.basis.empty() || other.empty() || other == data.basis) continue;
      return At(
          source_, at_ + ".column",
          absl::StrCat("column", column, " of ", data.file, " is ", data.basis,
                       ", but region ", scenario_.topology.regions[i].name,
                       " is ", other, ": two bases never mix in one sum"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckForecastBasis(const ccsched::v1::ScenarioForecast& forecast,
                                  const std::string& basis,
                                  const RegionData& data) const {
    if (basis.empty() || data.basis.empty() || basis == data.basis) {
      return absl::OkStatus();
    }
    return At(source_, at_ + ".forecast",
              absl::StrCat("column ", forecast.column(), " of ", forecast.csv(),
                           " is ", basis, ", but the region's intensity ",
                           data.basis, ": two bases never mix"));
  }

  // Each row of the file says when it was issued.
  absl::Status LoadIssued(RegionId id,
                          const ccsched::v1::ScenarioForecast& forecast) {
    const std::string at = at_ + ".forecast";
    if (forecast.issued().empty()) {
      return At(source_, at + ".csv",
                "say when it was issued: day-ahead, or the column that has it");
    }
    absl::StatusOr<std::vector<ForecastIssue>> issues = ReadIssuedForecasts(
        id,
        {.path = ResolvePath(scenario_.path, forecast.csv()),
         .issued = forecast.issued(),
         .value = forecast.column(),
         .offset = FromProto(forecast.offset())},
        scenario_.start);
    if (!issues.ok()) return Blame(source_, at + ".csv", issues.status());
    std::move(issues->begin(), issues->end(),
              std::back_inserter(scenario_.forecasts));
    return absl::OkStatus();
  }

  absl::Status LoadForecast(RegionId id,
                            const ccsched::v1::ScenarioForecast& forecast,
                            RegionData& data) {
    if (!forecast.csv().empty()) {
      scenario_.files.push_back(ResolvePath(scenario_.path, forecast.csv()));
    }
    if (!forecast.csv().empty() && forecast.issued() != "day-ahead") {
      return LoadIssued(id, forecast);
    }
    ASSIGN_OR_RETURN(const ForecastSpec spec, Spec(forecast, data));
    data.foreseen = spec.kind == ForecastKind::kPerfect;
    absl::Time until = absl::InfiniteFuture();
    if (scenario_.horizon) {
      until = *scenario_.horizon;
    } else if (spec.kind == ForecastKind::kForecaster ||
               spec.kind == ForecastKind::kNoisy) {
      until = scenario_.end + kAfterEnd;  // then the last one is extended
    }
    absl::StatusOr<std::vector<ForecastIssue>> issues =
        MakeForecasts(id, spec, data.actual, scenario_.start, until);
    if (!issues.ok()) {
      return Blame(source_, at_ + ".forecast", issues.status());
    }
    std::move(issues->begin(), issues->end(),
              std::back_inserter(scenario_.forecasts));
    return absl::OkStatus();
  }

  absl::Status LoadPrices(RegionId id,
                          const ccsched::v1::ScenarioRegion& region,
                          RegionData& data) {
    const std::string& known = region.price_known();
    if (!known.empty() && known != "perfect" && known != "day-ahead") {
      return At(
          source_, at_ + ".price_known",
          absl::StrCat("\"", known, "\" is neither perfect nor day-ahead"));
    }
    if (region.price().empty()) return absl::OkStatus();
    scenario_.files.push_back(ResolvePath(scenario_.path, region.price()));
    absl::StatusOr<PriceSeries> read = ReadPriceCsv(scenario_.files.back());
    if (!read.ok()) return Blame(source_, at_ + ".price", read.status());
    if (read->series().end() <= scenario_.start) {
      return At(source_, at_ + ".price",
                absl::StrCat("the prices of ", region.name(), " end at ",
                             FormatUtc(read->series().end()),
                             ", before the scenario's start"));
    }
    data.price = std::make_shared<const PriceSeries>(
        InCurrency(*std::move(read), money_));
    if (known != "day-ahead") {
      scenario_.prices.push_back({scenario_.start, id, data.price});
      return absl::OkStatus();
    }
    // At noon the market publishes all of the next day.
    const absl::Time end = data.price->series().end();
    absl::Time noon =
        absl::FromCivil(absl::ToCivilDay(scenario_.start, absl::UTCTimeZone()),
                        absl::UTCTimeZone());
    noon += absl::Hours(12);
    if (noon > scenario_.start) noon -= absl::Hours(24);
    for (; noon + absl::Hours(12) < end; noon += absl::Hours(24)) {
      const absl::Time until = noon + absl::Hours(36);
      // Few days back suffice: only the last one is ever repeated.
      scenario_.prices.push_back(
          {std::max(noon, scenario_.start), id,
           std::make_shared<const PriceSeries>(
               data.price->Window(noon - absl::Hours(48), until))});
    }
    return absl::OkStatus();
  }

  const YamlSource& source_;
  const ccsched::v1::MoneyConfig& money_;
  const uint64_t seed_;
  Scenario& scenario_;
  std::string at_;
  GapRule gaps_ = GapRule::kRefuse;
};

}  // namespace

std::string ResolvePath(const std::string& file, const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

absl::Status LoadRegions(const ccsched::v1::Scenario& proto,
                         const YamlSource& source, uint64_t seed,
                         Scenario& scenario) {
  if (proto.regions().empty()) {
    return At(source, "regions", "there are no regions");
  }
  const absl::Status money = CheckMoney(proto.money());
  if (!money.ok()) return Blame(source, "money", money);
  RegionLoader loader(source, proto.money(), seed, scenario);
  for (int i = 0; i < proto.regions_size(); ++i) {
    RETURN_IF_ERROR(loader.Load(proto.regions(i), i));
  }
  std::stable_sort(scenario.forecasts.begin(), scenario.forecasts.end(),
                   [](const ForecastIssue& a, const ForecastIssue& b) {
                     return a.at < b.at;
                   });
  std::stable_sort(
      scenario.prices.begin(), scenario.prices.end(),
      [](const PriceIssue& a, const PriceIssue& b) { return a.at < b.at; });
  scenario.topology.currency = proto.money().currency();
  return absl::OkStatus();
}

}  // namespace ccsched
