// One self-contained HTML page about the runs of a scenario.
// SPDX-License-Identifier: Apache-2.0
#include "sim/report.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/results_text.h"
#include "sim/svg_chart.h"

namespace ccsched {
namespace {

constexpr char kStyle[] = R"(<style>
:root{--bg:#fbfbf9;--ink:#1d2521;--soft:#5d6862;--rule:#dfe3dd;--card:#fff;
--mark:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#14181a;--ink:#e6ebe7;
--soft:#9aa6a0;--rule:#2c3436;--card:#1b2123;--mark:#ff8a80}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}main{max-width:60rem;margin:0 auto;
padding:1.5rem 1rem 4rem}h1{font-size:1.7rem;margin:.2em 0}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{color:var(--soft);margin:.3em 0 1em}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;
padding:.8rem;margin:.6rem 0}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;
font-variant-numeric:tabular-nums}th,td{padding:.35rem .6rem;text-align:right;
white-space:nowrap;border-bottom:1px solid var(--rule)}th{color:var(--soft);
font-weight:500}td:first-child,th:first-child{text-align:left}
tr:last-child td{border-bottom:0}svg{width:100%;height:auto;display:block}
.grid{stroke:var(--rule);stroke-width:1}.tick,.label{fill:var(--soft);
font-size:11px}.name{fill:var(--ink);font-size:12px}
.line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
.area{fill:var(--c);fill-opacity:.28;stroke:none}.dot{fill:var(--c)}
line.mark{stroke:var(--mark);stroke-dasharray:5 4}text.mark{fill:var(--mark);
font-size:11px}.key{display:inline-block;width:.8em;height:.8em;
border-radius:2px;margin-right:.35em;vertical-align:-.05em}
.keys{color:var(--soft);font-size:.85rem;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
.bar{height:.75rem;border-radius:3px;background:var(--c)}
@media(max-width:40rem){.tick,.label,.name,text.mark{font-size:17px}}
.bars{min-width:6rem}.late{color:var(--mark)}details{margin:.5rem 0}summary{cursor:pointer;
font-weight:600;padding:.3rem 0}
</style>)";

std::string Key(std::string_view colour, const std::string& name) {
  return absl::StrCat(
      "<span><span class=\"key\" style=\"background:", std::string(colour),
      "\"></span>", HtmlText(name), "</span>");
}

std::string Percent(double share) {
  return absl::StrFormat("%.2f %%", share * 100);
}

class Page {
 public:
  Page(const Scenario& scenario, const WorkloadFacts& facts,
       const std::vector<SimResult>& results,
       const std::vector<ReportCollector>& collected)
      : scenario_(scenario),
        facts_(facts),
        results_(results),
        collected_(collected) {}

  std::string Write() {
    Head();
    Comparison();
    Frontier();
    Waits();
    Sites();
    Worst();
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
        HtmlText(scenario_.name), " · ccsched</title>", kStyle,
        "</head><body><main><h1>", HtmlText(scenario_.name), "</h1><p>",
        facts_.jobs, " jobs, ",
        absl::StrFormat("%.0f", facts_.accelerator_hours),
        " accelerator-hours, ", scenario_.topology.sites.size(), " sites, ",
        day(scenario_.start), " to ", day(last), ".",
        facts_.bad_rows > 0
            ? absl::StrCat(" <b>", facts_.bad_rows,
                           " rows of the trace could not be read.</b>")
            : "",
        "</p>"));
  }

  void Comparison() {
    double most = 0;
    for (const SimResult& r : results_) most = std::max(most, r.co2e.value());
    Add("<h2>Policies side by side</h2><div class=\"card scroll\"><table><tr>"
        "<th>policy</th><th>CO2e</th><th></th><th>vs fcfs</th><th>above bound"
        "</th><th>energy</th><th>mean wait</th><th>p95</th><th>slowdown</th>"
        "<th>late</th><th>suspended</th></tr>");
    for (size_t i = 0; i < results_.size(); ++i) {
      const SimResult& r = results_[i];
      const std::string gap =
          r.bound && r.unfinished == 0 ? Percent(r.co2e / *r.bound - 1) : "–";
      const std::string saved =
          r.saved_vs_fcfs
              ? absl::StrFormat("%+.2f %%", 0.0 - *r.saved_vs_fcfs * 100)
              : "–";
      const double late = static_cast<double>(r.promises_broken);
      Add(absl::StrCat(
          "<tr><td>", Key(ChartColour(i), r.policy), "</td><td>",
          MassText(r.co2e),
          "</td><td class=\"bars\"><div class=\"bar\" "
          "style=\"--c:",
          std::string(ChartColour(i)), ";width:",
          absl::StrFormat("%.1f", 100 * r.co2e.value() / std::max(most, 1e-9)),
          "%\"></div></td><td>", saved, "</td><td>", gap, "</td><td>",
          absl::StrFormat("%.0f kWh", r.energy.value()), "</td><td>",
          absl::StrFormat("%.2f h", absl::ToDoubleHours(r.wait_mean)),
          "</td><td>",
          absl::StrFormat("%.1f h", absl::ToDoubleHours(r.wait_p95)),
          "</td><td>", absl::StrFormat("%.2f", r.bounded_slowdown_mean),
          "</td><td", late > 0 ? " class=\"late\"" : "", ">", r.promises_broken,
          r.unfinished > 0 ? absl::StrCat(" + ", r.unfinished, " unfinished")
                           : "",
          "</td><td>", r.suspensions, "</td></tr>"));
    }
    Add("</table></div>");
    if (!results_.empty() && results_[0].bound) {
      Add(
          absl::StrCat("<p>No schedule of these jobs that keeps capacity and "
                       "promises emits less than ",
                       MassText(*results_[0].bound), ".</p>"));
    }
  }

  void Frontier() {
    Chart chart{.title = "Emission against mean wait",
                .x_label = "mean wait, h",
                .y_label = "CO2e, kg",
                .height = 320};
    double least = 1e300;
    for (size_t i = 0; i < results_.size(); ++i) {
      const SimResult& r = results_[i];
      least = std::min(least, r.co2e.value() / 1000);
      chart.lines.push_back({.name = r.policy,
                             .colour = std::string(ChartColour(i)),
                             .points = {{absl::ToDoubleHours(r.wait_mean),
                                         r.co2e.value() / 1000}},
                             .points_only = true});
      if (r.bound) {
        chart.mark = r.bound->value() / 1000;
        chart.mark_name = "bound";
      }
    }
    if (!chart.mark_name.empty()) least = std::min(least, chart.mark);
    chart.y_min = least * 0.9;
    Add("<h2>What waiting buys</h2><p>Down and to the left is better.</p>"
        "<div class=\"card\">" +
        DrawChart(chart) + "</div>");
  }

  void Waits() {
    Chart chart{.title = "Share of jobs that waited at most so long",
                .x_label = "waited at most, h",
                .y_label = "share of jobs, %"};
    std::string keys;
    for (size_t i = 0; i < collected_.size(); ++i) {
      const std::vector<uint64_t>& waits = collected_[i].waits();
      uint64_t all = 0, seen = 0;
      for (const uint64_t n : waits) all += n;
      ChartLine line{.name = results_[i].policy,
                     .colour = std::string(ChartColour(i))};
      for (size_t w = 0; w < waits.size() && seen < all; ++w) {
        seen += waits[w];
        line.points.emplace_back(w * ReportCollector::kWaitStepHours,
                                 100.0 * seen / all);
        if (w > 4 * 48 && seen > 0.999 * all) break;
      }
      keys += Key(ChartColour(i), results_[i].policy);
      chart.lines.push_back(std::move(line));
    }
    Add("<h2>Waits</h2><div class=\"card\">" + DrawChart(chart) +
        "<div class=\"keys\">" + keys + "</div></div>");
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
        "under the grid's intensity (line, gCO2e/kWh, right).</p>");
    size_t best = 0;
    for (size_t i = 1; i < results_.size(); ++i) {
      if (results_[i].co2e < results_[best].co2e) best = i;
    }
    for (size_t i = 0; i < collected_.size(); ++i) {
      Add(absl::StrCat("<details", i == best ? " open" : "", "><summary>",
                       Key(ChartColour(i), results_[i].policy), "</summary>"));
      for (size_t s = 0; s < scenario_.topology.sites.size(); ++s) {
        Site(i, s, hours);
      }
      Add("</details>");
    }
  }

  void Site(size_t run, size_t s, size_t hours) {
    const SiteFigures& figures = results_[run].sites[s];
    Chart chart{.title = figures.site,
                .y_label = "accelerators",
                .right_label = "g/kWh",
                .height = 190};
    const size_t step = std::max<size_t>(24, hours / 7 / 24 * 24);
    for (size_t h = 0; h < hours; h += step) {
      chart.x_ticks.emplace_back(
          h, absl::FormatTime("%b %e", scenario_.start + absl::Hours(h),
                              absl::UTCTimeZone()));
    }
    chart.lines.push_back({.name = "accelerators at work",
                           .colour = std::string(ChartColour(run)),
                           .points = Thin(collected_[run].load(s), hours, 700),
                           .area = true});
    const std::vector<double> intensity = Intensity(s, hours);
    chart.lines.push_back({.name = "gCO2e/kWh",
                           .colour = "var(--soft)",
                           .points = Thin(intensity, intensity.size(), 350),
                           .right = true});
    std::string caption =
        absl::StrCat(HtmlText(figures.site), " · ", MassText(figures.co2e),
                     " · peak ", figures.peak);
    if (figures.utilisation) {
      absl::StrAppend(&caption, " · ", Percent(*figures.utilisation), " used");
    }
    Add("<div class=\"card\"><div class=\"keys\">" + caption + "</div>" +
        DrawChart(chart) + "</div>");
  }

  static std::string Why(const ReportCollector::WorstJob& job) {
    if (!job.finished) return "had not ended when the run stopped";
    if (!job.kept) return "ended after its promise";
    if (job.stretches > 1) {
      return absl::StrCat("was suspended ", job.stretches - 1, " times");
    }
    return job.wait_h > 0 ? "was held back, within its promise"
                          : "did not wait";
  }

  void Worst() {
    Add("<h2>The jobs that waited longest</h2>");
    for (size_t i = 0; i < collected_.size(); ++i) {
      Add(absl::StrCat("<details><summary>",
                       Key(ChartColour(i), results_[i].policy),
                       "</summary><div class=\"card scroll\"><table><tr><th>job"
                       "</th><th>waited</th><th>runs</th><th>accelerators</th>"
                       "<th>CO2e</th><th>why</th></tr>"));
      for (const ReportCollector::WorstJob& job : collected_[i].Worst()) {
        Add(absl::StrCat("<tr><td>", HtmlText(job.id), "</td><td>",
                         absl::StrFormat("%.2f h", job.wait_h), "</td><td>",
                         absl::StrFormat("%.2f h", job.run_h), "</td><td>",
                         job.count, "</td><td>",
                         MassText(GramsCo2e(job.co2e_g)), "</td><td",
                         job.kept && job.finished ? "" : " class=\"late\"", ">",
                         Why(job), "</td></tr>"));
      }
      Add("</table></div></details>");
    }
  }

  const Scenario& scenario_;
  const WorkloadFacts& facts_;
  const std::vector<SimResult>& results_;
  const std::vector<ReportCollector>& collected_;
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
