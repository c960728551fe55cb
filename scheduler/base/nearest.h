// The nearest of some known names to one that was mistyped.
// SPDX-License-Identifier: Apache-2.0
//
//   NearestName("plannr", {"fcfs", "planner"})  // "planner"
#ifndef CCSCHED_SCHEDULER_BASE_NEAREST_H_
#define CCSCHED_SCHEDULER_BASE_NEAREST_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ccsched {

// How many single-character insertions, deletions, replacements and swaps of
// neighbours lead from `a` to `b` (optimal string alignment).
inline size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1),
      row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1,
                         last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// The name in `known` closest to `name`, the first of equals; empty if none is
// close enough to be what was meant (a third of it, at least two edits).
inline std::string NearestName(std::string_view name,
                               const std::vector<std::string>& known) {
  if (name.size() > 64) return "";
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : known) {
    if (candidate.size() > 64) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance < best && distance < std::max(name.size(), candidate.size())) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

// "; did you mean 'planner'?", or nothing if no known name is near.
inline std::string DidYouMean(std::string_view name,
                              const std::vector<std::string>& known) {
  const std::string nearest = NearestName(name, known);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

// The same, and then all that there are: "… (known: fcfs, planner)".
inline std::string AmongKnown(std::string_view name,
                              const std::vector<std::string>& known) {
  std::string text = DidYouMean(name, known) + " (known: ";
  for (size_t i = 0; i < known.size(); ++i) {
    text += (i == 0 ? "" : ", ") + known[i];
  }
  return text + ")";
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_NEAREST_H_
