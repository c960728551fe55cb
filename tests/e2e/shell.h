// Runs commands as a user would, and keeps what they printed.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_E2E_SHELL_H_
#define CCSCHED_TESTS_E2E_SHELL_H_

#include <string>
#include <vector>

namespace ccsched::testing {

struct CommandResult {
  int status = -1;  // exit status; 128 + signal
  std::string out, err;
};

// Runs `argv` to its end in the folder `dir`, with `env` ("NAME=value") laid
// over the environment; standard input is empty.
CommandResult RunCommand(const std::vector<std::string>& argv,
                         const std::string& dir,
                         const std::vector<std::string>& env);

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_E2E_SHELL_H_
