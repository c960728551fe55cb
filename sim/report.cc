// One self-contained HTML page about the runs of a scenario.
// SPDX-License-Identifier: Apache-2.0
#include "sim/report.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/report_parts.h"
#include "sim/report_style.h"
#include "sim/results_text.h"
#include "sim/svg_chart.h"

namespace ccsched {
namespace {

std::string Percent(double share) {
  return absl::StrFormat("%.2f %%", share * 100);
}

// Against what was: "−21.9 %".
std::string Change(double share) {
  const std::string text = absl::StrFormat("%.1f %%", std::abs(share) * 100);
  return text == "0.0 %" ? text : (share < 0 ? "−" : "+") + text;
}

// "46,134".
std::string Grouped(double number) {
  std::string text = absl::StrFormat("%.0f", number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

class Page {
 public:
  Page(const Scenario& scenario, const WorkloadFacts& facts,
       const std::vector<SimResult>& results,
       const std::vector<ReportCollector>& collected)
      : scenario_(scenario),
        facts_(facts),
        results_(results),
        collected_(collected),
        palette_(results) {}

  std::string Write() {
    Head();
    Verdict();
    Comparison();
    Waits();
    CapacityUse();
    Sites();
    Worst();
    Foot();
    return out_ + "</main></body></html>\n";
  }

 private:
  void Add(const std::string& html) { out_ += html; }

  void Head() {
    const auto day = [](absl::Time t) {
      return absl::FormatTime("%Y-%m-%d", t, absl::UTCTimeZone());
    };
    absl::Time last = scenario_.start;
    for (const SimResult& r : results_) last = std::max(last, r.last_end);
    Add(absl::StrCat(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
        "name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<title>",
        HtmlText(scenario_.name), " · ccsched</title>", kReportStyle,
        "</head><body><main><h1>", HtmlText(scenario_.name), "</h1><p>",
        Grouped(static_cast<double>(facts_.jobs)), " jobs, ",
        Grouped(facts_.accelerator_hours), " accelerator-hours, ",
        scenario_.topology.sites.size(), " sites, ", day(scenario_.start),
        " to ", day(last), ", ", results_.size(),
        results_.size() == 1 ? " policy." : " policies.",
        facts_.bad_rows > 0
            ? absl::StrCat(" <b>", facts_.bad_rows,
                           " rows of the trace could not be read.</b>")
            : "",
        "</p>"));
  }

  void Tile(const std::string& figure, const std::string& what,
            bool good = false) {
    Add(absl::StrCat("<div class=\"card tile\"><b", good ? " class=good" : "",
                     ">", figure, "</b><span>", what, "</span></div>"));
  }

  void Verdict() {
    if (results_.empty()) return;
    const SimResult& r = results_[palette_.best()];
    Add("<div class=\"tiles\">");
    Tile(MassText(r.co2e), "CO2e by " + HtmlText(r.policy) +
                               (results_.size() > 1 ? ", the least" : ""));
    if (r.saved_vs_fcfs && results_.size() > 1) {
      Tile(Change(-*r.saved_vs_fcfs), "against first come, first served",
           *r.saved_vs_fcfs > 0);
    }
    if (r.bound && r.unfinished == 0) {
      Tile(Percent(r.co2e / *r.bound - 1), "above what no schedule can beat");
    }
    Tile(WaitText(r.wait_mean),
         r.promises_broken == 0 ? std::string("mean wait; every promise kept")
                                : absl::StrCat("mean wait; ", r.promises_broken,
                                               " promises broken"));
    Add("</div>");
  }

  void Comparison() {
    double most = 1e-9;
    bool idle = false, suspended = false, failed = false, bound = false,
         fcfs = false;
    for (const SimResult& r : results_) {
      most = std::max(most, r.co2e.value());
      idle |= r.idle_co2e > GramsCo2e(0);
      suspended |= r.suspensions > 0;
      failed |= r.lost_attempts > 0;
      bound |= r.bound.has_value();
      fcfs |= r.saved_vs_fcfs.has_value();
    }
    const auto column = [](bool shown, const char* name) {
      return shown ? absl::StrCat("<th class=\"more\">", name, "</th>") : "";
    };
    Add(absl::StrCat(
        results_.size() > 1 ? "<h2>Policies side by side</h2>"
                            : "<h2>In figures</h2>",
        "<div class=\"card scroll\"><table class=\"runs\"><tr>"
        "<th>policy</th><th>CO2e</th><th class=\"more\"></th>",
        fcfs ? "<th>vs fcfs</th>" : "", bound ? "<th>above bound</th>" : "",
        column(idle, "idle CO2e"), column(true, "energy"),
        "<th>mean wait</th><th class=\"more\">p95</th>", "<th>late</th>",
        column(suspended, "paused · moved"), column(failed, "lost"), "</tr>"));
    for (size_t i = 0; i < results_.size(); ++i) {
      const SimResult& r = results_[i];
      const auto cell = [](bool shown, const std::string& text) {
        return shown ? absl::StrCat("<td class=\"more\">", text, "</td>") : "";
      };
      Add(absl::StrCat(
          "<tr><td>", palette_.Key(i), "</td><td>", MassText(r.co2e), "</td>",
          Bar(i, most),
          !fcfs             ? ""
          : r.saved_vs_fcfs ? "<td>" + Change(-*r.saved_vs_fcfs) + "</td>"
                            : "<td>–</td>",
          !bound ? ""
          : r.bound && r.unfinished == 0
              ? absl::StrCat("<td>", Percent(r.co2e / *r.bound - 1), "</td>")
              : "<td>–</td>",
          cell(idle, MassText(r.idle_co2e)),
          cell(true, Grouped(r.energy.value()) + " kWh"), "<td>",
          WaitText(r.wait_mean), "</td>", cell(true, WaitText(r.wait_p95)),
          "<td class=\"wrap", r.promises_broken > 0 ? " late" : "", "\">",
          r.promises_broken,
          r.unfinished > 0 ? absl::StrCat(" + ", r.unfinished, " unfinished")
                           : "",
          "</td>", cell(suspended, absl::StrCat(r.suspensions, " · ", r.moves)),
          cell(failed, absl::StrCat(r.lost_attempts)), "</tr>"));
    }
    Add("</table></div>");
    if (results_.empty() || !results_[0].bound) return;
    Add(absl::StrCat(
        "<p style=\"margin-top:.6rem\">The bound<span class=\"more\">, the red "
        "mark</span>: no schedule of these jobs that keeps capacity and "
        "promises, even one that knows everything in advance, emits less "
        "than ",
        MassText(*results_[0].bound), ".</p>"));
  }

  std::string Bar(size_t i, double most) const {
    const SimResult& r = results_[i];
    return absl::StrCat(
        "<td class=\"bars more\"><div class=\"track\"><div class=\"bar\" "
        "style=\"--c:",
        std::string(palette_.Colour(i)),
        ";width:", absl::StrFormat("%.1f", 100 * r.co2e.value() / most),
        "%\"></div>",
        r.bound ? absl::StrFormat(
                      "<div class=\"bound\" style=\"left:%.2f%%\"></div>",
                      100 * r.bound->value() / most)
                : "",
        "</div></td>");
  }

  void Waits() {
    const bool several = results_.size() > 1;
    Add(several
            ? "<h2>What waiting buys</h2><p>Each policy by what it emits and "
              "how long it lets jobs wait; the dashed line joins those that no "
              "other beats in both.</p>"
            : "<h2>How long jobs waited</h2>");
    Add("<div class=\"grid2\">" +
        (several ? FrontierCard(results_, palette_) : std::string()) +
        WaitsCard(results_, collected_, palette_) + "</div>");
  }

  void CapacityUse() {
    bool any = false;
    for (const SimResult& r : results_) {
      for (const SiteFigures& site : r.sites)
        any |= site.utilisation.has_value();
    }
    Add("<h2>Capacity use</h2><p>" +
        std::string(
            any ? "Share of each site's accelerator-hours at work, from "
                  "the first submission to the last end."
                : "Most accelerators at work at once.") +
        "</p>" + CapacityCard(scenario_, results_, palette_));
  }

  // A part for each policy that opens and closes, the best one's open; those
  // that do not stand out wait together behind one line.
  template <typename Part>
  void EachPolicy(const Part& part) {
    const auto one = [this, &part](size_t i) {
      Add(absl::StrCat("<details", i == palette_.best() ? " open" : "",
                       "><summary>", palette_.Key(i), "</summary>"));
      part(i);
      Add("</details>");
    };
    for (size_t i = 0; i < collected_.size(); ++i) {
      if (palette_.StandsOut(i)) one(i);
    }
    if (palette_.others() == 0) return;
    Add(absl::StrCat("<details class=\"others\"><summary>The other ",
                     palette_.others(), " policies</summary>"));
    for (size_t i = 0; i < collected_.size(); ++i) {
      if (!palette_.StandsOut(i)) one(i);
    }
    Add("</details>");
  }

  // Hourly values in at most `most` means.
  static std::vector<std::pair<double, double>> Thin(
      const std::vector<double>& hours, size_t size, size_t most) {
    const size_t width = std::max<size_t>(1, (size + most - 1) / most);
    std::vector<std::pair<double, double>> points;
    for (size_t i = 0; i < size; i += width) {
      double sum = 0;
      const size_t end = std::min(size, i + width);
      for (size_t h = i; h < end; ++h) sum += h < hours.size() ? hours[h] : 0;
      points.emplace_back(i, sum / (end - i));
    }
    return points;
  }

  std::vector<double> Intensity(size_t site, size_t hours) const {
    const RegionId region = scenario_.topology.sites[site].region;
    const StepSeries& actual = scenario_.regions[region.value()].actual;
    std::vector<double> values;
    for (size_t h = 0; h < hours; ++h) {
      const absl::Time t = scenario_.start + absl::Hours(h);
      if (!actual.Covers(t, t + absl::Hours(1))) break;
      values.push_back(actual.IntegralHours(t, t + absl::Hours(1)));
    }
    return values;
  }

  void Sites() {
    size_t hours = 1;
    for (const ReportCollector& c : collected_) {
      for (size_t s = 0; s < scenario_.topology.sites.size(); ++s) {
        hours = std::max(hours, c.load(s).size());
      }
    }
    // The tail of a few long jobs would squeeze the rest.
    if (scenario_.end != absl::InfiniteFuture()) {
      hours = std::min<size_t>(
          hours, (scenario_.end - scenario_.start) / absl::Hours(1) + 72);
    }
    Add("<h2>Where and when the work ran</h2><p>Accelerators at work (area) "
        "under the grid's intensity (line, right-hand axis), at the same scale "
        "for all sites.</p>");
    double load = 0, grid = 0;
    for (size_t s = 0; s < scenario_.topology.sites.size(); ++s) {
      for (const ReportCollector& c : collected_) {
        for (const double v : c.load(s)) load = std::max(load, v);
      }
      for (const double v : Intensity(s, hours)) grid = std::max(grid, v);
    }
    EachPolicy([this, hours, load, grid](size_t i) {
      Add("<div class=\"grid2\">");
      for (size_t s = 0; s < scenario_.topology.sites.size(); ++s) {
        Site(i, s, hours, load, grid);
      }
      Add("</div>");
    });
  }

  void Site(size_t run, size_t s, size_t hours, double load, double grid) {
    const SiteFigures& figures = results_[run].sites[s];
    Chart chart{.title = figures.site,
                .y_label = "accelerators",
                .right_label = "gCO2e/kWh",
                .y_max = load,
                .right_max = grid,
                .height = 190};
    const size_t step = std::max<size_t>(24, hours / 5 / 24 * 24);
    for (size_t h = 0; h < hours; h += step) {
      chart.x_ticks.emplace_back(
          h, absl::FormatTime("%b %e", scenario_.start + absl::Hours(h),
                              absl::UTCTimeZone()));
    }
    chart.lines.push_back({.name = "accelerators at work",
                           .colour = std::string(palette_.Colour(run)),
                           .points = Thin(collected_[run].load(s), hours, 420),
                           .area = true});
    const std::vector<double> intensity = Intensity(s, hours);
    chart.lines.push_back({.name = "gCO2e/kWh",
                           .colour = "var(--soft)",
                           .points = Thin(intensity, intensity.size(), 320),
                           .right = true});
    std::string caption = absl::StrCat(
        figures.co2e > GramsCo2e(0) ? MassText(figures.co2e) : "no CO2e",
        " · peak ", figures.peak);
    if (figures.utilisation) {
      absl::StrAppend(&caption, " · ",
                      absl::StrFormat("%.1f %%", 100 * *figures.utilisation),
                      " used");
    }
    Add("<div class=\"card\"><h3>" + HtmlText(figures.site) + " <small>" +
        caption + "</small></h3>" + DrawChart(chart) + "</div>");
  }

  std::string Why(const ReportCollector::WorstJob& job) const {
    if (!job.finished) return "had not ended when the run stopped";
    std::vector<std::string> reasons;
    if (!job.kept) {
      reasons.push_back(
          absl::StrFormat("ended %.1f h after its promise", job.late_h));
    }
    if (job.losses > 0) {
      reasons.push_back(absl::StrCat("lost its node ", job.losses,
                                     job.losses == 1 ? " time" : " times"));
    }
    if (job.stretches > 1 + job.losses) {
      reasons.push_back(
          absl::StrCat("ran in ", job.stretches - job.losses, " stretches"));
    }
    if (job.wait_h > 0 && job.at_once_g) {
      const std::string once = MassText(GramsCo2e(*job.at_once_g));
      const std::string& site = scenario_.topology.site(job.pool).name;
      reasons.push_back(
          job.co2e_g < 0.995 * *job.at_once_g
              ? absl::StrCat("held for cleaner hours: at once it would have "
                             "emitted ",
                             once, " at ", site)
              : absl::StrCat(job.stretches > 1 ? "its pauses saved nothing"
                                               : "waited for room",
                             ": at once it would have emitted ", once, " at ",
                             site));
    }
    if (reasons.empty()) return job.wait_h > 0 ? "waited" : "did not wait";
    return HtmlText(absl::StrJoin(reasons, "; "));
  }

  void Worst() {
    Add("<h2>The jobs that waited longest, and why</h2>");
    EachPolicy([this](size_t i) {
      Add("<div class=\"card scroll\"><table class=\"jobs\"><tr><th>job</th>"
          "<th>waited</th><th>runs</th><th class=\"more\">accelerators</th>"
          "<th>CO2e</th><th class=\"text\">why</th></tr>");
      for (const ReportCollector::WorstJob& job : collected_[i].Worst()) {
        Add(absl::StrCat(
            "<tr><td>", HtmlText(job.id), "</td><td>",
            absl::StrFormat("%.1f h", job.wait_h), "</td><td>",
            absl::StrFormat("%.1f h", job.run_h), "</td><td class=\"more\">",
            job.count, "</td><td>", MassText(GramsCo2e(job.co2e_g)),
            "</td><td class=\"text", job.kept && job.finished ? "" : " late",
            "\">", Why(job), "</td></tr>"));
      }
      Add("</table></div>");
    });
  }

  void Foot() {
    std::string more;
    if (scenario_.faults) {
      more += " Nodes failed at the same moments under every policy.";
    }
    Add("<footer>CO2e is what the jobs caused: power at work × PUE × the "
        "grid's "
        "intensity over every stretch of running, overheads and work that was "
        "lost included. Wait is from submission to end, less the useful work. "
        "Late jobs ended after their promise. All policies ran through the "
        "scheduler's own engine." +
        more + "</footer>");
  }

  const Scenario& scenario_;
  const WorkloadFacts& facts_;
  const std::vector<SimResult>& results_;
  const std::vector<ReportCollector>& collected_;
  const Palette palette_;
  std::string out_;
};

}  // namespace

absl::Status WriteReport(const std::string& path, const Scenario& scenario,
                         const WorkloadFacts& facts,
                         const std::vector<SimResult>& results,
                         const std::vector<ReportCollector>& collected) {
  const std::string html = Page(scenario, facts, results, collected).Write();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << html;
  file.close();
  if (file) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": can't be written"));
}

}  // namespace ccsched
