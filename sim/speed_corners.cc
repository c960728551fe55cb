// The widths of an elastic job that a bound has to look at.
// SPDX-License-Identifier: Apache-2.0
#include "sim/speed_corners.h"

#include <utility>
#include <vector>

namespace ccsched {
namespace {

using Corner = WidthCorners::Corner;

// So many widths are looked at one by one.
constexpr uint32_t kOneByOne = 9;
// Corners that stand out by less, relatively, are rounding.
constexpr double kRounding = 1e-13;

// Whether b is on or below the line from a to c. REQUIRES: their widths grow.
bool Outdone(const Corner& a, const Corner& b, const Corner& c) {
  const double line =
      a.speed + (c.speed - a.speed) * (b.count - a.count) / (c.count - a.count);
  return b.speed <= line * (1 + kRounding);
}

}  // namespace

WidthCorners SpeedCorners(const Speedup& speedup, uint32_t count,
                          uint32_t least, uint32_t most, bool may_pause) {
  std::vector<Corner> all;
  if (most - least < kOneByOne) {
    for (uint32_t width = least; width <= most; ++width) {
      all.push_back({static_cast<double>(width),
                     speedup.At(static_cast<double>(width) / count)});
    }
  } else {
    const double own = count;
    for (const SpeedupPoint& p : speedup.LineAbove(least / own, most / own)) {
      all.push_back({p.width * own, p.speed});
    }
  }
  // The upper hull, from the left; of those that may pause, from nothing.
  std::vector<Corner> hull;
  if (may_pause) hull.push_back({0, 0});
  for (const Corner& corner : all) {
    while (hull.size() >= 2 &&
           Outdone(hull[hull.size() - 2], hull.back(), corner)) {
      hull.pop_back();
    }
    hull.push_back(corner);
  }
  // And no further than speeds grow.
  while (hull.size() >= 2 && hull.back().speed <= hull[hull.size() - 2].speed) {
    hull.pop_back();
  }
  if (may_pause) hull.erase(hull.begin());
  return {std::move(hull)};
}

}  // namespace ccsched
