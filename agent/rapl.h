// Energy of processors and memory by Intel's and AMD's RAPL.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_RAPL_H_
#define CCSCHED_AGENT_RAPL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
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

  // What each counter showed when it was last read; empty unless all could be.
  // Of the same machine and boot they are the same ones in the same order.
  const std::vector<double>& last_microjoules() const { return last_; }
  // Energy from when they showed `before` to the last reading, `elapsed` later.
  // Nothing if a counter may have come around and past that meanwhile, or if it
  // is not these that were seen.
  std::optional<Joules> Since(const std::vector<double>& before,
                              absl::Duration elapsed) const;

 private:
  struct Zone {
    std::string energy_path;
    double range_uj = 0;
    WrappingCounter counter;
  };
  std::vector<Zone> zones_;  // by their paths
  std::vector<double> last_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_RAPL_H_
