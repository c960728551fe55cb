// Bars and lines of block characters for terminals.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_CHART_H_
#define CCSCHED_SCHEDULER_CLI_CHART_H_

#include <cstddef>
#include <string>
#include <vector>

namespace ccsched {

// One character a value, ▁ for the least to █ for the most; a blank for what
// is not finite. More values than `width` are averaged in groups.
std::string Sparkline(const std::vector<double>& values, size_t width);

// The same on a scale from 0 to `max`: ▁ for 0, █ for `max`, · for what is not
// finite. REQUIRES: max > 0.
std::string LevelLine(const std::vector<double>& values, double max);

// A bar of a value with its band, out of `max`, in at most `width` characters:
// full up to p10, then ▓ up to the value and ░ up to p90.
std::string BandBar(double p10, double value, double p90, double max,
                    size_t width);

// A bar of `value` out of `max` in at most `width` characters, in eighths.
std::string Bar(double value, double max, size_t width);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_CHART_H_
