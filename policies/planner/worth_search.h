// The worth of a job's work that gives the greatest bound on its cost.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_
#define CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_

#include <cmath>
#include <optional>

namespace ccsched {

// A worth that is known is above zero.
inline constexpr double kLeastWorth = 1e-9;

// A look at a worth of useful work.
struct WorthLook {
  double bound = 0;   // the cheapest plan costs no less
  double useful = 0;  // useful slots in the stretches found
  double worth = 0;
};

// Beside TopWorth, whose bounds are closer, for live plans: with TopWorth in
// its place six simulated months came out dearer by .1 to 4.7 %, but for one
// that was cheaper by 1.7 %.
//
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

// The look of the greatest bound, and the nearest beside it: one that does less
// than all of the work, and one that does all of it or more. Mixed so that they
// do just all of it, their plans say how the greatest bound changes with the
// prices (they make its subgradient), which neither does alone.
struct WorthTop {
  WorthLook best;
  WorthLook less;  // at a worth of 0, nothing is done
  std::optional<WorthLook> more;
  double share_of_more = 0;  // in the mixture
};

// Finds the greatest bound, to 1e-6 of it or `evaluations` looks; starts
// looking around `guess`. `look` returns the WorthLook of a worth, whose bound
// is concave and piecewise linear in the worth; its slope is duration - useful.
// The last look of less work than `duration` is the top's `less`, the last
// other one its `more`. REQUIRES: guess > 0.
template <typename Look>
WorthTop TopWorth(double duration, double guess, int evaluations, Look look) {
  // On the other side of the best worth one is first sought so close to a
  // guess, which is mostly good, then further away each time.
  constexpr double kReach = 0.01;
  constexpr double kFurther = 4;
  constexpr double kStep = 1e-3;       // upwards at least
  constexpr double kPrecision = 1e-6;  // of the bound
  WorthTop top;
  bool less_known = false;
  double reach = kReach;
  double worth = guess;
  for (int looks = 0; looks < evaluations; ++looks) {
    const WorthLook at = look(worth);
    if (at.bound > top.best.bound) top.best = at;
    if (at.useful < duration) {
      top.less = at;
      less_known = true;
    } else {
      top.more = at;
    }
    if (!top.more || (!less_known && worth > kLeastWorth)) {
      worth = top.more ? worth / (1 + reach) : (worth + kStep) * (1 + reach);
      reach *= kFurther;
      continue;
    }
    // Where the tangents meet.
    const double rise = duration - top.less.useful;
    const double fall = duration - top.more->useful;
    if (rise <= 0 || fall >= 0) break;
    worth = (top.more->bound - top.less.bound + rise * top.less.worth -
             fall * top.more->worth) /
            (rise - fall);
    const double peak = top.less.bound + rise * (worth - top.less.worth);
    if (peak - top.best.bound <= kPrecision * std::abs(peak)) break;
  }
  if (top.more) {
    const double apart = top.more->useful - top.less.useful;
    top.share_of_more = apart > 0 ? (duration - top.less.useful) / apart : 1;
  }
  return top;
}

}  // namespace ccsched

#endif  // CCSCHED_POLICIES_PLANNER_WORTH_SEARCH_H_
