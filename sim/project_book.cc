// Keeps apart what each project emits and waits, and books it to its budget.
// SPDX-License-Identifier: Apache-2.0
#include "sim/project_book.h"

namespace ccsched {

ProjectsAgreed ProjectBook::Terms() const {
  ProjectsAgreed agreed;
  for (ProjectTerms terms : scenario_.projects) {
    terms.symbol = symbols_.Find(terms.name);
    // One without jobs in this trace needs no terms.
    if (terms.symbol != Symbol()) agreed.terms.push_back(std::move(terms));
  }
  return agreed;
}

void ProjectBook::Submit(uint64_t id, const SimJob& job) {
  live_[job.id] = {JobId(id), job.project};
  ++sums_[symbols_.Name(job.project)].figures.jobs;
}

void ProjectBook::OnStretch(const JobStretch& stretch) {
  const auto found = live_.find(std::string(stretch.job_id));
  if (found != live_.end()) {
    const std::string& name = symbols_.Name(found->second.project);
    ProjectFigures& figures = sums_[name].figures;
    figures.co2e += stretch.co2e;
    figures.accelerator_hours += static_cast<double>(stretch.count) *
                                 (stretch.end_us - stretch.start_us) *
                                 StepSeries::kHoursPerUs;
    booked_.push_back({found->second.id, name,
                       absl::FromUnixMicros(stretch.start_us), stretch.co2e});
  }
  if (next_ != nullptr) next_->OnStretch(stretch);
}

void ProjectBook::OnJob(const JobEnd& job) {
  const auto found = live_.find(std::string(job.job_id));
  if (found != live_.end()) {
    Sums& sums = sums_[symbols_.Name(found->second.project)];
    if (job.finished) {
      ++sums.figures.finished;
      sums.wait_us +=
          static_cast<double>(job.end_us - job.submit_us - job.duration_us);
    }
    live_.erase(found);
  }
  if (next_ != nullptr) next_->OnJob(job);
}

void ProjectBook::TakeBooked(std::vector<Event>& events) {
  for (EmissionsBooked& booked : booked_) {
    events.emplace_back(std::move(booked));
  }
  booked_.clear();
}

void ProjectBook::Fill(SimResult& result) const {
  for (const auto& [name, sums] : sums_) {
    ProjectFigures& figures = result.projects.emplace_back(sums.figures);
    figures.project = name;
    if (figures.finished == 0) continue;
    figures.wait_mean =
        absl::Microseconds(1) * (sums.wait_us / figures.finished);
  }
}

}  // namespace ccsched
