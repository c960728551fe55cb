// A real agent process with a fake scheduler, in a folder of their own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_AGENT_FIXTURE_H_
#define CCSCHED_TESTS_AGENT_AGENT_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/run_file.h"
#include "tests/agent/fake_scheduler.h"

namespace ccsched {

class AgentTest : public testing::Test {
 protected:
  AgentTest();
  ~AgentTest() override;

  // Starts the agent and waits until it is registered.
  void StartAgent(std::vector<std::string> more = {});
  // kill -9, and waits until it is gone.
  void KillAgent();
  // SIGTERM; returns its exit code.
  int StopAgent();

  // A job that runs `script` by /bin/sh -c, on one accelerator.
  static v1::StartAttempt Shell(AttemptId id, const std::string& script);
  // One that appends a line to Path("starts"), waits until it is let go, and
  // exits with 7.
  v1::StartAttempt Waiter(AttemptId id) const;
  void LetGo() const;
  // Starts it and waits for its end.
  v1::AttemptStatus RunToEnd(const v1::StartAttempt& start);

  std::string Path(const std::string& name) const { return folder_ / name; }
  std::string StateFile(const std::string& name) const {
    return folder_ / "state" / name;
  }
  // A file's bytes; empty if there is none.
  static std::string Read(const std::string& path);
  // Waits, by watching the folder, until the file holds `text`. False after
  // ten seconds.
  static bool WaitFileHolds(const std::string& path, const std::string& text);
  // Waits until `done`, which may change with each change in the folder. False
  // after ten seconds.
  static bool WaitFolder(const std::string& folder,
                         const std::function<bool()>& done);
  // Waits for the end of a process that need not be a child. REQUIRES: it is
  // one's number.
  static bool WaitGone(pid_t pid);
  static bool Exists(pid_t pid);
  // The supervisor and the first process of a running attempt, as soon as that
  // is noted. REQUIRES: it was seen to run.
  ProcessId SupervisorOf(AttemptId id) const;
  ProcessId JobOf(AttemptId id) const;

  std::filesystem::path folder_;
  std::unique_ptr<FakeScheduler> scheduler_;
  pid_t agent_ = 0;
  size_t registrations_ = 0;

 private:
  ProcessId WaitNoted(AttemptId id,
                      std::optional<ProcessId> (RunFile::*which)() const) const;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_AGENT_FIXTURE_H_
