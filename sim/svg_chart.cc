// Plain line, area and point charts as inline SVG.
// SPDX-License-Identifier: Apache-2.0
#include "sim/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ccsched {
namespace {

constexpr double kWidth = 460, kLeft = 46, kRight = 44, kNoRight = 16,
                 kTop = 26, kBottom = 40, kNoLabel = 22;
constexpr int kTicks = 4;

// A round step that divides `span` into about kTicks.
double RoundStep(double span) {
  if (!(span > 0)) return 1;
  const double raw = span / kTicks;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

std::string Number(double v) {
  if (std::abs(v) < 1e-12) return "0";
  return absl::StrFormat("%.6g", v);
}

struct Axis {
  double low = 0, high = 1, step = 1;
  void Fit(double from, double to) {
    step = RoundStep(to - from);
    low = std::floor(from / step + 1e-9) * step;
    high = std::ceil(to / step - 1e-9) * step;
    if (!(high > low)) high = low + step;
  }
};

class Drawing {
 public:
  explicit Drawing(const Chart& chart)
      : chart_(chart),
        right_margin_(chart.right_label.empty() ? kNoRight : kRight),
        bottom_margin_(chart.x_label.empty() ? kNoLabel : kBottom) {
    double x0 = 1e300, x1 = -1e300;
    double top = std::max({chart.mark, chart.y_min, chart.y_max});
    double right_top = chart.right_max;
    for (const ChartLine& line : chart.lines) {
      for (const auto& [x, y] : line.points) {
        x0 = std::min(x0, x), x1 = std::max(x1, x);
        (line.right ? right_top : top) =
            std::max(line.right ? right_top : top, y);
      }
    }
    if (!(x1 > x0)) x1 = x0 + 1;
    if (chart.x_ticks.empty()) {
      x_.Fit(std::min(0.0, x0), x1);
    } else {
      x_.low = x0, x_.high = x1;
    }
    y_.Fit(chart.y_min, top);
    right_.Fit(0, right_top);
  }

  std::string Draw() {
    absl::StrAppend(&out_, "<svg viewBox=\"0 0 ", kWidth, " ", chart_.height,
                    "\" role=\"img\" aria-label=\"", HtmlText(chart_.title),
                    "\">");
    DrawAxes();
    for (const ChartLine& line : chart_.lines) {
      if (!line.points_only) DrawLine(line);
    }
    if (!chart_.mark_name.empty()) {
      const double y = Y(chart_.mark, y_);
      Line(kLeft, y, kWidth - right_margin_, y, "mark");
      const double right = kWidth - right_margin_ - 4;
      Text(right, y - 5, chart_.mark_name, "end", "mark");
      names_.push_back(
          {right - 8.3 * chart_.mark_name.size(), y - 18, right, y});
    }
    DrawAllPoints();
    return out_ + "</svg>";
  }

 private:
  double X(double x) const {
    return kLeft +
           (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - right_margin_);
  }
  double Y(double y, const Axis& axis) const {
    const double height = chart_.height - kTop - bottom_margin_;
    return kTop + height - (y - axis.low) / (axis.high - axis.low) * height;
  }
  void Line(double x0, double y0, double x1, double y1, const char* kind) {
    absl::StrAppendFormat(&out_,
                          "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" "
                          "x2=\"%.1f\" y2=\"%.1f\"/>",
                          kind, x0, y0, x1, y1);
  }
  void Text(double x, double y, const std::string& text, const char* anchor,
            const char* kind = "tick") {
    absl::StrAppendFormat(&out_,
                          "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                          "text-anchor=\"%s\">%s</text>",
                          kind, x, y, anchor, HtmlText(text));
  }

  void DrawAxes() {
    for (double v = y_.low; v <= y_.high + y_.step / 2; v += y_.step) {
      Line(kLeft, Y(v, y_), kWidth - right_margin_, Y(v, y_), "grid");
      Text(kLeft - 6, Y(v, y_) + 4, Number(v), "end");
    }
    if (!chart_.right_label.empty()) {
      for (double v = right_.low; v <= right_.high + right_.step / 2;
           v += right_.step) {
        Text(kWidth - right_margin_ + 6, Y(v, right_) + 4, Number(v), "start");
      }
    }
    const double bottom = chart_.height - bottom_margin_ + 15;
    for (const auto& [x, text] : chart_.x_ticks) {
      Text(X(x), bottom, text, "middle");
    }
    if (chart_.x_ticks.empty()) {
      for (double v = x_.low; v <= x_.high + x_.step / 2; v += x_.step) {
        Text(X(v), bottom, Number(v), "middle");
      }
    }
    Text(4, 12, chart_.y_label, "start", "label");
    Text((kWidth + kLeft - right_margin_) / 2, chart_.height - 6,
         chart_.x_label, "middle", "label");
    Text(kWidth - 4, 12, chart_.right_label, "end", "label");
  }

  void DrawLine(const ChartLine& line) {
    if (line.points.empty()) return;
    const Axis& axis = line.right ? right_ : y_;
    std::string path;
    for (const auto& [x, y] : line.points) {
      absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L",
                            X(x), Y(y, axis));
    }
    if (line.area) {
      absl::StrAppendFormat(&path, "L%.1f %.1fL%.1f %.1fZ",
                            X(line.points.back().first), Y(axis.low, axis),
                            X(line.points.front().first), Y(axis.low, axis));
    }
    absl::StrAppend(&out_, "<path class=\"",
                    line.area     ? "area"
                    : line.dashed ? "line dashed"
                    : line.faint  ? "line faint"
                                  : "line",
                    "\" style=\"--c:", line.colour, "\" d=\"", path,
                    "\"><title>", HtmlText(line.name), "</title></path>");
  }

  struct Box {
    double left, top, right, bottom;
    bool Meets(const Box& o) const {
      return left < o.right && o.left < right && top < o.bottom &&
             o.top < bottom;
    }
  };

  // Dots first, then names, each at the first of some places beside its dot
  // where it covers no other name and few dots.
  void DrawAllPoints() {
    for (const ChartLine& line : chart_.lines) {
      if (!line.points_only) continue;
      for (const auto& [x, y] : line.points) {
        const double px = X(x), py = Y(y, y_), r = line.mark.empty() ? 5 : 6.5;
        absl::StrAppendFormat(
            &out_,
            "<circle class=\"dot\" style=\"--c:%s\" cx=\"%.1f\" cy=\"%.1f\" "
            "r=\"%g\"><title>%s</title></circle>",
            line.colour, px, py, r, HtmlText(line.name));
        dots_.push_back({px - r, py - r, px + r, py + r});
        if (!line.mark.empty())
          Text(px, py + 3, line.mark, "middle", "dotname");
      }
    }
    for (const ChartLine& line : chart_.lines) {
      if (!line.points_only || !line.mark.empty()) continue;
      for (const auto& [x, y] : line.points) Name(line.name, X(x), Y(y, y_));
    }
  }

  // A name that finds no place is left to the dot's title.
  void Name(const std::string& name, double px, double py) {
    // Of the sans-serif faces in use, by the widest, as large as on a phone.
    const double width = 8.6 * name.size();
    const double right_end = kWidth - 2;
    size_t least = SIZE_MAX;
    Box best{};
    for (const double dy : {-5., 13., 4., -17., 25., -29., 37., -41., 49.}) {
      for (const bool left : {px > kWidth * 0.6, px <= kWidth * 0.6}) {
        const double from = left ? px - 9 - width : px + 9;
        const Box box{from, py + dy - 11, from + width, py + dy + 4};
        if (box.left < 2 || box.right > right_end || box.top < 0 ||
            box.bottom > chart_.height - bottom_margin_) {
          continue;
        }
        const auto meets = [&box](const Box& o) { return box.Meets(o); };
        if (std::any_of(names_.begin(), names_.end(), meets)) continue;
        const size_t covered = std::count_if(dots_.begin(), dots_.end(), meets);
        if (covered < least) least = covered, best = box;
      }
    }
    if (least == SIZE_MAX) return;
    names_.push_back(best);
    const bool left = best.left < px;
    Text(left ? px - 9 : px + 9, best.bottom - 4, name, left ? "end" : "start",
         "name");
  }

  const Chart& chart_;
  const double right_margin_, bottom_margin_;
  Axis x_, y_, right_;
  std::string out_;
  std::vector<Box> dots_, names_;
};

}  // namespace

std::string HtmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Source: Okabe and Ito 2008, without its yellow and black.
std::string_view ChartColour(size_t i) {
  static constexpr std::string_view kColours[kChartColours] = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9",
      "#e69f00", "#7a5195", "#8a6d3b", "#5f6b6d", "#a3b18a"};
  return kColours[i % kChartColours];
}

std::string DrawChart(const Chart& chart) { return Drawing(chart).Draw(); }

}  // namespace ccsched
