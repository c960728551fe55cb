// Values over disjoint stretches of time, newer ones laid over older ones.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/timeline.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace ccsched {
namespace {

constexpr absl::Duration kTailGap = absl::Hours(48);

}  // namespace

void Timeline::Add(const StepSeries& series, const std::vector<bool>& estimated,
                   absl::Time issued,
                   const std::shared_ptr<const std::string>& version) {
  for (size_t i = 0; i < series.values().size(); ++i) {
    const absl::Time start = series.start() + series.step() * i;
    Insert({start, start + series.step(), series.values()[i],
            !estimated.empty() && estimated[i], issued, version});
  }
}

void Timeline::Insert(const Cell& cell) {
  if (cells_.empty() || cells_.rbegin()->second.end <= cell.start) {
    cells_.emplace_hint(cells_.end(), cell.start, cell);
    return;
  }
  // Cut out of the cells in its way what it replaces; where one of them is of a
  // later issue, the new cell gives way instead.
  auto it = cells_.upper_bound(cell.start);
  if (it != cells_.begin() && std::prev(it)->second.end > cell.start) --it;
  absl::Time from = cell.start;
  std::vector<Cell> pieces;
  while (it != cells_.end() && it->second.start < cell.end) {
    const Cell old = it->second;
    if (old.issued > cell.issued) {
      if (from < old.start) {
        pieces.push_back(cell);
        pieces.back().start = from;
        pieces.back().end = old.start;
      }
      from = std::min(old.end, cell.end);
      ++it;
      continue;
    }
    it = cells_.erase(it);
    if (old.start < cell.start) {
      pieces.push_back(old);
      pieces.back().end = cell.start;
    }
    if (old.end > cell.end) {
      pieces.push_back(old);
      pieces.back().start = cell.end;
    }
  }
  if (from < cell.end) {
    pieces.push_back(cell);
    pieces.back().start = from;
  }
  for (const Cell& piece : pieces) cells_.emplace(piece.start, piece);
}

const Timeline::Cell* Timeline::Find(absl::Time t) const {
  // What comes hour by hour looks beyond the end, every time.
  if (cells_.empty() || cells_.rbegin()->second.end <= t) return nullptr;
  auto it = cells_.upper_bound(t);
  if (it == cells_.begin()) return nullptr;
  --it;
  return t < it->second.end ? &it->second : nullptr;
}

absl::Time Timeline::NextStart(absl::Time t) const {
  const auto it = cells_.upper_bound(t);
  return it == cells_.end() ? absl::InfiniteFuture() : it->first;
}

std::optional<double> Timeline::Mean(absl::Time from, absl::Time to) const {
  const auto [sum, hours] = Integrate(from, to);
  if (hours == 0) return std::nullopt;
  return sum / hours;
}

std::optional<double> Timeline::MeanIfKnown(absl::Time from,
                                            absl::Time to) const {
  const auto [sum, hours] = Integrate(from, to);
  const double asked = absl::ToDoubleHours(to - from);
  if (hours < asked * (1 - 1e-9)) return std::nullopt;
  return sum / hours;
}

std::pair<double, double> Timeline::Integrate(absl::Time from,
                                              absl::Time to) const {
  double sum = 0;
  double hours = 0;
  auto it = cells_.upper_bound(from);
  if (it != cells_.begin()) --it;
  for (; it != cells_.end() && it->first < to; ++it) {
    const absl::Time a = std::max(from, it->second.start);
    const absl::Time b = std::min(to, it->second.end);
    if (a >= b) continue;
    sum += it->second.value * absl::ToDoubleHours(b - a);
    hours += absl::ToDoubleHours(b - a);
  }
  return {sum, hours};
}

std::optional<Timeline::Held> Timeline::HeldOver(absl::Time from,
                                                 absl::Time to) const {
  const Cell* cell = Find(from);
  if (cell == nullptr) return std::nullopt;
  const Held held{cell->value, cell->estimated};
  for (absl::Time t = cell->end; t < to; t = cell->end) {
    cell = Find(t);
    if (cell == nullptr || cell->value != held.value ||
        cell->estimated != held.estimated) {
      return std::nullopt;
    }
  }
  return held;
}

StepSeries Timeline::Tail(absl::Time now) const {
  auto it = cells_.upper_bound(now);
  if (it != cells_.begin() && std::prev(it)->second.end > now) --it;
  std::vector<double> values;  // newest first; NaN where there is none
  absl::Time start;
  absl::Duration step;
  while (it != cells_.begin()) {
    --it;
    const Cell& cell = it->second;
    if (values.empty()) {
      step = cell.end - cell.start;
      start = cell.end;
    }
    const absl::Duration gap = start - cell.end;
    if (cell.end - cell.start != step || gap > kTailGap ||
        gap % step != absl::ZeroDuration()) {
      break;
    }
    values.insert(values.end(), gap / step,
                  std::numeric_limits<double>::quiet_NaN());
    start = cell.start;
    values.push_back(cell.value);
  }
  if (values.empty()) return StepSeries();
  std::reverse(values.begin(), values.end());
  const size_t day = absl::Hours(24) / step;
  for (size_t i = 1; i < values.size(); ++i) {
    if (std::isnan(values[i])) {
      values[i] = day > 0 && i >= day ? values[i - day] : values[i - 1];
    }
  }
  return *StepSeries::Create(start, step, std::move(values));
}

}  // namespace ccsched
