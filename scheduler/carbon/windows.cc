// The hours of least intensity within a span: one stretch, or several.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/windows.h"

#include <algorithm>

namespace ccsched {

std::optional<Window> BestWindow(const StepSeries& series, absl::Time from,
                                 absl::Time to, absl::Duration length) {
  if (series.empty() || length <= absl::ZeroDuration()) return std::nullopt;
  from = std::max(from, series.start());
  to = std::min(to, series.end());
  if (to - from < length) return std::nullopt;
  std::optional<Window> best;
  const auto try_start = [&](absl::Time start) {
    if (start < from || start + length > to) return;
    const double mean = series.IntegralHours(start, start + length) /
                        absl::ToDoubleHours(length);
    const bool better = !best || mean < best->mean.value() ||
                        (mean == best->mean.value() && start < best->start);
    if (better) best = Window{start, start + length, GramsPerKwh(mean)};
  };
  try_start(from);
  try_start(to - length);
  const int64_t first = (from - series.start()) / series.step();
  for (absl::Time t = series.start() + series.step() * first; t <= to;
       t += series.step()) {
    try_start(t);
    try_start(t - length);
  }
  return best;
}

std::vector<Window> BestSteps(const StepSeries& series, absl::Time from,
                              absl::Time to, size_t count) {
  std::vector<Window> steps;
  for (size_t i = 0; i < series.values().size(); ++i) {
    const absl::Time start = series.start() + series.step() * i;
    if (start < from || start + series.step() > to) continue;
    steps.push_back(
        {start, start + series.step(), GramsPerKwh(series.values()[i])});
  }
  std::stable_sort(
      steps.begin(), steps.end(),
      [](const Window& a, const Window& b) { return a.mean < b.mean; });
  if (steps.size() > count) steps.resize(count);
  std::sort(steps.begin(), steps.end(),
            [](const Window& a, const Window& b) { return a.start < b.start; });
  return steps;
}

}  // namespace ccsched
