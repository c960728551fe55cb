// Parts of a report that compare its policies with each other.
// SPDX-License-Identifier: Apache-2.0
#include "sim/report_parts.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/results_text.h"
#include "sim/svg_chart.h"

namespace ccsched {
namespace {

// Of more policies than there are colours, so many get one; fewer than there
// are colours, as their names have to find room in a chart.
constexpr size_t kMostStandOut = 8;

}  // namespace

bool OnFrontier(const std::vector<SimResult>& results, size_t i) {
  const SimResult& one = results[i];
  if (one.unfinished > 0) return false;
  return std::none_of(
      results.begin(), results.end(), [&one](const SimResult& other) {
        return other.unfinished == 0 && other.co2e <= one.co2e &&
               other.wait_mean <= one.wait_mean &&
               (other.co2e < one.co2e || other.wait_mean < one.wait_mean);
      });
}

Palette::Palette(const std::vector<SimResult>& results)
    : results_(results), colour_(results.size()) {
  const auto rank = [&results](size_t i) {
    return std::make_tuple(results[i].unfinished > 0, results[i].co2e.value());
  };
  for (size_t i = 1; i < results.size(); ++i) {
    if (rank(i) < rank(best_)) best_ = i;
  }
  std::vector<size_t> chosen;
  const auto choose = [&chosen, &results](size_t i) {
    if (i < results.size() && chosen.size() < kMostStandOut &&
        std::find(chosen.begin(), chosen.end(), i) == chosen.end()) {
      chosen.push_back(i);
    }
  };
  if (results.size() <= kChartColours) {
    for (size_t i = 0; i < results.size(); ++i) colour_[i] = i;
    return;
  }
  choose(best_);
  choose(0);
  std::vector<size_t> front;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].policy == "fcfs") choose(i);
    if (OnFrontier(results, i)) front.push_back(i);
  }
  std::stable_sort(front.begin(), front.end(),
                   [&rank](size_t a, size_t b) { return rank(a) < rank(b); });
  for (const size_t i : front) choose(i);
  std::sort(chosen.begin(), chosen.end());
  for (size_t i = 0; i < chosen.size(); ++i) colour_[chosen[i]] = i;
  others_ = results.size() - chosen.size();
}

std::string_view Palette::Colour(size_t i) const {
  return colour_[i] ? ChartColour(*colour_[i]) : "var(--other)";
}

std::string Palette::Key(size_t i) const {
  // Names may break before their parameters, so that tables fit a phone.
  std::string name = HtmlText(results_[i].policy);
  if (const size_t colon = name.find(':'); colon != std::string::npos) {
    name.insert(colon + 1, "<wbr>");
  }
  return StandsOut(i)
             ? absl::StrCat("<span><span class=\"key\" style=\"background:",
                            std::string(Colour(i)), "\"></span>", name,
                            "</span>")
             : absl::StrCat("<span><span class=\"num\">", i + 1, "</span>",
                            name, "</span>");
}

std::string FrontierCard(const std::vector<SimResult>& results,
                         const Palette& palette) {
  // In the unit that keeps the numbers short.
  double most = 0;
  for (const SimResult& r : results) most = std::max(most, r.co2e.value());
  const auto [unit, scale] = most >= 1e6   ? std::make_pair("t", 1e-6)
                             : most >= 1e3 ? std::make_pair("kg", 1e-3)
                                           : std::make_pair("g", 1.0);
  Chart chart{.title = "Emission against mean wait",
              .x_label = "mean wait, h",
              .y_label = absl::StrCat("CO2e, ", unit)};
  double least = 1e300;
  ChartLine line{.name = "frontier", .colour = "var(--soft)", .dashed = true};
  std::vector<ChartLine> named;
  for (size_t i = 0; i < results.size(); ++i) {
    const SimResult& r = results[i];
    const double amount = r.co2e.value() * scale;
    least = std::min(least, amount);
    ChartLine dot{.name = r.policy,
                  .colour = std::string(palette.Colour(i)),
                  .points = {{absl::ToDoubleHours(r.wait_mean), amount}},
                  .points_only = true};
    if (OnFrontier(results, i)) line.points.push_back(dot.points[0]);
    if (r.bound) {
      chart.mark = r.bound->value() * scale;
      chart.mark_name = "bound";
    }
    if (!palette.StandsOut(i)) dot.mark = absl::StrCat(i + 1);
    (palette.StandsOut(i) ? named : chart.lines).push_back(std::move(dot));
  }
  // Those that stand out lie above the others.
  for (ChartLine& dot : named) chart.lines.push_back(std::move(dot));
  std::sort(line.points.begin(), line.points.end());
  if (line.points.size() > 1) chart.lines.push_back(std::move(line));
  if (!chart.mark_name.empty()) least = std::min(least, chart.mark);
  chart.y_min = least * 0.9;
  return "<div class=\"card\"><h3>Emission and mean wait <small>down and left "
         "is better</small></h3>" +
         DrawChart(chart) +
         (palette.others() > 0 ? "<p class=\"note\">Grey dots go by their "
                                 "number in the table above.</p>"
                               : "") +
         "</div>";
}

std::string WaitsCard(const std::vector<SimResult>& results,
                      const std::vector<ReportCollector>& collected,
                      const Palette& palette) {
  Chart chart{.title = "Share of jobs that waited at most so long",
              .x_label = "waited at most, h",
              .y_label = "share of jobs, %"};
  std::string keys;
  std::vector<ChartLine> named;
  for (size_t i = 0; i < collected.size(); ++i) {
    const std::vector<uint64_t>& waits = collected[i].waits();
    uint64_t all = 0, seen = 0;
    for (const uint64_t n : waits) all += n;
    ChartLine line{.name = results[i].policy,
                   .colour = std::string(palette.Colour(i)),
                   .points = {{0, 0}},
                   .faint = !palette.StandsOut(i)};
    for (size_t w = 0; w < waits.size() && seen < all; ++w) {
      seen += waits[w];
      line.points.emplace_back(w * ReportCollector::kWaitStepHours,
                               100.0 * seen / all);
      if (w > 192 && seen > 0.999 * all) break;  // two days
    }
    if (palette.StandsOut(i)) keys += palette.Key(i);
    (palette.StandsOut(i) ? named : chart.lines).push_back(std::move(line));
  }
  for (ChartLine& line : named) chart.lines.push_back(std::move(line));
  if (palette.others() > 0) {
    absl::StrAppend(&keys,
                    "<span><span class=\"key\" style=\"background:"
                    "var(--other)\"></span>",
                    palette.others(), " others</span>");
  }
  return "<div class=\"card\"><h3>Waits <small>share of jobs that waited at "
         "most so long</small></h3>" +
         DrawChart(chart) + "<div class=\"keys\">" + keys + "</div></div>";
}

std::string CapacityCard(const Scenario& scenario,
                         const std::vector<SimResult>& results,
                         const Palette& palette) {
  const size_t sites = scenario.topology.sites.size();
  const bool policies_down = results.size() > sites;
  const auto cell = [&results](size_t run, size_t s) -> std::string {
    const SiteFigures& site = results[run].sites[s];
    if (!site.utilisation) {
      return absl::StrCat("<td>peak ", site.peak, "</td>");
    }
    return absl::StrCat(
        "<td class=\"heat\" style=\"--h:",
        absl::StrFormat("%.2f", 0.75 * *site.utilisation), "\" title=\"",
        HtmlText(MassText(site.co2e)), ", at most ", site.peak, " at once\">",
        absl::StrFormat("%.1f %%", 100 * *site.utilisation), "</td>");
  };
  const auto site_name = [&scenario](size_t s) {
    return HtmlText(scenario.topology.sites[s].name);
  };
  std::string table =
      policies_down ? "<tr><th>policy</th>" : "<tr><th>site</th>";
  const size_t across = policies_down ? sites : results.size();
  const size_t down = policies_down ? results.size() : sites;
  for (size_t i = 0; i < across; ++i) {
    absl::StrAppend(&table, "<th>",
                    policies_down ? site_name(i) : palette.Key(i), "</th>");
  }
  table += "</tr>";
  for (size_t row = 0; row < down; ++row) {
    absl::StrAppend(&table, "<tr><td>",
                    policies_down ? palette.Key(row) : site_name(row), "</td>");
    for (size_t i = 0; i < across; ++i) {
      table += policies_down ? cell(row, i) : cell(i, row);
    }
    table += "</tr>";
  }
  return "<div class=\"card scroll fit\"><table>" + table + "</table></div>";
}

}  // namespace ccsched
