// Loads trace jobs and grids as planning instances, for measuring gaps.
// SPDX-License-Identifier: Apache-2.0
#include "tests/policies/planner/lab_load.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "scheduler/base/random.h"

namespace ccsched {
namespace {

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

absl::Time ParseTime(const std::string& text) {
  absl::Time t;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &t, &error)) {
    std::fprintf(stderr, "bad time %s\n", text.c_str());
    std::exit(2);
  }
  return t;
}

std::vector<double> ReadZone(const std::string& path, const std::string& name,
                             absl::Time start, int32_t slots) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) {
    std::fprintf(stderr, "can't read %s\n", path.c_str());
    std::exit(2);
  }
  const std::vector<std::string> head = Split(line);
  const size_t column =
      std::find(head.begin(), head.end(), name) - head.begin();
  std::vector<double> values;
  while (std::getline(in, line) && values.size() < static_cast<size_t>(slots)) {
    const std::vector<std::string> cells = Split(line);
    if (ParseTime(cells[0]) < start) continue;
    values.push_back(std::atof(cells[column].c_str()));
  }
  return values;
}

}  // namespace

PlanInstance LoadLab(const LabSetup& setup) {
  PlanInstance plan;
  const absl::Time start = ParseTime(setup.start);
  const absl::Time end = start + absl::Hours(24 * setup.days);
  std::ifstream in(setup.traces + "/" + setup.jobs);
  std::string line;
  if (!std::getline(in, line)) {
    std::fprintf(stderr, "can't read %s/%s\n", setup.traces.c_str(),
                 setup.jobs.c_str());
    std::exit(2);
  }
  Random random(7);
  int64_t latest = 0;
  int too_wide = 0;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = Split(line);
    // Either a date or seconds since the trace's beginning.
    const absl::Time t =
        cells[1].find('T') == std::string::npos
            ? start + absl::Seconds(std::atoll(cells[1].c_str()))
            : ParseTime(cells[1]) + absl::Hours(24 * 7 * setup.shift_weeks);
    if (t < start || t >= end) continue;
    if (random.Uniform() >= setup.keep) continue;
    PlanJob job;
    job.release = absl::ToInt64Microseconds(t - start);
    job.duration = std::atoll(cells[2].c_str()) * 1'000'000;
    job.latest_end = job.release + job.duration +
                     static_cast<int64_t>(setup.delay_hours * 3.6e9);
    job.count = std::atoi(cells[3].c_str());
    job.suspendable = setup.suspendable;
    job.checkpoint = job.restart =
        static_cast<int64_t>(setup.overhead_minutes * 6e7);
    if (job.count > setup.capacity) {
      ++too_wide;
      continue;
    }
    latest = std::max(latest, job.latest_end);
    plan.jobs.push_back(job);
  }
  if (too_wide > 0) {
    std::printf("left out %d jobs wider than a pool\n", too_wide);
  }
  if (plan.jobs.empty()) {
    std::fprintf(stderr, "%s has no job in %d days from %s, moved %d weeks\n",
                 setup.jobs.c_str(), setup.days, setup.start.c_str(),
                 setup.shift_weeks);
    std::exit(2);
  }
  std::stable_sort(
      plan.jobs.begin(), plan.jobs.end(),
      [](const PlanJob& a, const PlanJob& b) { return a.release < b.release; });
  plan.slots = static_cast<int32_t>(latest / kSlotUs) + 2;
  plan.priced_slots = plan.slots;
  plan.placements.emplace_back();
  for (const std::string& zone : setup.zones) {
    PlanPool pool;
    pool.capacity = setup.capacity;
    pool.grams = ReadZone(setup.traces + "/carbon/" + zone + "_2021_2022.csv",
                          setup.column, start, plan.slots);
    for (double& g : pool.grams) g *= setup.watts / 1000;
    pool.grams.resize(plan.slots, pool.grams.empty() ? 0 : pool.grams.back());
    pool.room.assign(plan.slots, setup.capacity);
    plan.placements[0].push_back(static_cast<uint16_t>(plan.pools.size()));
    plan.pools.push_back(pool);
  }
  return plan;
}

}  // namespace ccsched
