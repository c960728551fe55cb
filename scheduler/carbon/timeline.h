// Values over disjoint stretches of time, newer ones laid over older ones.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_TIMELINE_H_
#define CCSCHED_SCHEDULER_CARBON_TIMELINE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/step_series.h"

namespace ccsched {

// Series of any steps side by side; where they overlap, that of the later issue
// counts (of equal issues, the later Add). Not thread safe.
class Timeline {
 public:
  struct Cell {
    absl::Time start, end;
    double value = 0;
    bool estimated = false;
    absl::Time issued;
    std::shared_ptr<const std::string> version;
  };

  // `estimated` is empty or has one mark a value.
  void Add(const StepSeries& series, const std::vector<bool>& estimated,
           absl::Time issued,
           const std::shared_ptr<const std::string>& version);

  // The cell that holds `t`; null if there is none.
  const Cell* Find(absl::Time t) const;
  // Where the next cell that starts after `t` starts; InfiniteFuture if none.
  absl::Time NextStart(absl::Time t) const;
  // The mean over the known parts of [from, to), weighted by time.
  std::optional<double> Mean(absl::Time from, absl::Time to) const;
  // The same, but absent unless all of [from, to) is known. REQUIRES: from <
  // to.
  std::optional<double> MeanIfKnown(absl::Time from, absl::Time to) const;
  // The value of all of [from, to), if it is one and of one estimate.
  struct Held {
    double value;
    bool estimated;
  };
  std::optional<Held> HeldOver(absl::Time from, absl::Time to) const;
  // Shows each cell, by start.
  template <typename F>
  void EachCell(F f) const {
    for (const auto& [start, cell] : cells_) f(cell);
  }
  // The longest series of one step whose last value is the last that ends by
  // `now`; empty if there is none. Gaps of up to 48 hours are filled with the
  // value of a day before (the last one, where that is not known).
  StepSeries Tail(absl::Time now) const;
  bool empty() const { return cells_.empty(); }

 private:
  using Cells = std::map<absl::Time, Cell>;
  void Insert(const Cell& cell);
  // Value x hours over the known parts of [from, to), and their hours.
  std::pair<double, double> Integrate(absl::Time from, absl::Time to) const;

  Cells cells_;  // by start
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_TIMELINE_H_
