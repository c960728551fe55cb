// Loads trace jobs and grids as planning instances, for measuring gaps.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_POLICIES_PLANNER_LAB_LOAD_H_
#define CCSCHED_TESTS_POLICIES_PLANNER_LAB_LOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "policies/planner/instance.h"

namespace ccsched {

struct LabSetup {
  std::string traces;  // folder
  std::string jobs = "jobs/philly_2017_sep_oct.csv";
  int shift_weeks = 209;
  std::string start = "2021-10-03T00:00:00Z";
  int days = 28;
  std::vector<std::string> zones;
  std::string column = "ci_lca";
  double capacity = 300;
  double delay_hours = 24;
  bool suspendable = false;
  double overhead_minutes = 5;
  double watts = 330;
  double keep = 1;  // the share of jobs that take part
};

// Dies with a message on bad input.
PlanInstance LoadLab(const LabSetup& setup);

}  // namespace ccsched

#endif  // CCSCHED_TESTS_POLICIES_PLANNER_LAB_LOAD_H_
