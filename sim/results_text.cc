// The figures of runs as JSON, CSV and a table.
// SPDX-License-Identifier: Apache-2.0
#include "sim/results_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
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

std::string WaitText(absl::Duration d) {
  const double s = Seconds(d);
  if (s >= 48 * 3600) return absl::StrFormat("%.1f d", s / 86400);
  if (s >= 3600) return absl::StrFormat("%.2f h", s / 3600);
  if (s >= 60) return absl::StrFormat("%.1f min", s / 60);
  return absl::StrFormat("%.0f s", s);
}

std::string MassText(GramsCo2e mass) {
  const double g = mass.value();
  if (std::abs(g) >= 1e6) return absl::StrFormat("%.3f t", g / 1e6);
  if (std::abs(g) >= 1e3) return absl::StrFormat("%.3f kg", g / 1e3);
  return absl::StrFormat("%.4f g", g);
}

namespace {

// Columns of a terminal that a UTF-8 text of ours takes.
size_t WidthOf(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
}

std::vector<size_t> Widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], WidthOf(row[c]));
    }
  }
  return widths;
}

}  // namespace

std::string AlignTable(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<size_t> widths = Widths(rows);
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - WidthOf(row[c]), ' ');
      if (c > 0) line += "  ";
      line += c == 0 ? row[c] + pad : pad + row[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string FitTable(std::vector<std::vector<std::string>> rows, size_t width,
                     const std::vector<std::string>& spare) {
  // Said in fewer letters before anything is left out.
  static constexpr std::pair<const char*, const char*> kShort[] = {
      {"saved vs fcfs", "saved"},
      {"above bound", "gap"},
      {"wait mean", "wait"}};
  std::vector<std::string> left_out;
  const auto wide = [&rows] {
    size_t total = 0;
    for (const size_t w : Widths(rows)) total += w + 2;
    return total - 2;
  };
  if (width > 0 && !rows.empty() && wide() > width) {
    for (const auto& [name, brief] : kShort) {
      std::replace(rows[0].begin(), rows[0].end(), std::string(name),
                   std::string(brief));
    }
  }
  for (const std::string& name : spare) {
    if (width == 0 || rows.empty() || wide() <= width) break;
    const auto found = std::find(rows[0].begin(), rows[0].end(), name);
    if (found == rows[0].end()) continue;
    const ptrdiff_t c = found - rows[0].begin();
    for (auto& row : rows) row.erase(row.begin() + c);
    left_out.push_back(name);
  }
  std::string out = AlignTable(rows);
  if (!left_out.empty()) {
    absl::StrAppend(&out, "\nNo room in ", width, " columns for ",
                    absl::StrJoin(left_out, ", "),
                    "; -o csv and -o json have all.\n");
  }
  return out;
}

std::string ResultsTable(const std::string& scenario,
                         const std::vector<SimResult>& results, size_t width) {
  const auto any = [&results](auto test) {
    return std::any_of(results.begin(), results.end(), test);
  };
  const bool bound =
      any([](const SimResult& r) { return r.bound.has_value(); });
  const bool fcfs =
      any([](const SimResult& r) { return r.saved_vs_fcfs.has_value(); });
  const bool idle =
      any([](const SimResult& r) { return r.idle_co2e.value() > 0; });
  const bool suspended =
      any([](const SimResult& r) { return r.suspensions + r.moves > 0; });
  const bool cost = any([](const SimResult& r) { return !r.costs.empty(); });
  const bool unfinished =
      any([](const SimResult& r) { return r.unfinished > 0; });
  std::vector<std::vector<std::string>> rows = {{"policy", "CO2e"}};
  auto& head = rows.front();
  const auto column = [&head](bool shown, const char* name) {
    if (shown) head.emplace_back(name);
  };
  column(fcfs, "saved vs fcfs");
  column(bound, "above bound");
  column(idle, "idle CO2e");
  column(cost, "cost");
  for (const char* name :
       {"energy", "wait mean", "p95", "p99", "slowdown", "late"}) {
    head.emplace_back(name);
  }
  column(unfinished, "unfinished");
  column(suspended, "suspended");
  column(suspended, "moved");
  for (const SimResult& r : results) {
    std::vector<std::string> row = {r.policy, MassText(r.co2e)};
    if (fcfs) row.push_back(Percent(r.saved_vs_fcfs, "-"));
    if (bound) row.push_back(Percent(Gap(r), "-"));
    if (idle) row.push_back(MassText(r.idle_co2e));
    if (cost) row.push_back(CostText(r));
    row.push_back(absl::StrFormat("%.1f kWh", r.energy.value()));
    row.push_back(WaitText(r.wait_mean));
    row.push_back(WaitText(r.wait_p95));
    row.push_back(WaitText(r.wait_p99));
    row.push_back(absl::StrFormat("%.2f", r.bounded_slowdown_mean));
    row.push_back(std::to_string(r.promises_broken));
    if (unfinished) row.push_back(std::to_string(r.unfinished));
    if (suspended) {
      row.push_back(std::to_string(r.suspensions));
      row.push_back(std::to_string(r.moves));
    }
    rows.push_back(std::move(row));
  }
  std::string out = absl::StrCat(
      scenario, ": ", results.empty() ? 0 : results[0].jobs, " jobs");
  if (any([](const SimResult& r) { return r.over_full; })) {
    absl::StrAppend(&out, "; no schedule keeps all their promises");
  }
  if (bound) {
    for (const SimResult& r : results) {
      if (!r.bound) continue;
      absl::StrAppend(&out, "; no schedule emits less than ",
                      MassText(*r.bound));
      break;
    }
  }
  // Late and unfinished jobs stay: without them the others can't be compared.
  return out + "\n\n" +
         FitTable(std::move(rows), width,
                  {"slowdown", "p99", "moved", "energy", "suspended",
                   "idle CO2e", "p95", "cost", "gap"});
}

}  // namespace ccsched
