// `ccsched footprint`: energy and CO2e of described training runs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/footprint_command.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "nlohmann/json.hpp"
#include "scheduler/base/status.h"
#include "scheduler/carbon/what_if.h"

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

absl::StatusOr<std::vector<Answer>> Compute(const FootprintOptions& options,
                                            std::vector<std::string>& remarks) {
  std::vector<TrainingRun> known;
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(known,
                     ReadTrainingRuns(options.file, options.sites, remarks));
  }
  const size_t own = known.size();
  known.insert(known.end(), PaperRuns().begin(), PaperRuns().end());
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

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

void PrintCsv(const std::vector<Answer>& answers, std::ostream& out) {
  const auto number = [](std::optional<double> v) {
    return v ? absl::StrFormat("%.12g", *v) : std::string();
  };
  out << "name,change,energy_kwh,gross_co2e_kg,net_co2e_kg,"
         "printed_energy_kwh,printed_gross_co2e_kg,printed_net_co2e_kg,"
         "energy_factor,gross_factor,net_factor\n";
  for (const Answer& a : answers) {
    const PrintedFigures& p = a.run.printed;
    out << CsvField(a.run.name) << ",," << number(a.result.energy.value())
        << "," << number(Kg(a.result.gross)) << "," << number(Kg(a.result.net))
        << "," << number(p.energy_kwh) << "," << number(p.gross_co2e_kg) << ","
        << number(p.net_co2e_kg) << ",,,\n";
    for (const Change& c : a.changes) {
      out << CsvField(a.run.name) << "," << CsvField(c.what) << ","
          << number(c.result.energy.value()) << ","
          << number(Kg(c.result.gross)) << "," << number(Kg(c.result.net))
          << ",,,," << number(c.energy_factor) << "," << number(c.gross_factor)
          << "," << number(c.net_factor) << "\n";
    }
  }
}

// Six significant digits at most, and no exponent.
std::string Round(double v) {
  if (v >= 99999.5) return absl::StrFormat("%.0f", v);
  return absl::StrFormat("%.5g", v);
}
std::string Round(std::optional<double> v) { return v ? Round(*v) : "-"; }
std::string Factor(double v) { return absl::StrFormat("%.2fx", v); }

void PrintTable(const std::vector<Answer>& answers, std::ostream& out) {
  size_t width = 10;
  for (const Answer& a : answers) {
    width = std::max(width, a.run.name.size());
    for (const Change& c : a.changes)
      width = std::max(width, c.what.size() + 2);
  }
  const int w = static_cast<int>(width);
  const bool what_if = !answers.empty() && !answers[0].changes.empty();
  out << absl::StrFormat("%-*s %12s %14s %12s", w, "RUN", "ENERGY kWh",
                         "GROSS kg CO2e", "NET kg CO2e");
  out << (what_if ? "   LESS ENERGY      GROSS        NET\n"
                  : "   PRINTED: kWh    gross kg      net kg\n");
  for (const Answer& a : answers) {
    out << absl::StrFormat("%-*s %12s %14s %12s", w, a.run.name,
                           Round(a.result.energy.value()),
                           Round(Kg(a.result.gross)), Round(Kg(a.result.net)));
    const PrintedFigures& p = a.run.printed;
    if (!what_if) {
      out << absl::StrFormat("   %12s %11s %11s", Round(p.energy_kwh),
                             Round(p.gross_co2e_kg), Round(p.net_co2e_kg));
    }
    out << "\n";
    for (const Change& c : a.changes) {
      out << absl::StrFormat("  %-*s %12s %14s %12s   %11s %10s %10s\n", w - 2,
                             c.what, Round(c.result.energy.value()),
                             Round(Kg(c.result.gross)), Round(Kg(c.result.net)),
                             Factor(c.energy_factor), Factor(c.gross_factor),
                             Factor(c.net_factor));
    }
    if (!what_if) continue;
    const Together all(a.changes);
    out << absl::StrFormat("  %-*s %12s %14s %12s   %11s %10s %10s\n", w - 2,
                           "all together", "", "", "", Factor(all.energy),
                           Factor(all.gross), Factor(all.net));
  }
}

}  // namespace

int FootprintCommand(const FootprintOptions& options, std::ostream& out,
                     std::ostream& err) {
  const std::string& o = options.output;
  if (o != "table" && o != "json" && o != "csv") {
    err << "ccsched footprint: -o " << o << " is none of table, json, csv\n";
    return 2;
  }
  std::vector<std::string> remarks;
  const auto answers = Compute(options, remarks);
  if (!answers.ok()) {
    err << "ccsched footprint: " << answers.status().message() << "\n";
    return absl::IsUnavailable(answers.status()) ? 3 : 2;
  }
  for (const std::string& remark : remarks) err << remark << "\n";
  if (o == "json") {
    PrintJson(*answers, out);
  } else if (o == "csv") {
    PrintCsv(*answers, out);
  } else {
    PrintTable(*answers, out);
  }
  return 0;
}

}  // namespace ccsched
