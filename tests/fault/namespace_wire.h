// A wire into a network namespace, by a pair of virtual interfaces.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_NAMESPACE_WIRE_H_
#define CCSCHED_TESTS_FAULT_NAMESPACE_WIRE_H_

#include <string>
#include <vector>

#include "tests/fault/wire.h"

namespace ccsched::testing {

// Whether this process may make network namespaces here.
bool NamespacesWork();

// The agent's end is a machine of its own as far as the network goes: real
// packets, real TCP, routes that swallow what should not arrive.
class NamespaceWire final : public Wire {
 public:
  // `number`: of this process's wires, below 60. REQUIRES: NamespacesWork().
  explicit NamespaceWire(int number);
  ~NamespaceWire() override;
  NamespaceWire(const NamespaceWire&) = delete;

  // The scheduler's address at the near end of wire `number`.
  static std::string NearAddress(int number);

  void Block(bool towards_scheduler, bool towards_agent) override;
  // The link goes down and comes up again.
  void Cut() override;
  std::vector<std::string> Prefix() const override;
  // False if a command failed while it was made.
  bool ok() const { return ok_; }

 private:
  bool Ip(const std::vector<std::string>& words) const;
  bool IpInside(const std::vector<std::string>& words) const;

  const std::string near_, far_;  // addresses
  const std::string name_;        // of the namespace
  const std::string link_;        // the interface's near end
  bool ok_ = true;
  bool up_blocked_ = false;
  bool down_blocked_ = false;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_NAMESPACE_WIRE_H_
