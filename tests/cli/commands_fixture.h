// Commands against a scheduler that answers as the test says.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_CLI_COMMANDS_FIXTURE_H_
#define CCSCHED_TESTS_CLI_COMMANDS_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/cli/commands.h"
#include "scheduler/wire/yaml.h"
#include "tests/cli/fake_client.h"

namespace ccsched {

template <typename Message>
Message Parsed(const std::string& yaml) {
  Message message;
  const absl::Status status = ParseYaml(yaml, "test", message);
  EXPECT_TRUE(status.ok()) << status;
  return message;
}

inline v1::Job JobIn(uint64_t id, v1::JobState state, int exit_code = 0) {
  v1::Job job;
  job.set_id(id);
  job.set_state(state);
  if (exit_code != 0) job.set_exit_code(exit_code);
  return job;
}

class CommandsTest : public testing::Test {
 protected:
  int Run(std::vector<std::string> args) {
    out_.str("");
    err_.str("");
    Context context(out_, err_);
    context.env = [this](const char* name) {
      return std::string(name) == "CCSCHED_PROJECT" ? project_ : "";
    };
    if (sleep_) context.sleep = sleep_;
    context.set_client(std::make_unique<FakeClient>(&scheduler_));
    return RunCommandLine(std::move(args), context);
  }

  FakeScheduler scheduler_;
  std::string project_;                        // CCSCHED_PROJECT
  std::function<void(absl::Duration)> sleep_;  // null: it does
  std::ostringstream out_, err_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_CLI_COMMANDS_FIXTURE_H_
