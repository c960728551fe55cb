// Plain line, area, bar and point charts as inline SVG.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_SVG_CHART_H_
#define CCSCHED_SIM_SVG_CHART_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccsched {

// Text made safe for HTML.
std::string HtmlText(std::string_view text);

// "#2f7d5b" and others, told apart also by people who confuse red and green;
// they come again after kChartColours.
std::string_view ChartColour(size_t i);
constexpr size_t kChartColours = 10;

struct ChartLine {
  std::string name;
  std::string colour;
  std::vector<std::pair<double, double>> points;
  bool area = false;         // filled down to zero
  bool right = false;        // belongs to the right-hand axis
  bool points_only = false;  // dots with their names beside them
  bool dashed = false;
  bool faint = false;  // a line in the background
  std::string mark;    // a point's, in it and instead of its name
};

struct Chart {
  std::string title;  // for readers of screens
  std::string x_label, y_label, right_label;
  // Labels under the x axis at these places; numbers where there are none.
  std::vector<std::pair<double, std::string>> x_ticks;
  std::vector<ChartLine> lines;
  double y_min = 0;  // the axis begins there
  // The axes reach at least so far, so that neighbours can be compared.
  double y_max = 0, right_max = 0;
  // A line across, with its name.
  double mark = 0;
  std::string mark_name;
  int height = 260;
};

// An <svg> that scales with the page; drawn for some 460 pixels, so that its
// text can be read on a phone and in two columns.
std::string DrawChart(const Chart& chart);

}  // namespace ccsched

#endif  // CCSCHED_SIM_SVG_CHART_H_
