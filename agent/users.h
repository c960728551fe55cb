// The users of this machine, for jobs that run as who submitted them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_USERS_H_
#define CCSCHED_AGENT_USERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/launch_spec.h"

namespace ccsched {

struct User {
  std::string name;
  std::string home;
  std::string shell;
  RunAs ids;
};

// Errors: NotFound if this machine has no such user.
absl::StatusOr<User> FindUser(const std::string& name);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_USERS_H_
