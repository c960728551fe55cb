// What one step changed, and parts of a report, as values.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "scheduler/ledger/ledger.h"

namespace ccsched {

bool Batch::empty() const {
  return submissions.empty() && states.empty() && attempts.empty() &&
         decisions.empty() && emissions.empty() && baselines.empty() &&
         node_energy.empty() && !contracts && costs.empty() && nodes.empty() &&
         grids.empty() && !step && settings.empty();
}

void Batch::Clear() {
  submissions.clear();
  states.clear();
  attempts.clear();
  decisions.clear();
  emissions.clear();
  node_energy.clear();
  baselines.clear();
  costs.clear();
  nodes.clear();
  grids.clear();
  contracts.reset();
  step.reset();
  settings.clear();
}

void AddEnergy(const ReportRecord& part, ReportRecord& sum) {
  const auto add = [](std::optional<int64_t>& to, std::optional<int64_t> v) {
    if (v) to = to.value_or(0) + *v;
  };
  add(sum.joules, part.joules);
  add(sum.milligrams, part.milligrams);
  add(sum.baseline_milligrams, part.baseline_milligrams);
  add(sum.net_milligrams, part.net_milligrams);
  add(sum.marginal_milligrams, part.marginal_milligrams);
  add(sum.embodied_milligrams, part.embodied_milligrams);
  sum.measured_joules += part.measured_joules;
  sum.estimated = sum.estimated || part.estimated;
  sum.carbon_free_joules += part.carbon_free_joules;
  sum.score_joules += part.score_joules;
  sum.metered_joules += part.metered_joules;
  sum.restated += part.restated;
  if (part.restated_last) {
    sum.restated_last = std::max(
        sum.restated_last.value_or(*part.restated_last), *part.restated_last);
  }
}

}  // namespace ccsched
