// Small linear and mixed integer programs, solved by COIN-OR's Clp and Cbc.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_SIM_BOUND_MIP_H_
#define CCSCHED_TESTS_SIM_BOUND_MIP_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

class OsiClpSolverInterface;

namespace ccsched {

// Minimises the cost of variables under rows.
class Mip {
 public:
  using Terms = std::vector<std::pair<int, double>>;  // variable, coefficient

  Mip();
  ~Mip();
  Mip(const Mip&) = delete;
  Mip& operator=(const Mip&) = delete;

  // Returns the variable's number.
  int Add(double cost, double low, double high, bool whole);
  // low <= Σ coefficient × variable <= high.
  void Constrain(double low, double high, const Terms& terms);

  // The least cost; nothing if no values keep all rows. `whole` false: of the
  // relaxation, in which no variable has to be whole.
  std::optional<double> Solve(bool whole);

 private:
  std::unique_ptr<OsiClpSolverInterface> solver_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_SIM_BOUND_MIP_H_
