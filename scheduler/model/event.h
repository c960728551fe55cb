// What can happen to the scheduler: the inputs of Engine::Step.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_MODEL_EVENT_H_
#define CCSCHED_SCHEDULER_MODEL_EVENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/ids.h"
#include "scheduler/base/step_series.h"
#include "scheduler/model/job.h"
#include "scheduler/model/project.h"

namespace ccsched {

struct JobSubmitted {
  JobSpec spec;
  JobShape shape;
  // Live jobs that must succeed first. Those already succeeded are left out by
  // the sender; a failed one is refused there.
  std::vector<JobId> after;
  ArrayLimit limit;
};
struct JobCancelled {
  JobId job;
};
struct JobHeld {
  JobId job;
};
struct JobReleased {
  JobId job;
};

// A node came up, or came back, or changed its size. A node belongs to one
// pool. NodeIds are given by the sender and never used for another node.
struct NodeJoined {
  NodeId node;
  PoolId pool;
  uint32_t count = 0;
  bool containers = false;  // it can run jobs in images
};
// Nothing was heard from a node for a while: unknown, not lost. Nothing new
// starts there; what runs there is left alone.
struct NodeSilent {
  NodeId node;
};
// The node's lease is over: by now its agent has stopped everything on it.
struct NodeLost {
  NodeId node;
};
struct NodeDrained {
  NodeId node;
  bool drained = true;  // false: undrained
};

struct AttemptStarted {
  JobId job;
  Epoch epoch;
  absl::Time at;
};

enum class Outcome : uint8_t {
  kSucceeded,
  kFailed,  // a non-zero exit, or a signal that nobody here sent
  kTimedOut,
  kStopped,    // as asked: cancelled or moved
  kSuspended,  // as asked: its state is saved
  kLost,       // the node lost it: it runs again
  kRefused,    // the node could not start it: it runs again, elsewhere
};
std::string_view ToString(Outcome outcome);

// All of the job's nodes have reported the end of this attempt.
struct AttemptEnded {
  JobId job;
  Epoch epoch;
  absl::Time at;
  Outcome outcome = Outcome::kSucceeded;
  // Useful work done in this attempt, where known (a simulation, a checkpoint);
  // counts only if the attempt was suspended.
  absl::Duration work;
  // What its checkpoint cost, if it was suspended and said so: from then on the
  // job's next is taken to cost as much. Zero: not known.
  absl::Duration checkpoint;
};

// The job was asked to suspend or to resize, did not in time, and goes on.
struct SuspendDeclined {
  JobId job;
  Epoch epoch;
};
// Its user wants the running, elastic job to go on at another width.
struct ResizeAsked {
  JobId job;
  uint32_t count = 0;
};

class Forecast;     // scheduler/carbon/forecast.h
class PriceSeries;  // scheduler/carbon/price_series.h

// A forecast of a region's intensity was issued; it replaces what it covers.
struct ForecastIssued {
  RegionId region;
  std::shared_ptr<const Forecast> forecast;
};

// Hours that are over, as they were: they go on from those told before, or
// take their place.
struct IntensityObserved {
  RegionId region;
  std::shared_ptr<const StepSeries> series;
};

// What is now known of a region's electricity prices; it replaces what was
// known before.
struct PricesPublished {
  RegionId region;
  std::shared_ptr<const PriceSeries> prices;
};

// What is agreed with projects, in place of all that was agreed before.
struct ProjectsAgreed {
  std::vector<ProjectTerms> terms;
};
// Emissions of a job of a project came on record, used at `at`.
struct EmissionsBooked {
  JobId job;
  std::string project;
  absl::Time at;
  GramsCo2e co2e;
};

struct PolicyChanged {
  std::string name;
  std::map<std::string, double> parameters;
};

// Time passed; sent at Effects::wake at the latest.
struct Tick {};

using Event =
    std::variant<JobSubmitted, AttemptEnded, AttemptStarted, Tick, JobCancelled,
                 JobHeld, JobReleased, NodeJoined, NodeSilent, NodeLost,
                 NodeDrained, ForecastIssued, IntensityObserved, PolicyChanged,
                 SuspendDeclined, ResizeAsked, PricesPublished, ProjectsAgreed,
                 EmissionsBooked>;

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_MODEL_EVENT_H_
