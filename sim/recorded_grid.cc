// A region's intensity put together from what a ledger holds.
// SPDX-License-Identifier: Apache-2.0
#include "sim/recorded_grid.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"

namespace ccsched {
namespace {

// The last hour's edge at or before `t`, in steps.
absl::Time Edge(absl::Time t, absl::Duration step) {
  return absl::UnixEpoch() + absl::Floor(t - absl::UnixEpoch(), step);
}

// A value `days` away in either direction, the nearest first; NaN if none.
double SameTimeOfDay(const std::vector<double>& values, size_t i, size_t day) {
  for (size_t far = day; far < values.size() + day; far += day) {
    if (i >= far && !std::isnan(values[i - far])) return values[i - far];
    if (i + far < values.size() && !std::isnan(values[i + far])) {
      return values[i + far];
    }
  }
  return std::nan("");
}

}  // namespace

void RecordedGrid::Paint(absl::Time from, absl::Time to, double value,
                         Kind kind, bool estimated) {
  strokes_.push_back({from, to, value, kind, estimated});
}

void RecordedGrid::Paint(const StepSeries& series, Kind kind,
                         absl::Time known) {
  step_ = std::min(step_, series.step());
  for (size_t i = 0; i < series.values().size(); ++i) {
    const absl::Time from = series.start() + series.step() * i;
    const absl::Time to = from + series.step();
    if (kind == kForecast && to <= known) continue;
    strokes_.push_back({from, to, series.values()[i], kind, kind == kForecast});
  }
}

absl::StatusOr<StepSeries> RecordedGrid::Series(absl::Time from,
                                                absl::Time last, absl::Time to,
                                                bool* estimated) const {
  const absl::Time start = Edge(from, step_);
  const int64_t size = absl::Ceil(to - start, step_) / step_;
  constexpr int64_t kMost = 20'000'000;
  if (size > kMost) {
    return absl::FailedPreconditionError("the record spans too many years");
  }
  std::vector<double> values(size, std::nan(""));
  std::vector<bool> guessed(size, true);
  std::vector<Stroke> strokes = strokes_;
  std::stable_sort(
      strokes.begin(), strokes.end(),
      [](const Stroke& a, const Stroke& b) { return a.kind < b.kind; });
  for (const Stroke& s : strokes) {
    // An account's slice may be shorter than the step that it lies in.
    for (absl::Time t = std::max(Edge(s.from, step_), start); t < s.to;
         t += step_) {
      const int64_t i = (t - start) / step_;
      if (i >= size) break;
      values[i] = s.value;
      guessed[i] = s.estimated;
    }
  }
  const size_t day = std::max<int64_t>(1, absl::Hours(24) / step_);
  std::vector<double> filled = values;
  double mean = 0;
  size_t known = 0;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    mean += v;
    ++known;
  }
  if (known == 0) {
    return absl::FailedPreconditionError("none of it lies within the record");
  }
  for (int64_t i = 0; i < size; ++i) {
    if (start + step_ * i < last && guessed[i]) *estimated = true;
    if (!std::isnan(values[i])) continue;
    filled[i] = SameTimeOfDay(values, i, day);
    if (std::isnan(filled[i])) filled[i] = mean / static_cast<double>(known);
  }
  return StepSeries::Create(start, step_, std::move(filled));
}

}  // namespace ccsched
