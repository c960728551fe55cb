// Parts of a report that compare its policies with each other.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_REPORT_PARTS_H_
#define CCSCHED_SIM_REPORT_PARTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report.h"
#include "sim/result.h"
#include "sim/scenario.h"

namespace ccsched {

// How each policy is told from the others. There are only so many colours that
// an eye keeps apart: of more policies than that, those worth a look get one
// (the best, the first, fcfs, and those that no other beats in both emission
// and waiting), and the others are grey and go by their number.
class Palette {
 public:
  // REQUIRES: `results` outlives this.
  explicit Palette(const std::vector<SimResult>& results);

  // The run that emits least, of those that end all jobs if there are any; 0
  // where there is no run.
  size_t best() const { return best_; }
  bool StandsOut(size_t i) const { return colour_[i].has_value(); }
  std::string_view Colour(size_t i) const;
  // As HTML: a patch of its colour, or its number, before its name.
  std::string Key(size_t i) const;
  // How many do not stand out.
  size_t others() const { return others_; }

 private:
  const std::vector<SimResult>& results_;
  size_t best_ = 0, others_ = 0;
  std::vector<std::optional<size_t>> colour_;
};

// Whether no other run emits and waits less; a run that left jobs undone never.
bool OnFrontier(const std::vector<SimResult>& results, size_t i);

// Each part is an element of class "card".
std::string FrontierCard(const std::vector<SimResult>& results,
                         const Palette& palette);
std::string WaitsCard(const std::vector<SimResult>& results,
                      const std::vector<ReportCollector>& collected,
                      const Palette& palette);
// How full each site was under each policy, the deeper the fuller; with what
// there is less of, sites or policies, across.
std::string CapacityCard(const Scenario& scenario,
                         const std::vector<SimResult>& results,
                         const Palette& palette);

}  // namespace ccsched

#endif  // CCSCHED_SIM_REPORT_PARTS_H_
