// What one step changed, and parts of a report, as values.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "scheduler/base/known_sum.h"
#include "scheduler/ledger/ledger.h"

namespace ccsched {

bool Batch::empty() const {
  return submissions.empty() && states.empty() && attempts.empty() &&
         decisions.empty() && emissions.empty() && baselines.empty() &&
         node_energy.empty() && !contracts && costs.empty() && nodes.empty() &&
         grids.empty() && acts.empty() && !step && settings.empty();
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
  acts.clear();
  contracts.reset();
  step.reset();
  settings.clear();
}

void AddSums(const ReportRecord& part, ReportRecord& sum) {
  sum.accelerator_hours += part.accelerator_hours;
  AddKnown(sum.joules, part.joules);
  AddKnown(sum.milligrams, part.milligrams);
  AddKnown(sum.baseline_milligrams, part.baseline_milligrams);
  AddKnown(sum.compared_milligrams, part.compared_milligrams);
  AddKnown(sum.net_milligrams, part.net_milligrams);
  AddKnown(sum.marginal_milligrams, part.marginal_milligrams);
  AddKnown(sum.embodied_milligrams, part.embodied_milligrams);
  AddKnown(sum.lost_joules, part.lost_joules);
  AddKnown(sum.lost_milligrams, part.lost_milligrams);
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
  for (const auto& [currency, cost] : part.costs) {
    ReportCost& to = sum.costs[currency];
    AddKnown(to.electricity_micros, cost.electricity_micros);
    AddKnown(to.accelerator_micros, cost.accelerator_micros);
  }
  sum.unpriced_joules += part.unpriced_joules;
}

}  // namespace ccsched
