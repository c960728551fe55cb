// Draws charts.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ccsched {

namespace {

constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

std::string LevelLine(const std::vector<double>& values, double max) {
  std::string line;
  for (const double v : values) {
    if (!std::isfinite(v)) {
      line += "·";
      continue;
    }
    line += kBlocks[std::lround(std::clamp(v / max, 0.0, 1.0) * 7)];
  }
  return line;
}

std::string Sparkline(const std::vector<double>& values, size_t width) {
  std::vector<double> groups;
  const size_t n = std::min(width, values.size());
  for (size_t g = 0; g < n; ++g) {
    double sum = 0;
    const size_t first = g * values.size() / n;
    const size_t last = (g + 1) * values.size() / n;
    for (size_t i = first; i < last; ++i) sum += values[i];
    groups.push_back(sum / static_cast<double>(last - first));
  }
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const double v : groups) {
    if (!std::isfinite(v)) continue;
    least = std::min(least, v);
    most = std::max(most, v);
  }
  std::string text;
  for (const double v : groups) {
    if (!std::isfinite(v)) {
      text += ' ';
      continue;
    }
    const double share = most > least ? (v - least) / (most - least) : 0;
    text += kBlocks[std::min<size_t>(7, static_cast<size_t>(share * 8))];
  }
  return text;
}

std::string BandBar(double p10, double value, double p90, double max,
                    size_t width) {
  if (!(max > 0)) return "";
  const auto cells = [&](double v) {
    const double share = std::clamp(v / max, 0.0, 1.0);
    return static_cast<size_t>(std::lround(share * static_cast<double>(width)));
  };
  std::string bar;
  const size_t low = cells(p10), middle = cells(value), high = cells(p90);
  for (size_t i = 0; i < std::max(high, middle); ++i) {
    bar += i < low ? "█" : i < middle ? "▓" : "░";
  }
  return bar;
}

std::string Bar(double value, double max, size_t width) {
  static const char* const kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(value > 0) || !(max > 0) || !std::isfinite(value / max)) return "";
  const double share = std::min(1.0, value / max);
  const auto eighths =
      static_cast<size_t>(std::lround(share * 8 * static_cast<double>(width)));
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

}  // namespace ccsched
