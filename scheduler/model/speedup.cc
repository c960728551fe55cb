// How fast an elastic job is at other widths than its own.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/speedup.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched {
namespace {

// For widths from a half to twice a job's own they are within 0.1 % of it.
constexpr int kTangents = 8;

}  // namespace

absl::StatusOr<Speedup> Speedup::Power(double exponent) {
  if (!(exponent > 0 && exponent <= 2)) {
    return absl::InvalidArgumentError(
        absl::StrCat(exponent, " is not above 0 and at most 2"));
  }
  Speedup speedup;
  speedup.exponent_ = exponent;
  return speedup;
}

absl::StatusOr<Speedup> Speedup::Measured(std::vector<SpeedupPoint> points) {
  bool own = false;
  SpeedupPoint before{.width = 0, .speed = 0};
  for (const SpeedupPoint& p : points) {
    const auto bad = [&p](const char* what) {
      return absl::InvalidArgumentError(
          absl::StrCat("width ", p.width, ", speed ", p.speed, ": ", what));
    };
    if (!std::isfinite(p.width) || !std::isfinite(p.speed) || p.speed <= 0) {
      return bad("a width and a speed are numbers above 0");
    }
    if (p.width <= before.width) return bad("widths have to grow");
    if (p.speed < before.speed) return bad("more accelerators are no slower");
    if (p.width == 1 && p.speed != 1) {
      return bad("a job at its own width has speed 1");
    }
    own |= p.width == 1;
    before = p;
  }
  if (!own) {
    return absl::InvalidArgumentError("no point has width 1, speed 1");
  }
  Speedup speedup;
  speedup.points_ = std::move(points);
  return speedup;
}

double Speedup::At(double width) const {
  if (points_.empty()) {
    return exponent_ == 1 ? width : std::pow(width, exponent_);
  }
  SpeedupPoint before{.width = 0, .speed = 0};
  for (const SpeedupPoint& p : points_) {
    if (width <= p.width) {
      return before.speed + (p.speed - before.speed) * (width - before.width) /
                                (p.width - before.width);
    }
    before = p;
  }
  return before.speed;
}

std::vector<SpeedupPoint> Speedup::LineAbove(double least, double most) const {
  std::vector<SpeedupPoint> line = {{.width = least, .speed = At(least)}};
  for (const SpeedupPoint& p : points_) {
    if (p.width > least && p.width < most) line.push_back(p);
  }
  if (points_.empty() && exponent_ < 1) {
    // Tangents: each touches the speeds in one place, and meets the next.
    const double ratio = std::pow(most / least, 1.0 / (kTangents - 1));
    double a = least;
    for (int i = 1; i < kTangents; ++i) {
      const double b = a * ratio;
      const double bend = exponent_ * (At(a) / a - At(b) / b);
      if (!(bend > 0)) break;  // as good as straight
      const double width =
          std::clamp((1 - exponent_) * (At(b) - At(a)) / bend, a, b);
      line.push_back({width, At(a) * (1 - exponent_ + exponent_ * width / a)});
      a = b;
    }
  }
  if (most > least) line.push_back({.width = most, .speed = At(most)});
  return line;
}

double Speedup::widest() const {
  return points_.empty() ? std::numeric_limits<double>::infinity()
                         : points_.back().width;
}

}  // namespace ccsched
