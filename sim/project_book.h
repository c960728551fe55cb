// Keeps apart what each project emits and waits, and books it to its budget.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_PROJECT_BOOK_H_
#define CCSCHED_SIM_PROJECT_BOOK_H_

#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/base/symbols.h"
#include "scheduler/model/event.h"
#include "sim/result.h"
#include "sim/scenario.h"
#include "sim/stretch.h"
#include "sim/workload.h"

namespace ccsched {

// Plays the ledger's part: sees the stretches of running and says what they
// emitted. Hands on what it is told.
class ProjectBook : public StretchSink {
 public:
  // `next` may be null. All must outlive this.
  ProjectBook(const Scenario& scenario, const SymbolTable& symbols,
              StretchSink* next)
      : scenario_(scenario), symbols_(symbols), next_(next) {}

  // Whether there is anything to do; if not, none of the rest need be called.
  bool on() const { return !scenario_.projects.empty(); }
  // What is agreed at the start of the run.
  ProjectsAgreed Terms() const;
  void Submit(uint64_t id, const SimJob& job);
  void OnStretch(const JobStretch& stretch) override;
  void OnJob(const JobEnd& job) override;
  // Appends what was emitted since the last call.
  void TakeBooked(std::vector<Event>& events);
  void Fill(SimResult& result) const;

 private:
  struct Live {
    JobId id;
    Symbol project;
  };
  struct Sums {
    ProjectFigures figures;
    double wait_us = 0;
  };
  const Scenario& scenario_;
  const SymbolTable& symbols_;
  StretchSink* const next_;
  absl::flat_hash_map<std::string, Live> live_;
  std::map<std::string, Sums> sums_;
  std::vector<EmissionsBooked> booked_;
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_PROJECT_BOOK_H_
