// Many variants of a scenario: what is varied, and what came of it.
// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/csv.h"
#include "scheduler/base/status.h"
#include "sim/results_text.h"
#include "sim/schedule_csv.h"

namespace ccsched {
namespace {

std::vector<std::string> SplitValues(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
constexpr double kStudent[] = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

struct CsvColumn {
  const char* name;
  Estimate SweepRow::*value;
};
constexpr CsvColumn kColumns[] = {
    {"co2e_g", &SweepRow::co2e_g},
    {"idle_co2e_g", &SweepRow::idle_co2e_g},
    {"energy_kwh", &SweepRow::energy_kwh},
    {"wait_mean_s", &SweepRow::wait_mean_s},
    {"wait_p95_s", &SweepRow::wait_p95_s},
    {"bounded_slowdown_mean", &SweepRow::slowdown},
    {"promises_broken", &SweepRow::late},
    {"unfinished", &SweepRow::unfinished},
    {"suspensions", &SweepRow::suspensions},
    {"saved_vs_fcfs", &SweepRow::saved_vs_fcfs},
    {"gap", &SweepRow::gap},
    {"cost", &SweepRow::cost},
};

std::string WithHalf(const Estimate& e, double scale, const std::string& unit,
                     bool windows) {
  if (std::isnan(e.mean)) return "-";
  std::string text = absl::StrFormat("%.2f", e.mean * scale);
  if (windows) {
    absl::StrAppend(&text, " ±", absl::StrFormat("%.2f", e.half * scale));
  }
  return text + unit;
}

}  // namespace

absl::StatusOr<std::vector<Variant>> Combine(
    const std::vector<std::string>& vary) {
  std::vector<Variant> variants(1);
  for (const std::string& text : vary) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 ||
        equals + 1 == text.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--vary ", text, ": is not path=value,value"));
    }
    const std::string path = text.substr(0, equals);
    for (const auto& [varied, value] : variants.front()) {
      if (varied != path) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--vary ", text, ": ", path,
                       " is varied already; give all its values at once"));
    }
    std::vector<Variant> next;
    for (const Variant& variant : variants) {
      for (const std::string& value : SplitValues(text.substr(equals + 1))) {
        next.push_back(variant);
        next.back().emplace_back(path, value);
      }
    }
    variants = std::move(next);
    if (variants.size() > 100'000) {
      return absl::InvalidArgumentError("more than 100,000 combinations");
    }
  }
  return variants;
}

Estimate EstimateOf(const std::vector<double>& values) {
  Estimate e;
  if (values.empty()) return e;
  const double n = static_cast<double>(values.size());
  for (const double v : values) e.mean += v / n;
  if (values.size() == 1) return e;
  double squares = 0;
  for (const double v : values) squares += (v - e.mean) * (v - e.mean);
  const size_t freedom = values.size() - 1;
  const double t =
      freedom <= std::size(kStudent) ? kStudent[freedom - 1] : 1.96;
  e.half = t * std::sqrt(squares / (n - 1) / n);
  return e;
}

void MarkPareto(std::vector<SweepRow>& rows) {
  const bool costed =
      std::all_of(rows.begin(), rows.end(), [&rows](const SweepRow& r) {
        return !std::isnan(r.cost.mean) && r.currency == rows.front().currency;
      });
  const auto goals = [costed](const SweepRow& r) {
    return std::array<double, 3>{r.co2e_g.mean + r.idle_co2e_g.mean,
                                 r.wait_mean_s.mean, costed ? r.cost.mean : 0};
  };
  for (SweepRow& row : rows) {
    row.pareto = row.unfinished.mean == 0;
    const std::array<double, 3> mine = goals(row);
    for (const SweepRow& other : rows) {
      if (!row.pareto || other.unfinished.mean > 0) continue;
      const std::array<double, 3> theirs = goals(other);
      bool no_worse = true, better = false;
      for (size_t i = 0; i < mine.size(); ++i) {
        no_worse = no_worse && theirs[i] <= mine[i];
        better = better || theirs[i] < mine[i];
      }
      if (no_worse && better) row.pareto = false;
    }
  }
}

std::string SweepTable(const std::vector<SweepRow>& rows, bool windows,
                       size_t width) {
  const auto any = [&rows](Estimate SweepRow::*e) {
    return std::any_of(rows.begin(), rows.end(), [e](const SweepRow& r) {
      return !std::isnan((r.*e).mean) && (r.*e).mean != 0;
    });
  };
  const bool saved = any(&SweepRow::saved_vs_fcfs), gap = any(&SweepRow::gap);
  const bool idle = any(&SweepRow::idle_co2e_g);
  const bool cost = any(&SweepRow::cost);
  std::vector<Column> columns = {FirstColumn("policy")};
  if (!rows.empty()) {
    for (const auto& [path, value] : rows.front().variant) {
      columns.push_back(Figure(path));
    }
  }
  columns.push_back(Figure("CO2e kg"));
  if (idle) columns.push_back(Figure("idle kg", 5));
  if (saved) columns.push_back(Figure("saved vs fcfs", 1, "saved"));
  if (gap) columns.push_back(Figure("above bound", 2, "gap"));
  if (cost) columns.push_back(Figure("cost", 3));
  columns.push_back(Figure("wait mean h"));
  columns.push_back(Figure("p95 h", 4));
  columns.push_back(Figure("late"));
  columns.push_back(Figure("frontier"));
  Table table(std::move(columns));
  for (const SweepRow& r : rows) {
    std::vector<Cell> row = {r.policy};
    for (const auto& [path, value] : r.variant) row.emplace_back(value);
    row.emplace_back(WithHalf(r.co2e_g, 1e-3, "", windows));
    if (idle) row.emplace_back(WithHalf(r.idle_co2e_g, 1e-3, "", windows));
    if (saved) row.emplace_back(WithHalf(r.saved_vs_fcfs, 100, "%", windows));
    if (gap) row.emplace_back(WithHalf(r.gap, 100, "%", windows));
    if (cost) row.emplace_back(WithHalf(r.cost, 1, " " + r.currency, windows));
    row.emplace_back(WithHalf(r.wait_mean_s, 1 / 3600.0, "", windows));
    row.emplace_back(WithHalf(r.wait_p95_s, 1 / 3600.0, "", windows));
    row.emplace_back(absl::StrFormat("%.0f", r.late.mean));
    row.emplace_back(r.pareto ? "*" : "");
    table.Add(std::move(row));
  }
  return TableText(table, width);
}

std::string SweepCsv(const std::vector<SweepRow>& rows) {
  std::string out = "policy";
  if (!rows.empty()) {
    for (const auto& [path, value] : rows.front().variant) {
      out += ',';
      AppendCsvField(path, out);
    }
  }
  out += ",windows";
  for (const CsvColumn& c : kColumns) {
    absl::StrAppend(&out, ",", c.name, ",", c.name, "_ci95");
  }
  out += ",currency,pareto\n";
  for (const SweepRow& r : rows) {
    AppendCsvField(r.policy, out);
    for (const auto& [path, value] : r.variant) {
      out += ',';
      AppendCsvField(value, out);
    }
    absl::StrAppend(&out, ",", r.windows);
    for (const CsvColumn& c : kColumns) {
      const Estimate& e = r.*c.value;
      out += ',';
      if (!std::isnan(e.mean)) AppendDouble(e.mean, out);
      out += ',';
      if (!std::isnan(e.mean) && r.windows > 1) AppendDouble(e.half, out);
    }
    absl::StrAppend(&out, ",", r.currency, ",", r.pareto ? 1 : 0, "\n");
  }
  return out;
}

std::string SweepJson(const std::string& scenario, uint64_t seed,
                      const std::vector<SweepRow>& rows) {
  using Json = nlohmann::ordered_json;
  Json j;
  j["schema"] = "ccsched.sweep/v1";
  j["scenario"] = scenario;
  j["seed"] = seed;
  j["rows"] = Json::array();
  for (const SweepRow& r : rows) {
    Json row;
    row["policy"] = r.policy;
    row["set"] = Json::object();
    for (const auto& [path, value] : r.variant) row["set"][path] = value;
    row["windows"] = r.windows;
    for (const CsvColumn& c : kColumns) {
      const Estimate& e = r.*c.value;
      if (std::isnan(e.mean)) {
        row[c.name] = nullptr;
        continue;
      }
      row[c.name] = {{"mean", e.mean},
                     {"ci95", r.windows > 1 ? Json(e.half) : Json(nullptr)}};
    }
    row["currency"] = r.currency.empty() ? Json(nullptr) : Json(r.currency);
    row["pareto"] = r.pareto;
    j["rows"].push_back(std::move(row));
  }
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ccsched
