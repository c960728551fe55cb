// Macros that return early on an error Status.
// SPDX-License-Identifier: Apache-2.0
//
//   RETURN_IF_ERROR(file.Open(path));
//   ASSIGN_OR_RETURN(Scenario scenario, ReadScenario(path));
#ifndef CCSCHED_SCHEDULER_BASE_STATUS_H_
#define CCSCHED_SCHEDULER_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expr)                                           \
  do {                                                                  \
    if (absl::Status ccsched_status_ = (expr); !ccsched_status_.ok()) { \
      return ccsched_status_;                                           \
    }                                                                   \
  } while (false)

#define CCSCHED_CONCAT_INNER_(a, b) a##b
#define CCSCHED_CONCAT_(a, b) CCSCHED_CONCAT_INNER_(a, b)
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL_(CCSCHED_CONCAT_(statusor_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr)   \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)

#endif  // CCSCHED_SCHEDULER_BASE_STATUS_H_
