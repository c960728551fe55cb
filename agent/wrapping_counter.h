// A counter that starts again from zero at its range, made to only grow.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_WRAPPING_COUNTER_H_
#define CCSCHED_AGENT_WRAPPING_COUNTER_H_

#include <optional>

namespace ccsched {

class WrappingCounter {
 public:
  // The total since the first reading. A fall is one turn around `range`; it
  // must be read at least once a turn. REQUIRES: range > 0.
  double Feed(double reading, double range) {
    if (last_) {
      const double delta = reading - *last_;
      total_ += delta >= 0 ? delta : delta + range;
    }
    last_ = reading;
    return total_;
  }

 private:
  std::optional<double> last_;
  double total_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_WRAPPING_COUNTER_H_
