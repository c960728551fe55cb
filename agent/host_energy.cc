// Splits a node's host energy over its jobs; what is nobody's is said to be so.
// SPDX-License-Identifier: Apache-2.0
#include "agent/host_energy.h"

#include <algorithm>

namespace ccsched {
namespace {

Watts MeanPower(Joules energy, absl::Duration real) {
  return Watts(energy.value() / absl::ToDoubleSeconds(real));
}

}  // namespace

Joules HostEnergy::Advance(const Use& use) {
  if (!idle_) return Joules();
  const double held = static_cast<double>(use.count) / accelerators_;
  const Joules share =
      ToJoules(*idle_ * use.real) * held +
      Joules(joules_per_cpu_s_ * static_cast<double>(use.cpu_ns) / 1e9);
  advanced_ += share;
  return share;
}

HostEnergy::Split HostEnergy::Close(Joules total, absl::Duration real,
                                    int64_t busy_ns,
                                    const std::vector<Use>& uses) {
  Split split;
  split.shares.resize(uses.size());
  if (real <= absl::ZeroDuration()) return split;
  const Watts mean = MeanPower(total, real);
  idle_ = idle_ ? std::min(*idle_, mean) : mean;
  const Joules advanced = std::min(advanced_, total);
  advanced_ -= advanced;
  const Joules left = total - advanced;
  const Joules idle = std::min(left, ToJoules(*idle_ * real));
  const Joules dynamic = left - idle;
  int64_t jobs_ns = 0;
  // Of all accelerators, over the interval.
  const auto part_held = [&](const Use& use) {
    return static_cast<double>(use.count) / accelerators_ *
           absl::FDivDuration(use.real, real);
  };
  double held = 0;
  for (const Use& use : uses) {
    jobs_ns += use.cpu_ns;
    held += part_held(use);
  }
  // Clocks of ticks are coarse: together no more than there is.
  const double cpu_ns = static_cast<double>(std::max({busy_ns, jobs_ns, 1L}));
  const double idle_scale = held > 1 ? 1 / held : 1;
  split.unallocated = left;
  for (size_t i = 0; i < uses.size(); ++i) {
    const double part = part_held(uses[i]) * idle_scale;
    split.shares[i] =
        idle * part + dynamic * (static_cast<double>(uses[i].cpu_ns) / cpu_ns);
    split.unallocated -= split.shares[i];
  }
  split.unallocated = std::max(split.unallocated, Joules());
  joules_per_cpu_s_ = dynamic.value() / (cpu_ns / 1e9);
  return split;
}

}  // namespace ccsched
