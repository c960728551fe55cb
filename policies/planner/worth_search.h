// The worth of a job's work that gives the greatest bound on its cost.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_
#define CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_

#include <cmath>

namespace ccsched {

// A look at a worth of useful work.
struct WorthLook {
  double bound = 0;   // the cheapest plan costs no less
  double useful = 0;  // useful slots in the stretches found
  double worth = 0;
};

// Returns the look of the greatest bound, to 1e-6 of it or `evaluations` looks;
// starts looking around `guess`. `look` returns the WorthLook of a worth, whose
// bound is concave and piecewise linear in the worth; its slope is duration -
// useful. REQUIRES: guess > 0.
template <typename Look>
WorthLook BestWorth(double duration, double guess, int evaluations, Look look) {
  // Bracket the top, then look where the tangents meet.
  WorthLook low = {0, 0, 0};
  WorthLook high = look(guess);
  WorthLook best = high.bound > 0 ? high : low;
  int looks = 1;
  while (high.useful < duration && looks < evaluations) {
    low = high;
    high = look(1.5 * high.worth + 1e-3);
    if (high.bound > best.bound) best = high;
    ++looks;
  }
  while (looks < evaluations) {
    const double rise = duration - low.useful;
    const double fall = duration - high.useful;
    if (rise <= 0 || fall >= 0) break;
    const double worth =
        (high.bound - low.bound + rise * low.worth - fall * high.worth) /
        (rise - fall);
    const double top = low.bound + rise * (worth - low.worth);
    if (top - best.bound <= 1e-6 * std::abs(top)) break;
    const WorthLook middle = look(worth);
    if (middle.bound > best.bound) best = middle;
    ++looks;
    (middle.useful < duration ? low : high) = middle;
  }
  return best;
}

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_
