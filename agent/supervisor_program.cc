// The program that runs one job, held open from the agent's start.
// SPDX-License-Identifier: Apache-2.0
#include "agent/supervisor_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "agent/launch_spec.h"
#include "agent/program_output.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// Above the numbers that a supervisor finds its own descriptors at.
constexpr int kLowestFd = 10;
// A program that says nothing for so long is not a supervisor.
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr size_t kAnswerBytesMax = 32;

// What the program prints for kLaunchVersionFlag; empty if it does not run.
std::string Ask(const std::string& program) {
  return OutputOf({.program = program,
                   .words = {"ccsched-supervise", kLaunchVersionFlag},
                   .environment = false,
                   .patience = kPatience,
                   .bytes_max = kAnswerBytesMax});
}

}  // namespace

SupervisorProgram::SupervisorProgram(Fd fd, std::string path)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      exec_path_(absl::StrCat("/proc/self/fd/", fd_.get())) {}

absl::StatusOr<SupervisorProgram> SupervisorProgram::Open(
    const std::string& path) {
  Fd low(open(path.c_str(), O_PATH | O_CLOEXEC));
  Fd fd(low.valid() ? fcntl(low.get(), F_DUPFD_CLOEXEC, kLowestFd) : -1);
  if (!fd.valid() || access(path.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(path, ": ", strerror(errno)));
  }
  return SupervisorProgram(std::move(fd), path);
}

absl::Status SupervisorProgram::Check() const {
  const std::string answer = Ask(exec_path_);
  uint32_t version = 0;
  const auto [end, error] =
      std::from_chars(answer.data(), answer.data() + answer.size(), version);
  if (error != std::errc() || *end != '\n') {
    return absl::FailedPreconditionError(absl::StrCat(
        path_, " does not say its version: not this agent's supervisor"));
  }
  if (version == kLaunchVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path_, " speaks launch version ", version, ", this agent ",
      kLaunchVersion, ": install both from one build, start the agent again"));
}

}  // namespace ccsched
