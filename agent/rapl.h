// Energy of processors and memory by Intel's and AMD's RAPL.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_RAPL_H_
#define CCSCHED_AGENT_RAPL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/wrapping_counter.h"
#include "scheduler/base/units.h"

namespace ccsched {

class Rapl {
 public:
  // The zones under `powercap` ("/sys/class/powercap") that this process may
  // read; null if there is none (only root may since CVE-2020-8694).
  static std::unique_ptr<Rapl> Open(const std::string& powercap);

  // Of all packages and their memory, since the first call. Zones that contain
  // others (psys) and those within a package (core, uncore) are left out:
  // nothing is counted twice. Nothing if one of them can't be read now.
  std::optional<Joules> Read();

 private:
  struct Zone {
    std::string energy_path;
    double range_uj = 0;
    WrappingCounter counter;
  };
  std::vector<Zone> zones_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_RAPL_H_
