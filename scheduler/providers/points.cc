// Values of a grid as a service lists them, made into series and checked.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/points.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {

absl::Status Points::Add(GridSignal signal, absl::Time start, double value,
                         bool estimated, std::optional<absl::Duration> step) {
  const bool share = signal == GridSignal::kCarbonFree;
  if (!std::isfinite(value) || value < 0 || (share && value > 100)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s at %s: %g is not %s", share ? "carbon-free share" : "intensity",
        FormatUtc(start), value, share ? "between 0 and 100 %" : "0 or above"));
  }
  if (step && *step <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("value at %s lasts for %s", FormatUtc(start),
                        absl::FormatDuration(*step)));
  }
  points_.push_back({signal, start, value, estimated, step});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<GridUpdate>> Points::Build(
    const AnswerContext& context, bool actual) const {
  std::vector<Point> points;
  for (const Point& p : points_) {
    if (!actual || p.start <= context.now) points.push_back(p);
  }
  if (points.empty()) {
    return absl::NotFoundError(context.source + ": no values in the answer");
  }
  std::stable_sort(
      points.begin(), points.end(), [](const Point& a, const Point& b) {
        return std::tie(a.signal, a.start) < std::tie(b.signal, b.start);
      });
  absl::Duration common = absl::InfiniteDuration();
  for (size_t i = 1; i < points.size(); ++i) {
    const absl::Duration d = points[i].start - points[i - 1].start;
    if (d > absl::ZeroDuration()) common = std::min(common, d);
  }
  if (common > absl::Hours(1)) common = absl::Hours(1);

  std::vector<GridUpdate> updates;
  std::vector<double> values;
  const auto finish = [&]() -> absl::Status {
    if (values.empty()) return absl::OkStatus();
    GridUpdate& u = updates.back();
    ASSIGN_OR_RETURN(u.series,
                     StepSeries::Create(u.series.start(), u.series.step(),
                                        std::exchange(values, {})));
    return absl::OkStatus();
  };
  const Point* last = nullptr;
  absl::Time end;
  for (const Point& p : points) {
    const absl::Duration step = p.step.value_or(common);
    if (last != nullptr && last->signal == p.signal && p.start < end) {
      if (last->start == p.start && last->value == p.value) continue;
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: two values for %s: %g and %g", context.source,
                          FormatUtc(p.start), last->value, p.value));
    }
    const bool joins = last != nullptr && last->signal == p.signal &&
                       p.start == end && updates.back().series.step() == step;
    if (!joins) {
      RETURN_IF_ERROR(finish());
      GridUpdate u;
      u.source = context.source;
      u.signal = p.signal;
      u.actual = actual;
      u.basis = context.basis;
      u.issued = std::min(context.issued.value_or(context.now), context.now);
      ASSIGN_OR_RETURN(u.series, StepSeries::Create(p.start, step, {}));
      updates.push_back(std::move(u));
    }
    values.push_back(p.value);
    updates.back().estimated.push_back(p.estimated);
    last = &p;
    end = p.start + step;
  }
  RETURN_IF_ERROR(finish());
  return updates;
}

}  // namespace ccsched
