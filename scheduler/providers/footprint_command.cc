// `ccsched footprint`: energy and CO2e of described training runs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/footprint_command.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "scheduler/base/csv.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/carbon/what_if.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

using Json = nlohmann::ordered_json;

// A run with what is asked about it.
struct Answer {
  TrainingRun run;
  FootprintResult result;
  std::vector<Change> changes;
};

double Kg(GramsCo2e g) { return g.value() / 1000; }

// Whether a change looks at the grids of other runs.
bool LooksAtGrids(const std::string& change) {
  const std::string key = change.substr(0, change.find('='));
  return key == change || key == "run" || key == "datacenter";
}

// The file's runs, and the paper's behind them. Only those that are asked about
// get their grids: a scheduler need not answer for others.
absl::StatusOr<std::vector<TrainingRun>> Known(
    const FootprintOptions& o, TrainingRunFile& file,
    std::vector<std::string>& remarks) {
  std::vector<TrainingRun> known = file.runs();
  known.insert(known.end(), PaperRuns().begin(), PaperRuns().end());
  std::vector<std::string> wanted;
  for (const std::string& name : o.names) {
    ASSIGN_OR_RETURN(const TrainingRun run, FindRun(known, name));
    wanted.push_back(run.name);
  }
  if (o.names.empty() ||
      std::any_of(o.what_if.begin(), o.what_if.end(), LooksAtGrids)) {
    for (const TrainingRun& run : file.runs()) wanted.push_back(run.name);
  }
  for (const std::string& name : wanted) {
    RETURN_IF_ERROR(file.Fill(name, o.sites, remarks));
  }
  std::copy(file.runs().begin(), file.runs().end(), known.begin());
  return known;
}

absl::StatusOr<std::vector<Answer>> Compute(const FootprintOptions& options,
                                            std::vector<std::string>& remarks) {
  std::vector<TrainingRun> known = PaperRuns();
  size_t own = 0;
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(TrainingRunFile file, TrainingRunFile::Read(options.file));
    own = file.runs().size();
    ASSIGN_OR_RETURN(known, Known(options, file, remarks));
  }
  std::vector<TrainingRun> chosen;
  for (const std::string& name : options.names) {
    ASSIGN_OR_RETURN(TrainingRun run, FindRun(known, name));
    chosen.push_back(std::move(run));
  }
  if (chosen.empty()) {
    chosen = own > 0
                 ? std::vector<TrainingRun>(known.begin(), known.begin() + own)
                 : PaperRuns();
  }
  std::vector<Answer> answers;
  for (TrainingRun& run : chosen) {
    Answer a;
    RETURN_IF_ERROR(CheckRun(run));
    a.result = Footprint(run);
    ASSIGN_OR_RETURN(a.changes, WhatIf(run, options.what_if, known));
    a.run = std::move(run);
    answers.push_back(std::move(a));
  }
  return answers;
}

// All changes of a run together.
struct Together {
  double energy = 1, gross = 1, net = 1;
  explicit Together(const std::vector<Change>& changes) {
    for (const Change& c : changes) {
      energy *= c.energy_factor;
      gross *= c.gross_factor;
      net *= c.net_factor;
    }
  }
};

Json Figures(const FootprintResult& r) {
  return {{"energy_kwh", r.energy.value()},
          {"gross_co2e_kg", Kg(r.gross)},
          {"net_co2e_kg", Kg(r.net)}};
}

Json Inputs(const TrainingRun& run) {
  Json j = {{"model", run.model},
            {"accelerator", run.accelerator},
            {"datacenter", run.datacenter},
            {"chips", run.chips},
            {"days", run.days},
            {"watts", run.watts.value()},
            {"pue", run.pue},
            {"gross_g_per_kwh", run.gross.value()},
            {"net_g_per_kwh", run.net.value_or(run.gross).value()}};
  if (run.tflops) j["tflops"] = *run.tflops;
  if (run.total_flops) j["total_flops"] = *run.total_flops;
  if (run.cfe) j["cfe"] = *run.cfe;
  if (!run.source.empty()) j["source"] = run.source;
  return j;
}

Json ToJson(const Answer& a) {
  Json run = {{"name", a.run.name}};
  run.update(Figures(a.result));
  const PrintedFigures& p = a.run.printed;
  const auto put = [](Json* to, const char* key, std::optional<double> v) {
    (*to)[key] = v ? Json(*v) : Json(nullptr);
  };
  Json printed = Json::object();
  put(&printed, "energy_kwh", p.energy_kwh);
  put(&printed, "gross_co2e_kg", p.gross_co2e_kg);
  put(&printed, "net_co2e_kg", p.net_co2e_kg);
  run["printed"] = printed;
  run["inputs"] = Inputs(a.run);
  if (a.changes.empty()) return run;
  Json steps = Json::array();
  for (const Change& c : a.changes) {
    Json step = {{"change", c.what}};
    step.update(Figures(c.result));
    step["energy_factor"] = c.energy_factor;
    step["gross_factor"] = c.gross_factor;
    step["net_factor"] = c.net_factor;
    steps.push_back(std::move(step));
  }
  const Together all(a.changes);
  run["what_if"] = {{"changes", steps},
                    {"energy_factor", all.energy},
                    {"gross_factor", all.gross},
                    {"net_factor", all.net}};
  return run;
}

void PrintJson(const std::vector<Answer>& answers, std::ostream& out) {
  Json runs = Json::array();
  for (const Answer& a : answers) runs.push_back(ToJson(a));
  out << Json{{"schema", "ccsched.footprint/v1"}, {"runs", runs}}.dump(2)
      << "\n";
}

std::string CsvOf(const std::vector<Answer>& answers) {
  const auto number = [](std::optional<double> v) {
    return v && std::isfinite(*v) ? absl::StrFormat("%.12g", *v)
                                  : std::string();
  };
  std::string csv =
      "name,change,energy_kwh,gross_co2e_kg,net_co2e_kg,"
      "printed_energy_kwh,printed_gross_co2e_kg,printed_net_co2e_kg,"
      "energy_factor,gross_factor,net_factor\n";
  for (const Answer& a : answers) {
    const PrintedFigures& p = a.run.printed;
    csv += CsvLine({a.run.name, "", number(a.result.energy.value()),
                    number(Kg(a.result.gross)), number(Kg(a.result.net)),
                    number(p.energy_kwh), number(p.gross_co2e_kg),
                    number(p.net_co2e_kg), "", "", ""});
    for (const Change& c : a.changes) {
      csv += CsvLine({a.run.name, c.what, number(c.result.energy.value()),
                      number(Kg(c.result.gross)), number(Kg(c.result.net)), "",
                      "", "", number(c.energy_factor), number(c.gross_factor),
                      number(c.net_factor)});
    }
  }
  return csv;
}

// Six significant digits at most, and no exponent.
std::string Round(double v) {
  if (v >= 99999.5) return absl::StrFormat("%.0f", v);
  return absl::StrFormat("%.5g", v);
}
std::string Round(std::optional<double> v) { return v ? Round(*v) : "-"; }
// Of nothing nothing is a part.
std::string Factor(double v) {
  return std::isfinite(v) ? absl::StrFormat("%.2fx", v) : "-";
}

std::vector<Cell> FigureCells(std::string name, const FootprintResult& r) {
  return {std::move(name), Round(r.energy.value()), Round(Kg(r.gross)),
          Round(Kg(r.net))};
}

void AddChanges(const Answer& a, Table& table) {
  for (const Change& c : a.changes) {
    std::vector<Cell> cells = FigureCells(absl::StrCat("  ", c.what), c.result);
    for (const double f : {c.energy_factor, c.gross_factor, c.net_factor}) {
      cells.emplace_back(Factor(f));
    }
    table.Add(std::move(cells));
  }
  const Together all(a.changes);
  table.Add({"  all together", "", "", "", Factor(all.energy),
             Factor(all.gross), Factor(all.net)});
}

std::vector<std::string> PrintTable(const std::vector<Answer>& answers,
                                    size_t width, std::ostream& out) {
  const auto figure = [](const char* name, int spare, const char* brief) {
    return Column{name, Align::kRight, spare, Excess::kCut, brief};
  };
  std::vector<Column> columns = {{"RUN", Align::kLeft, 0, Excess::kWrap},
                                 figure("ENERGY kWh", 0, "kWh"),
                                 figure("GROSS kg CO2e", 0, "GROSS kg"),
                                 figure("NET kg CO2e", 0, "NET kg")};
  const bool what_if = !answers.empty() && !answers[0].changes.empty();
  for (Column& column :
       what_if
           ? std::vector{figure("LESS ENERGY", 1, ""),
                         figure("LESS GROSS", 2, ""), figure("LESS NET", 3, "")}
           : std::vector{figure("PRINTED kWh", 1, ""),
                         figure("PRINTED GROSS kg", 2, "PRINTED GROSS"),
                         figure("PRINTED NET kg", 3, "PRINTED NET")}) {
    columns.push_back(std::move(column));
  }
  Table table(std::move(columns));
  for (const Answer& a : answers) {
    std::vector<Cell> cells = FigureCells(a.run.name, a.result);
    const PrintedFigures& p = a.run.printed;
    for (const auto& printed : {p.energy_kwh, p.gross_co2e_kg, p.net_co2e_kg}) {
      cells.emplace_back(what_if ? "" : Round(printed));
    }
    table.Add(std::move(cells));
    if (what_if) AddChanges(a, table);
  }
  return table.Print(out, false, width);
}

}  // namespace

int FootprintCommand(const FootprintOptions& options, std::ostream& out,
                     std::ostream& err) {
  const std::string& o = options.output;
  if (o != "table" && o != "json" && o != "csv") {
    err << "ccsched footprint: -o " << Printable(o)
        << " is none of table, json, csv\n";
    return 2;
  }
  std::vector<std::string> remarks;
  const auto answers = Compute(options, remarks);
  if (!answers.ok()) {
    err << "ccsched footprint: "
        << Printable(ToStd(answers.status().message()), 4000) << "\n";
    return absl::IsUnavailable(answers.status()) ? 3 : 2;
  }
  for (const std::string& remark : remarks)
    err << Printable(remark, 4000) << "\n";
  if (o == "json") {
    PrintJson(*answers, out);
  } else if (o == "csv") {
    out << LinesFor(options.width > 0, CsvOf(*answers));
  } else {
    const std::vector<std::string> left_out =
        PrintTable(*answers, options.width, out);
    if (!left_out.empty()) {
      out.flush();
      err << "No room in " << options.width << " columns for "
          << absl::StrJoin(left_out, ", ")
          << "; -o csv and -o json have all.\n";
    }
  }
  return 0;
}

}  // namespace ccsched
