// The cluster's clock as the scheduler gave it, and the settings beside it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_CLUSTER_TIME_H_
#define CCSCHED_AGENT_CLUSTER_TIME_H_

#include "absl/time/time.h"
#include "ccsched/v1/agents.pb.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/units.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {

// What Registered says, as values. One is made anew when it changes.
class ClusterTime {
 public:
  explicit ClusterTime(const v1::Registered& registered)
      : rate_(registered.clock_rate() > 0 ? registered.clock_rate() : 1),
        clock_(FromProto(registered.clock_real_origin()),
               FromProto(registered.clock_origin()), rate_),
        idle_(registered.idle_watts()),
        active_(registered.active_watts()) {}

  absl::Time Now() const { return clock_.Now(); }
  absl::Duration ToReal(absl::Duration d) const { return clock_.ToReal(d); }
  absl::Duration ToCluster(absl::Duration real) const { return real * rate_; }
  // Of one accelerator.
  Watts idle() const { return idle_; }
  Watts active() const { return active_; }

 private:
  const double rate_;
  const ScaledClock clock_;
  const Watts idle_;
  const Watts active_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_CLUSTER_TIME_H_
