// What was counted of late, so that of a longer report only the rest counts.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_COUNTED_LATELY_H_
#define CCSCHED_SCHEDULER_DAEMON_COUNTED_LATELY_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace ccsched {

// An agent that connects again says again what may have been lost, and by then
// as one what it had said in parts. Where such a report begins where a part of
// it did, what was counted since is known: no need to split it by its length.
// `Energy` can be added.
template <typename Energy>
class CountedLately {
 public:
  // Of a stretch that follows on the last one.
  void Add(absl::Time from, const Energy& energy) {
    // What agents keep as one is no longer than a minute and a report.
    std::erase_if(parts_, [&](const Part& part) {
      return part.from < from - kAgentKeepsAsOne;
    });
    if (parts_.size() == kPartsMax) parts_.erase(parts_.begin());
    parts_.push_back({from, energy});
  }
  // From then to the end of the last stretch, if one began then.
  std::optional<Energy> Since(absl::Time from) const {
    const auto first =
        std::find_if(parts_.begin(), parts_.end(),
                     [&](const Part& part) { return part.from == from; });
    if (first == parts_.end()) return std::nullopt;
    Energy sum{};
    for (auto part = first; part != parts_.end(); ++part) sum += part->energy;
    return sum;
  }
  // Of what follows it is not known how much.
  void Clear() { parts_.clear(); }

 private:
  static constexpr absl::Duration kAgentKeepsAsOne = absl::Seconds(65);
  // As many as agents say in that time at most, ten a second. One of these is
  // held for each of ten thousand nodes: with a report in five seconds each has
  // no more than thirteen.
  static constexpr size_t kPartsMax = 660;
  struct Part {
    absl::Time from;
    Energy energy;
  };

  std::vector<Part> parts_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_COUNTED_LATELY_H_
