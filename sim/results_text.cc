// The figures of runs as JSON, CSV and a table.
// SPDX-License-Identifier: Apache-2.0
#include "sim/results_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/csv.h"
#include "sim/schedule_csv.h"

namespace ccsched {
namespace {

using Json = nlohmann::ordered_json;

double Seconds(absl::Duration d) { return absl::ToDoubleSeconds(d); }

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> Gap(const SimResult& r) {
  if (!r.bound || r.unfinished > 0 || !(r.bound->value() > 0)) {
    return std::nullopt;
  }
  return r.co2e / *r.bound - 1;
}

std::optional<double> BoundGrams(const SimResult& r) {
  if (!r.bound) return std::nullopt;
  return r.bound->value();
}

// Money in one currency; null where no price is known.
Json CostJson(const std::string& currency, const std::optional<Money>& amount) {
  if (!amount) return nullptr;
  return {{"amount", amount->value()}, {"currency", currency}};
}

// The figures where all money is in one currency; nothing otherwise.
std::optional<CostFigures> OneCurrency(const SimResult& r) {
  if (r.costs.size() != 1) return std::nullopt;
  return r.costs.front();
}

void AddCosts(const SimResult& r, Json& j) {
  const CostFigures one = OneCurrency(r).value_or(CostFigures());
  j["electricity_cost"] = CostJson(one.currency, one.electricity);
  j["accelerator_cost"] = CostJson(one.currency, one.accelerators);
  j["moved_cost"] = CostJson(one.currency, one.moved);
  if (r.costs.size() > 1) {
    // Reported apart, as nothing says what one is worth in another.
    j["costs"] = Json::array();
    for (const CostFigures& c : r.costs) {
      j["costs"].push_back(
          {{"currency", c.currency},
           {"electricity", CostJson(c.currency, c.electricity)},
           {"accelerators", CostJson(c.currency, c.accelerators)},
           {"moved", CostJson(c.currency, c.moved)}});
    }
  }
  j["unpriced_energy_kwh"] =
      r.costs.empty() ? Json(nullptr) : Json(r.unpriced.value());
}

// "123.45 EUR + 67.89 USD".
std::string CostText(const SimResult& r) {
  std::string text;
  for (const CostFigures& c : r.costs) {
    absl::StrAppend(&text, text.empty() ? "" : " + ",
                    absl::StrFormat("%.2f %s", c.total().value(), c.currency));
  }
  return text.empty() ? "-" : text;
}

std::string Utc(absl::Time t) {
  std::string text;
  AppendMicros(absl::ToUnixMicros(t), text);
  return text;
}

std::string Percent(std::optional<double> share, const char* format) {
  return share ? absl::StrFormat("%s", absl::StrFormat("%.2f%%", *share * 100))
               : std::string(format);
}

}  // namespace

Json ResultJson(const SimResult& r, bool timing) {
  Json j;
  j["policy"] = r.policy;
  j["jobs"] = r.jobs;
  j["unfinished"] = r.unfinished;
  j["promises_broken"] = r.promises_broken;
  j["co2e_g"] = r.co2e.value();
  j["idle_co2e_g"] = r.idle_co2e.value();
  j["bound_co2e_g"] = OrNull(BoundGrams(r));
  j["gap"] = OrNull(Gap(r));
  j["saved_vs_fcfs"] = OrNull(r.saved_vs_fcfs);
  j["energy_kwh"] = r.energy.value();
  j["idle_energy_kwh"] = r.idle_energy.value();
  AddCosts(r, j);
  j["wait_s"] = {{"mean", Seconds(r.wait_mean)},
                 {"p50", Seconds(r.wait_p50)},
                 {"p95", Seconds(r.wait_p95)},
                 {"p99", Seconds(r.wait_p99)}};
  j["bounded_slowdown_mean"] = r.bounded_slowdown_mean;
  j["suspensions"] = r.suspensions;
  j["moves"] = r.moves;
  j["moved_gb"] = r.moved_gb;
  j["moved_energy_kwh"] = r.moved_energy.value();
  j["resizes"] = r.resizes;
  j["node_failures"] = r.node_failures;
  j["lost_attempts"] = r.lost_attempts;
  j["lost_accelerator_hours"] = r.lost_hours;
  j["peak_accelerators"] = Json::object();
  j["utilisation"] = Json::object();
  j["site_co2e_g"] = Json::object();
  for (const SiteFigures& site : r.sites) {
    j["peak_accelerators"][site.site] = site.peak;
    j["utilisation"][site.site] = OrNull(site.utilisation);
    j["site_co2e_g"][site.site] = site.co2e.value();
  }
  if (!r.projects.empty()) j["projects"] = Json::object();
  for (const ProjectFigures& p : r.projects) {
    j["projects"][p.project] = {{"jobs", p.jobs},
                                {"unfinished", p.jobs - p.finished},
                                {"accelerator_hours", p.accelerator_hours},
                                {"co2e_g", p.co2e.value()},
                                {"wait_mean_s", Seconds(p.wait_mean)}};
  }
  j["first_submission"] = Utc(r.first_submission);
  j["last_end"] = Utc(r.last_end);
  j["engine_steps"] = r.steps;
  j["decide_cpu_s"] = timing ? Json(Seconds(r.decide_cpu)) : Json(nullptr);
  j["cpu_s"] = timing ? Json(Seconds(r.cpu)) : Json(nullptr);
  return j;
}

std::string ResultsJson(const std::string& scenario, uint64_t seed,
                        const WorkloadFacts& facts,
                        const std::vector<SimResult>& results, bool timing) {
  Json j;
  j["schema"] = "ccsched.sim/v1";
  j["scenario"] = scenario;
  j["seed"] = seed;
  j["trace"] = {{"jobs", facts.jobs},
                {"outside", facts.outside},
                {"left_out", facts.left_out},
                {"bad_rows", facts.bad_rows},
                {"accelerator_hours", facts.accelerator_hours}};
  j["runs"] = Json::array();
  for (const SimResult& r : results) j["runs"].push_back(ResultJson(r, timing));
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ResultsCsv(const std::vector<SimResult>& results, bool timing) {
  std::string out =
      "policy,jobs,unfinished,promises_broken,co2e_g,idle_co2e_g,bound_co2e_g,"
      "gap,saved_vs_fcfs,energy_kwh,idle_energy_kwh,wait_mean_s,wait_p50_s,"
      "wait_p95_s,wait_p99_s,bounded_slowdown_mean,suspensions,moves,resizes,"
      "decide_cpu_s,cpu_s,electricity_cost,accelerator_cost,moved_cost,"
      "currency\n";
  for (const SimResult& r : results) {
    AppendCsvField(r.policy, out);
    const auto number = [&out](std::optional<double> value) {
      out += ',';
      if (value) AppendDouble(*value, out);
    };
    absl::StrAppend(&out, ",", r.jobs, ",", r.unfinished, ",",
                    r.promises_broken);
    for (const std::optional<double>& value :
         {std::optional<double>(r.co2e.value()),
          std::optional<double>(r.idle_co2e.value()), BoundGrams(r), Gap(r),
          r.saved_vs_fcfs, std::optional<double>(r.energy.value()),
          std::optional<double>(r.idle_energy.value()),
          std::optional<double>(Seconds(r.wait_mean)),
          std::optional<double>(Seconds(r.wait_p50)),
          std::optional<double>(Seconds(r.wait_p95)),
          std::optional<double>(Seconds(r.wait_p99)),
          std::optional<double>(r.bounded_slowdown_mean)}) {
      number(value);
    }
    absl::StrAppend(&out, ",", r.suspensions, ",", r.moves, ",", r.resizes);
    number(timing ? std::optional(Seconds(r.decide_cpu)) : std::nullopt);
    number(timing ? std::optional(Seconds(r.cpu)) : std::nullopt);
    const CostFigures one = OneCurrency(r).value_or(CostFigures());
    for (const std::optional<Money>& money :
         {one.electricity, one.accelerators, one.moved}) {
      number(money ? std::optional(money->value()) : std::nullopt);
    }
    absl::StrAppend(&out, ",", one.currency);
    out += '\n';
  }
  return out;
}

// Below zero where jobs ran faster than at their own width.
std::string WaitText(absl::Duration d) {
  const double s = Seconds(d);
  const double size = std::abs(s);
  if (size >= 48 * 3600) return absl::StrFormat("%.1f d", s / 86400);
  if (size >= 3600) return absl::StrFormat("%.2f h", s / 3600);
  if (size >= 60) return absl::StrFormat("%.1f min", s / 60);
  return absl::StrFormat("%.0f s", s);
}

std::string MassText(GramsCo2e mass) {
  const double g = mass.value();
  if (std::abs(g) >= 1e6) return absl::StrFormat("%.3f t", g / 1e6);
  if (std::abs(g) >= 1e3) return absl::StrFormat("%.3f kg", g / 1e3);
  return absl::StrFormat("%.4f g", g);
}

std::string TableText(const Table& table, size_t width) {
  std::ostringstream out;
  const std::vector<std::string> left_out = table.Print(out, false, width);
  if (!left_out.empty()) {
    out << "\nNo room in " << width << " columns for "
        << absl::StrJoin(left_out, ", ") << "; -o csv and -o json have all.\n";
  }
  return out.str();
}

namespace {

// Late and unfinished jobs stay: without them the others can't be compared.
struct Shown {
  bool fcfs = false, bound = false, idle = false, cost = false,
       unfinished = false, suspended = false;
};

std::vector<Column> ResultColumns(const Shown& shown) {
  std::vector<Column> columns = {FirstColumn("policy"), Figure("CO2e")};
  const auto add = [&columns](bool wanted, Column column) {
    if (wanted) columns.push_back(std::move(column));
  };
  add(shown.fcfs, Figure("saved vs fcfs", 0, "saved"));
  add(shown.bound, Figure("above bound", 1, "gap"));
  add(shown.idle, Figure("idle CO2e", 4));
  add(shown.cost, Figure("cost", 2));
  add(true, Figure("energy", 6));
  add(true, Figure("wait mean", 0, "wait"));
  add(true, Figure("p95", 3));
  add(true, Figure("p99", 8));
  add(true, Figure("slowdown", 9));
  add(true, Figure("late"));
  add(shown.unfinished, Figure("unfinished"));
  add(shown.suspended, Figure("suspended", 5));
  add(shown.suspended, Figure("moved", 7));
  return columns;
}

std::vector<Cell> ResultCells(const SimResult& r, const Shown& shown) {
  std::vector<Cell> row = {r.policy, MassText(r.co2e)};
  if (shown.fcfs) row.emplace_back(Percent(r.saved_vs_fcfs, "-"));
  if (shown.bound) row.emplace_back(Percent(Gap(r), "-"));
  if (shown.idle) row.emplace_back(MassText(r.idle_co2e));
  if (shown.cost) row.emplace_back(CostText(r));
  row.emplace_back(absl::StrFormat("%.1f kWh", r.energy.value()));
  row.emplace_back(WaitText(r.wait_mean));
  row.emplace_back(WaitText(r.wait_p95));
  row.emplace_back(WaitText(r.wait_p99));
  row.emplace_back(absl::StrFormat("%.2f", r.bounded_slowdown_mean));
  row.emplace_back(std::to_string(r.promises_broken));
  if (shown.unfinished) row.emplace_back(std::to_string(r.unfinished));
  if (shown.suspended) {
    row.emplace_back(std::to_string(r.suspensions));
    row.emplace_back(std::to_string(r.moves));
  }
  return row;
}

}  // namespace

std::string ResultsTable(const std::string& scenario,
                         const std::vector<SimResult>& results, size_t width) {
  const auto any = [&results](auto test) {
    return std::any_of(results.begin(), results.end(), test);
  };
  Shown shown;
  shown.bound = any([](const SimResult& r) { return r.bound.has_value(); });
  shown.fcfs =
      any([](const SimResult& r) { return r.saved_vs_fcfs.has_value(); });
  shown.idle = any([](const SimResult& r) { return r.idle_co2e.value() > 0; });
  shown.suspended =
      any([](const SimResult& r) { return r.suspensions + r.moves > 0; });
  shown.cost = any([](const SimResult& r) { return !r.costs.empty(); });
  shown.unfinished = any([](const SimResult& r) { return r.unfinished > 0; });
  Table table(ResultColumns(shown));
  for (const SimResult& r : results) table.Add(ResultCells(r, shown));
  std::string out =
      absl::StrCat(scenario, ": ", results.empty() ? 0 : results[0].jobs,
                   !results.empty() && results[0].jobs == 1 ? " job" : " jobs");
  if (any([](const SimResult& r) { return r.over_full; })) {
    absl::StrAppend(&out, "; no schedule keeps all their promises");
  }
  if (shown.bound) {
    for (const SimResult& r : results) {
      if (!r.bound) continue;
      absl::StrAppend(&out, "; no schedule emits less than ",
                      MassText(*r.bound));
      break;
    }
  }
  return out + "\n\n" + TableText(table, width);
}

}  // namespace ccsched
