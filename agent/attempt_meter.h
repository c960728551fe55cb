// What each attempt takes: by the node's meters, or by the model without any.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_ATTEMPT_METER_H_
#define CCSCHED_AGENT_ATTEMPT_METER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/attempt_book.h"
#include "agent/cluster_time.h"
#include "agent/energy.h"
#include "agent/host_energy.h"
#include "agent/meter_bank.h"
#include "agent/node_power.h"
#include "agent/rapl.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

struct NodeMeters {
  std::unique_ptr<MeterBank> accelerators;  // null: modelled
  std::unique_ptr<Rapl> host;               // null: not known
  std::unique_ptr<NodePower> node;          // null: not known
  bool share_host = false;  // whether attempts are charged for the host
};

class AttemptMeter {
 public:
  // How far an attempt has been counted.
  struct State {
    UseMark counted;
    int64_t counted_at_ns = 0;          // BootNanos of it
    std::optional<double> utilisation;  // of the last sample
    // Absent while the meters did not watch it: after a restart of the agent.
    std::optional<MeterBank::Mark> mark;
    // What its counters showed when it was counted; absent: not known.
    std::optional<v1::CountersSeen> counters;
    // Energy between what an earlier agent had counted and the mark.
    std::optional<Joules> bridged;
    // And its share of what the host took from then to where this agent's own
    // readings begin.
    std::optional<Joules> host_bridged;
  };

  // `count`: accelerators of the node.
  AttemptMeter(NodeMeters meters, uint32_t count);

  // "modelled", "nvml", "nvml+rapl", ...
  std::string name() const;
  void set_clock(const ClusterTime& time);
  // To be called every second, if there are meters.
  void Poll(int64_t boot_nanos);
  bool polls() const { return meters_.accelerators != nullptr; }

  // An attempt that starts now, on record since shortly before.
  State Begin(const KnownAttempt& attempt, int64_t boot_nanos);

  // Takes up an attempt that runs, as an earlier agent had counted it, to which
  // its counters had shown `counters`. As they went on, and nobody but it had
  // its accelerators, nothing need be estimated; unless they fell, or are those
  // of another boot or meter. Of the host, of which nothing else is known of
  // then, it is charged as idle power is: by the accelerators that it held.
  void TakeUp(const KnownAttempt& attempt,
              const std::optional<v1::CountersSeen>& counters,
              int64_t boot_nanos, State& state);

  // The energy of all running attempts since they were last counted; moves
  // `state` on. What was used by one of which `cpu_ns` is absent is counted
  // next time.
  struct Running {
    AttemptId id;
    const KnownAttempt* attempt;
    State* state;
    std::optional<int64_t> cpu_ns;
  };
  std::vector<v1::EnergySample> Sample(const std::vector<Running>& running,
                                       int64_t boot_nanos);
  // The energy of an attempt up to its end. `cpu_ns` is absent if its
  // supervisor was killed: then its use is taken to have been as before.
  std::optional<v1::EnergySample> Last(AttemptId id,
                                       const KnownAttempt& attempt,
                                       const State& state, absl::Time ended,
                                       std::optional<int64_t> cpu_ns,
                                       int64_t boot_nanos);

  // The node since this was last called; to be called after Sample.
  v1::Telemetry Node(int64_t boot_nanos);

 private:
  v1::EnergySample Make(AttemptId id, const KnownAttempt& attempt,
                        const State& state, const ModelledUse& use,
                        bool use_known);
  ModelledUse UseOf(const KnownAttempt& attempt, const State& state) const;
  void SetMark(const KnownAttempt& attempt, State& state) const;
  bool shares_host() const { return meters_.host && meters_.share_host; }
  // What the host took since it was last read.
  struct HostInterval {
    Joules total;
    absl::Duration real;
    int64_t busy_ns = 0;
  };
  // Nothing if that can't be said.
  std::optional<HostInterval> ReadHost(int64_t boot_nanos);
  void TakeUpHost(const KnownAttempt& attempt, const v1::CountersSeen& counters,
                  int64_t boot_nanos, State& state);
  double EnergyRate() const;
  void Charge(Joules share, v1::EnergySample& sample);
  void ChargeBridged(const State& state, v1::EnergySample& sample) const;

  NodeMeters meters_;
  const uint32_t count_;
  const std::string boot_id_;
  HostEnergy split_;
  std::optional<ClusterTime> time_;
  // Since Node was last called:
  Joules charged_;       // to attempts, cluster's time
  absl::Duration held_;  // accelerators x the cluster's time
  std::optional<int64_t> node_at_ns_;
  std::optional<Watts> node_power_;  // when Node was last called
  Joules devices_before_;
  std::optional<Joules> host_before_;  // of the last reading
  Joules host_since_node_;
  int64_t host_at_ns_ = 0;
  int64_t busy_before_ns_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_ATTEMPT_METER_H_
