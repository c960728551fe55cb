// Small linear and mixed integer programs, solved by COIN-OR's Clp and Cbc.
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/bound/mip.h"

#include <CbcModel.hpp>
#include <CoinMessageHandler.hpp>
#include <OsiClpSolverInterface.hpp>

namespace ccsched {

Mip::Mip() : solver_(std::make_unique<OsiClpSolverInterface>()) {
  solver_->messageHandler()->setLogLevel(0);
}

Mip::~Mip() = default;

int Mip::Add(double cost, double low, double high, bool whole) {
  const int variable = solver_->getNumCols();
  solver_->addCol(0, nullptr, nullptr, low, high, cost);
  if (whole) solver_->setInteger(variable);
  return variable;
}

void Mip::Constrain(double low, double high, const Terms& terms) {
  std::vector<int> variables;
  std::vector<double> coefficients;
  for (const auto& [variable, coefficient] : terms) {
    variables.push_back(variable);
    coefficients.push_back(coefficient);
  }
  solver_->addRow(static_cast<int>(terms.size()), variables.data(),
                  coefficients.data(), low, high);
}

std::optional<double> Mip::Solve(bool whole) {
  if (!whole) {
    const std::unique_ptr<OsiSolverInterface> relaxed(solver_->clone());
    relaxed->messageHandler()->setLogLevel(0);
    relaxed->initialSolve();
    if (!relaxed->isProvenOptimal()) return std::nullopt;
    return relaxed->getObjValue();
  }
  CbcModel model(*solver_);
  model.setLogLevel(0);
  model.messageHandler()->setLogLevel(0);
  model.setAllowableGap(1e-9);
  model.branchAndBound();
  if (!model.isProvenOptimal()) return std::nullopt;
  return model.getObjValue();
}

}  // namespace ccsched
