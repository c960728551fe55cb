// Power of the whole node, by what its board says: hwmon, IPMI or Redfish.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_NODE_POWER_H_
#define CCSCHED_AGENT_NODE_POWER_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/statusor.h"
#include "scheduler/base/units.h"

namespace ccsched {

// Boards answer slowly, some in seconds: a thread asks, every few seconds.
class NodePower {
 public:
  using Read = std::function<std::optional<Watts>()>;

  // `meter`: "auto" (hwmon if it can be read, else none), "off", "hwmon",
  // "ipmi[:PROGRAM]", "redfish:URL" of a chassis's Power or a sensor; `login`
  // is a file that holds USER:PASSWORD for it. Null: there is none. Errors:
  // InvalidArgument, NotFound if what was named can't be read now.
  static absl::StatusOr<std::unique_ptr<NodePower>> Open(
      const std::string& meter, const std::string& sys,
      const std::string& login);
  // For tests: asks `read`; `first` is what it said just now, if it was asked.
  NodePower(std::string name, Read read,
            std::optional<Watts> first = std::nullopt);
  ~NodePower();
  NodePower(const NodePower&) = delete;
  NodePower& operator=(const NodePower&) = delete;

  // "hwmon", "ipmi", "redfish".
  const std::string& name() const { return name_; }
  // As last read; nothing if that was half a minute ago. Thread safe.
  std::optional<Watts> Latest() const;

 private:
  void Run();

  const std::string name_;
  const Read read_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Watts> latest_;  // guarded by mutex_, as are these
  int64_t read_at_ns_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

// From the output of `ipmitool dcmi power reading`.
std::optional<Watts> ParseDcmiPower(std::string_view text);
// From a Redfish Power resource (PowerControl), or a sensor (Reading).
std::optional<Watts> ParseRedfishPower(const std::string& json);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_NODE_POWER_H_
