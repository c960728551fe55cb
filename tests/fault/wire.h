// What lies between an agent and the scheduler, for a test to break.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_WIRE_H_
#define CCSCHED_TESTS_FAULT_WIRE_H_

#include <string>
#include <vector>

namespace ccsched::testing {

class Wire {
 public:
  virtual ~Wire() = default;
  // Which directions carry nothing. What is sent meanwhile arrives once they
  // carry again.
  virtual void Block(bool towards_scheduler, bool towards_agent) = 0;
  // Breaks what connections there are, or shakes them as much as it can.
  virtual void Cut() = 0;
  // What comes before an agent's command line, so that it is at its end.
  virtual std::vector<std::string> Prefix() const { return {}; }
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_WIRE_H_
