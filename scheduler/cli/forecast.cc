// `ccsched forecast [REGION]` and `ccsched forecast push REGION FILE`.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/cli/chart.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

struct ForecastOptions {
  std::string region;
  std::string horizon = "48h";
  std::string format = "table";
};

struct Value {
  absl::Time start;
  double intensity = 0;
  std::optional<double> cfe_pct, p10, p90;
  bool estimated = false;
};

std::vector<Value> ValuesOf(const v1::GridSeries& series) {
  std::vector<Value> values;
  for (int i = 0; i < series.intensity_size(); ++i) {
    Value& v = values.emplace_back();
    v.start = FromProto(series.start()) + FromProto(series.step()) * i;
    v.intensity = series.intensity(i);
    if (i < series.cfe_pct_size()) v.cfe_pct = series.cfe_pct(i);
    if (i < series.intensity_p10_size() && i < series.intensity_p90_size()) {
      v.p10 = series.intensity_p10(i);
      v.p90 = series.intensity_p90(i);
    }
    v.estimated = i < series.estimated_size() && series.estimated(i);
  }
  return values;
}

Record ValueRecord(const std::string& region, const Value& v) {
  Record r;
  r.Add("region", region);
  r.Add("start", FormatRfc3339(v.start));
  r.Add("intensity_g_per_kwh", v.intensity);
  r.Add("p10_g_per_kwh", v.p10);
  r.Add("p50_g_per_kwh", v.intensity);
  r.Add("p90_g_per_kwh", v.p90);
  r.Add("cfe_pct", v.cfe_pct);
  r.Add("estimated", v.estimated);
  return r;
}

std::vector<double> Intensities(const std::vector<Value>& values) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const Value& v : values) out.push_back(v.intensity);
  return out;
}

// "fresh, 2h old": how good it is, and from when.
std::string DataText(const v1::GridSeries& series) {
  std::string text = series.state();
  if (series.has_age()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    ShortDuration(FromProto(series.age())), " old");
  }
  return text.empty() ? "-" : text;
}

// Half the band's width over the value, on the mean.
std::string BandText(const std::vector<Value>& values) {
  double sum = 0;
  int n = 0;
  for (const Value& v : values) {
    if (!v.p10 || !v.p90 || v.intensity <= 0) continue;
    sum += (*v.p90 - *v.p10) / 2 / v.intensity;
    ++n;
  }
  return n == 0 ? "-" : absl::StrFormat("%.0f %%", sum / n * 100);
}

bool Less(const Value& a, const Value& b) { return a.intensity < b.intensity; }

// All regions, a line each.
void PrintOverview(const v1::GetForecastResponse& response, Context& context) {
  const size_t width = std::clamp<size_t>(
      context.out_width > 70 ? context.out_width - 70 : 24, 24, 96);
  Table table({{"REGION"},
               {"NOW", Align::kRight},
               {"LEAST", Align::kRight, 3},
               {"AT", Align::kLeft, 4, Excess::kKeep},
               {"MOST", Align::kRight, 2},
               {"BAND ±", Align::kRight, 5},
               {"FORECAST gCO2e/kWh", Align::kLeft, 1, Excess::kKeep},
               {"UNTIL", Align::kLeft, 6, Excess::kKeep},
               {"DATA"}});
  for (const v1::GridSeries& series : response.regions()) {
    const std::vector<Value> values = ValuesOf(series);
    if (values.empty()) {
      table.Add({series.region(), "-", "-", "-", "-", "-", "none known", "-",
                 DataText(series)});
      continue;
    }
    const Value& least = *std::min_element(values.begin(), values.end(), Less);
    const Value& most = *std::max_element(values.begin(), values.end(), Less);
    const absl::Time end = values.back().start + FromProto(series.step());
    const auto number = [](double v) { return absl::StrFormat("%.0f", v); };
    table.Add({series.region(),
               number(values[0].intensity),
               {number(least.intensity), Style::kGreen},
               ShortTime(true, ToProto(least.start)),
               number(most.intensity),
               BandText(values),
               {Sparkline(Intensities(values), width), Style::kCyan},
               ShortTime(true, ToProto(end)),
               DataText(series)});
  }
  ShowTable(table, context);
}

// One region, a line an hour.
void PrintRegion(const v1::GridSeries& series, Context& context) {
  const std::vector<Value> values = ValuesOf(series);
  if (values.empty()) {
    context.out << "No forecast is known for " << series.region() << ".\n";
    return;
  }
  double most = std::max_element(values.begin(), values.end(), Less)->intensity;
  const double top = most;
  for (const Value& v : values) most = std::max(most, v.p90.value_or(0));
  const double least =
      std::min_element(values.begin(), values.end(), Less)->intensity;
  const bool cfe = series.cfe_pct_size() > 0;
  const bool band = series.intensity_p10_size() > 0;
  const size_t width = std::clamp<size_t>(
      context.out_width > 60 ? context.out_width - 60 : 8, 8, 60);
  Table table({{"START", Align::kLeft, 0, Excess::kKeep},
               {"gCO2e/kWh", Align::kRight},
               {band ? "P10-P90" : "", Align::kRight, 2},
               {cfe ? "CFE %" : "", Align::kRight, 3},
               {"", Align::kLeft, 1, Excess::kKeep},
               {"", Align::kLeft, 0, Excess::kKeep}});
  for (const Value& v : values) {
    const double share =
        top > least ? (v.intensity - least) / (top - least) : 0;
    const Style style = share < 1.0 / 3   ? Style::kGreen
                        : share < 2.0 / 3 ? Style::kYellow
                                          : Style::kRed;
    table.Add(
        {ShortTime(true, ToProto(v.start)),
         absl::StrFormat("%.0f", v.intensity),
         v.p10 && v.p90 ? absl::StrFormat("%.0f-%.0f", *v.p10, *v.p90) : "",
         v.cfe_pct ? absl::StrFormat("%.0f", *v.cfe_pct) : "",
         {v.p10 && v.p90 ? BandBar(*v.p10, v.intensity, *v.p90, most, width)
                         : Bar(v.intensity, most, width),
          style},
         v.estimated ? "estimated" : ""});
  }
  ShowTable(table, context);
  context.err << series.region() << ": " << series.basis() << ", from "
              << series.source() << ", issued "
              << ShortTime(series.has_issued(), series.issued()) << "; data "
              << DataText(series) << "\n";
  if (band) {
    context.err << "Eight of ten past values lay between P10 and P90 (░) at "
                   "the same lead.\n";
  }
}

int RunForecast(Context& context, const ForecastOptions& o) {
  const auto horizon = ParseDuration(o.horizon);
  if (!horizon.ok() || *horizon <= absl::ZeroDuration()) {
    return context.Wrong(absl::StrCat("--horizon: '", o.horizon,
                                      "' must be a duration above 0"));
  }
  v1::GetForecastRequest request;
  request.set_region(o.region);
  *request.mutable_horizon() = ToProto(*horizon);
  const auto response = context.client().GetForecast(request);
  if (!response.ok()) return context.Fail(response.status());
  if (o.format == "table") {
    if (!o.region.empty() && response->regions_size() == 1) {
      PrintRegion(response->regions(0), context);
    } else {
      PrintOverview(*response, context);
    }
    return kExitDone;
  }
  std::vector<Record> rows, regions;
  for (const v1::GridSeries& series : response->regions()) {
    std::vector<Record> values;
    for (const Value& v : ValuesOf(series)) {
      values.push_back(ValueRecord(series.region(), v));
    }
    rows.insert(rows.end(), values.begin(), values.end());
    Record& region = regions.emplace_back();
    region.Add("region", series.region());
    region.AddTime("issued", series.has_issued(), series.issued());
    region.Add("source", series.source());
    region.Add("basis", series.basis());
    region.Add("state", series.state());
    region.AddSeconds("age_s", series.has_age(), series.age());
    region.AddSeconds("step_s", series.has_step(), series.step());
    region.AddRecords("values", values);
  }
  if (o.format == "csv") {
    PrintCsv(context, ValueRecord("", Value()), rows);
  } else {
    Record head;
    head.AddTime("now", response->has_now(), response->now());
    PrintJson(context.out, "forecast", head, "regions", regions);
  }
  return kExitDone;
}

struct PushOptions {
  std::string region, file, column, issued, source;
  std::string gaps = "refuse";
  bool actual = false;
};

absl::StatusOr<v1::GridSeries> ReadSeries(const PushOptions& o,
                                          Context& context) {
  ASSIGN_OR_RETURN(const GapRule gaps, ParseGapRule(o.gaps));
  ASSIGN_OR_RETURN(const GridColumn column,
                   ReadGridCsv(o.file, o.column, gaps));
  v1::GridSeries series;
  series.set_region(o.region);
  *series.mutable_start() = ToProto(column.series.start());
  *series.mutable_step() = ToProto(column.series.step());
  const auto& values = column.series.values();
  if (column.basis == "cfe") {
    series.mutable_cfe_pct()->Assign(values.begin(), values.end());
  } else if (column.basis == "renewable") {
    return absl::InvalidArgumentError(
        absl::StrCat(o.file,
                     ": a renewable share is neither an intensity nor a "
                     "carbon-free share; name another --column"));
  } else {
    series.mutable_intensity()->Assign(values.begin(), values.end());
    series.set_basis(column.basis);
  }
  series.mutable_estimated()->Assign(column.estimated.begin(),
                                     column.estimated.end());
  series.set_actual(o.actual);
  series.set_source(o.source.empty() ? o.file.substr(o.file.rfind('/') + 1)
                                     : o.source);
  if (!o.issued.empty()) {
    absl::Time now;
    if (IsRelativeTime(o.issued)) {
      ASSIGN_OR_RETURN(const v1::StatusResponse status,
                       context.client().Status());
      now = FromProto(status.now());
    }
    ASSIGN_OR_RETURN(const absl::Time issued,
                     ParseTimeSpec(o.issued, now, absl::LocalTimeZone()));
    *series.mutable_issued() = ToProto(issued);
  }
  return series;
}

int RunPush(Context& context, const PushOptions& o) {
  const auto series = ReadSeries(o, context);
  if (!series.ok()) return context.Fail(series.status());
  v1::PushForecastRequest request;
  *request.mutable_series() = *series;
  const auto response = context.client().PushForecast(request);
  if (!response.ok()) return context.Fail(response.status());
  context.out << "Pushed " << response->values() << " values for " << o.region
              << "\n";
  return kExitDone;
}

}  // namespace

void AddForecast(Command& root, Context& context) {
  auto o = std::make_shared<ForecastOptions>();
  Command& c = root.Sub("forecast", "show the grids' forecasts, or push one",
                        "  ccsched forecast\n"
                        "  ccsched forecast DE --horizon 24h\n"
                        "  ccsched forecast push DE tomorrow.csv");
  c.Argument("REGION", &o->region, false, "one region, hour by hour");
  c.Text("--horizon", "DURATION", &o->horizon, "how far to look (48h)");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunForecast(context, *o); });

  auto p = std::make_shared<PushOptions>();
  Command& push =
      c.Sub("push", "hand the scheduler a forecast, or measured values",
            "  ccsched forecast push DE tomorrow.csv\n"
            "  ccsched forecast push DE portal.csv --column ci_lca --actual\n"
            "\nThe file is a CSV with a column of times (utc) and one of "
            "values, or a "
            "download of\nthe Electricity Maps data portal.");
  push.Argument("REGION", &p->region, true, "whose grid it is");
  push.Argument("FILE", &p->file, true, "a CSV file");
  push.Text("--column", "NAME", &p->column,
            "ci_lca, ci_direct, cfe_pct or a header of the file");
  push.Text("--issued", "TIME", &p->issued, "when it was issued (now)");
  push.Text("--source", "NAME", &p->source,
            "where it is from (the file's name)");
  push.Choice("--gaps", &p->gaps, {"refuse", "interpolate"},
              "what to do about missing values");
  push.Flag("--actual", &p->actual, "the values were measured, not forecast");
  push.OnRun([p, &context] { return RunPush(context, *p); });
}

}  // namespace ccsched
