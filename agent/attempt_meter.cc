// What each attempt takes: by the node's meters, or by the model without any.
// SPDX-License-Identifier: Apache-2.0
#include "agent/attempt_meter.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "agent/process_cpu.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

// Empty if the system does not say.
std::string BootId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace

AttemptMeter::AttemptMeter(NodeMeters meters, uint32_t count)
    : meters_(std::move(meters)),
      count_(count),
      boot_id_(BootId()),
      split_(std::max(1u, count)) {}

std::string AttemptMeter::name() const {
  std::string name =
      meters_.accelerators ? meters_.accelerators->name() : "modelled";
  if (meters_.host) name += "+rapl";
  if (meters_.node) name += "+" + meters_.node->name();
  return name;
}

void AttemptMeter::set_clock(const ClusterTime& time) {
  time_.emplace(time);
  if (meters_.accelerators) meters_.accelerators->set_fallback(time.active());
}

void AttemptMeter::Poll(int64_t boot_nanos) {
  if (meters_.accelerators) meters_.accelerators->Poll(boot_nanos);
}

AttemptMeter::State AttemptMeter::Begin(const KnownAttempt& attempt,
                                        int64_t boot_nanos) {
  State state;
  state.counted.until = attempt.started;
  state.counted_at_ns = attempt.began_ns;
  Poll(boot_nanos);
  if (shares_host()) meters_.host->Read();
  SetMark(attempt, state);
  return state;
}

// REQUIRES: what meters there are were just read.
void AttemptMeter::SetMark(const KnownAttempt& attempt, State& state) const {
  state.bridged.reset();
  state.host_bridged.reset();
  state.counters.reset();
  v1::CountersSeen seen;
  if (meters_.accelerators) {
    state.mark = meters_.accelerators->MarkOf(attempt.accelerators);
    seen.set_meter(meters_.accelerators->name());
    const auto all = meters_.accelerators->CountersOf(attempt.accelerators);
    for (const Joules counter : all.value_or(std::vector<Joules>())) {
      seen.add_joules(counter.value());
    }
  }
  if (shares_host() && !attempt.accelerators.empty()) {
    for (const double uj : meters_.host->last_microjoules()) {
      seen.add_host_microjoules(uj);
    }
  }
  const bool any = seen.joules_size() > 0 || seen.host_microjoules_size() > 0;
  if (!any || boot_id_.empty()) return;
  seen.set_boot_id(boot_id_);
  state.counters = std::move(seen);
}

void AttemptMeter::TakeUp(const KnownAttempt& attempt,
                          const std::optional<v1::CountersSeen>& counters,
                          int64_t boot_nanos, State& state) {
  // Its interval with this agent begins here.
  if (shares_host() && !host_before_) ReadHost(boot_nanos);
  if (!counters || boot_id_.empty() || counters->boot_id() != boot_id_) return;
  TakeUpHost(attempt, *counters, boot_nanos, state);
  if (!meters_.accelerators || counters->joules().empty()) return;
  Poll(boot_nanos);
  State now = state;
  SetMark(attempt, now);
  if (!now.counters || now.counters->meter() != counters->meter() ||
      now.counters->joules_size() != counters->joules_size()) {
    return;
  }
  Joules bridged;
  for (int i = 0; i < counters->joules_size(); ++i) {
    const double grown = now.counters->joules(i) - counters->joules(i);
    if (!(grown >= 0)) return;  // the driver was loaded anew
    bridged += Joules(grown);
  }
  now.bridged = bridged;
  now.host_bridged = state.host_bridged;
  state = std::move(now);
}

void AttemptMeter::TakeUpHost(const KnownAttempt& attempt,
                              const v1::CountersSeen& counters,
                              int64_t boot_nanos, State& state) {
  if (!shares_host()) return;
  const std::optional<Joules> grown = meters_.host->Since(
      {counters.host_microjoules().begin(), counters.host_microjoules().end()},
      absl::Nanoseconds(boot_nanos - state.counted_at_ns));
  if (!grown) return;
  const double held =
      static_cast<double>(attempt.accelerators.size()) / std::max(1u, count_);
  state.host_bridged = *grown * std::min(1.0, held);
}

ModelledUse AttemptMeter::UseOf(const KnownAttempt& attempt,
                                const State& state) const {
  return {.from = state.counted,
          .to = {},
          .real = absl::ZeroDuration(),
          .count = static_cast<uint32_t>(attempt.accelerators.size()),
          .idle = time_->idle(),
          .active = time_->active()};
}

// Energy as measured where the meters watched; else as modelled.
v1::EnergySample AttemptMeter::Make(AttemptId id, const KnownAttempt& attempt,
                                    const State& state, const ModelledUse& use,
                                    bool use_known) {
  // How busy processors are says little of accelerators that have a meter.
  const bool unwatched =
      meters_.accelerators != nullptr && (!state.mark || state.bridged);
  const double utilisation = use_known && !unwatched
                                 ? Utilisation(use).value_or(1)
                                 : state.utilisation.value_or(1);
  const bool modelled = use_known && meters_.accelerators == nullptr;
  v1::EnergySample sample =
      ModelledSample(id, use, utilisation, modelled ? "modelled" : "estimated");
  if (meters_.accelerators && state.mark) {
    const MeterBank::Use measured =
        meters_.accelerators->Since(*state.mark, attempt.accelerators);
    const double rate = EnergyRate();
    const Joules bridged = state.bridged.value_or(Joules());
    sample.set_joules(
        std::max(0.0, (bridged + measured.joules).value() * rate));
    sample.set_method(measured.estimated ? "estimated" : "measured");
    // Nobody saw how busy they were meanwhile.
    if (measured.utilisation && !state.bridged) {
      sample.set_utilisation(*measured.utilisation);
      sample.set_accelerator_utilisation(*measured.utilisation);
    }
    // The node's own energy of then is in no report of this agent.
    charged_ -= bridged * rate;
  }
  charged_ += Joules(sample.joules());
  held_ += (use.to.until - use.from.until) * use.count;
  return sample;
}

// On a fast clock the power is what is kept, not the energy.
double AttemptMeter::EnergyRate() const {
  return absl::FDivDuration(time_->ToCluster(absl::Hours(1)), absl::Hours(1));
}

void AttemptMeter::Charge(Joules share, v1::EnergySample& sample) {
  if (share <= Joules()) return;
  const Joules scaled = share * EnergyRate();
  sample.set_joules(sample.joules() + scaled.value());
  sample.set_method("estimated");  // it was split
  charged_ += scaled;
}

// The node's own energy of then is in no report of this agent.
void AttemptMeter::ChargeBridged(const State& state,
                                 v1::EnergySample& sample) const {
  if (!state.host_bridged || *state.host_bridged <= Joules()) return;
  sample.set_joules(sample.joules() +
                    state.host_bridged->value() * EnergyRate());
  sample.set_method("estimated");
}

std::optional<AttemptMeter::HostInterval> AttemptMeter::ReadHost(
    int64_t boot_nanos) {
  if (!meters_.host) return std::nullopt;
  const std::optional<Joules> now = meters_.host->Read();
  const int64_t busy_ns = CpuNanosOfMachine();
  const bool whole = now && host_before_;
  const HostInterval interval{
      .total = whole ? *now - *host_before_ : Joules(),
      .real = absl::Nanoseconds(boot_nanos - host_at_ns_),
      .busy_ns = busy_ns - busy_before_ns_};
  host_before_ = now;
  host_at_ns_ = boot_nanos;
  busy_before_ns_ = busy_ns;
  host_since_node_ += interval.total;
  if (!whole) return std::nullopt;
  return interval;
}

std::vector<v1::EnergySample> AttemptMeter::Sample(
    const std::vector<Running>& running, int64_t boot_nanos) {
  Poll(boot_nanos);
  const std::optional<HostInterval> host = ReadHost(boot_nanos);
  std::vector<v1::EnergySample> samples;
  std::vector<HostEnergy::Use> uses;
  for (const Running& r : running) {
    State& state = *r.state;
    ModelledUse use = UseOf(*r.attempt, state);
    use.real = absl::Nanoseconds(boot_nanos - state.counted_at_ns);
    if (!r.cpu_ns || use.count == 0 || use.real <= absl::ZeroDuration()) {
      continue;
    }
    use.to.cpu_ns = std::max(*r.cpu_ns, state.counted.cpu_ns);
    // By elapsed time, not by the clock: it may have been set.
    use.to.until = use.from.until + time_->ToCluster(use.real);
    samples.push_back(Make(r.id, *r.attempt, state, use, true));
    ChargeBridged(state, samples.back());
    // What was before, as with another agent, is no part of the interval.
    uses.push_back({.count = use.count,
                    .real = host ? std::min(use.real, host->real) : use.real,
                    .cpu_ns = use.to.cpu_ns - use.from.cpu_ns});
    state.utilisation = samples.back().utilisation();
    state.counted = use.to;
    state.counted_at_ns = boot_nanos;
    SetMark(*r.attempt, state);
  }
  if (!host || !meters_.share_host) return samples;
  const std::vector<Joules> shares =
      split_.Close(host->total, host->real, host->busy_ns, uses).shares;
  for (size_t i = 0; i < samples.size(); ++i) Charge(shares[i], samples[i]);
  return samples;
}

std::optional<v1::EnergySample> AttemptMeter::Last(
    AttemptId id, const KnownAttempt& attempt, const State& state,
    absl::Time ended, std::optional<int64_t> cpu_ns, int64_t boot_nanos) {
  ModelledUse use = UseOf(attempt, state);
  use.to = {.until = ended, .cpu_ns = cpu_ns.value_or(state.counted.cpu_ns)};
  use.real = time_->ToReal(ended - state.counted.until);
  if (use.count == 0 || ended <= use.from.until) return std::nullopt;
  if (state.mark) Poll(boot_nanos);
  v1::EnergySample sample = Make(id, attempt, state, use, cpu_ns.has_value());
  ChargeBridged(state, sample);
  if (meters_.host && meters_.share_host) {
    Charge(split_.Advance({.count = use.count,
                           .real = use.real,
                           .cpu_ns = use.to.cpu_ns - use.from.cpu_ns}),
           sample);
  }
  return sample;
}

v1::Telemetry AttemptMeter::Node(int64_t boot_nanos) {
  v1::Telemetry telemetry;
  if (!time_) return telemetry;
  const double rate = EnergyRate();
  const auto real =
      absl::Nanoseconds(boot_nanos - node_at_ns_.value_or(boot_nanos));
  const absl::Time end = time_->Now();
  const absl::Duration span = time_->ToCluster(real);
  Joules total;
  if (meters_.accelerators) {
    const Joules devices = meters_.accelerators->total();
    total = (devices - devices_before_ + host_since_node_) * rate;
    devices_before_ = devices;
    meters_.accelerators->Describe(telemetry);
  } else {
    // The model of those that nobody holds: idle.
    const absl::Duration free =
        std::max(absl::ZeroDuration(), span * count_ - held_);
    total = charged_ + ToJoules(time_->idle() * free) + host_since_node_ * rate;
  }
  // The board's word is for all that is in the node.
  const std::optional<Watts> power =
      meters_.node ? meters_.node->Latest() : std::nullopt;
  if (power) {
    total = ToJoules((*power + node_power_.value_or(*power)) / 2 * span);
  }
  node_power_ = power;
  if (node_at_ns_ && real > absl::ZeroDuration()) {
    *telemetry.mutable_start() = ToProto(end - span);
    *telemetry.mutable_end() = ToProto(end);
    telemetry.set_node_joules(total.value());
    telemetry.set_unallocated_joules(
        std::max(Joules(), total - charged_).value());
  }
  node_at_ns_ = boot_nanos;
  charged_ = host_since_node_ = Joules();
  held_ = absl::ZeroDuration();
  return telemetry;
}

}  // namespace ccsched
