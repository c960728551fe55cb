// Times among a command's options, some of them by the scheduler's clock.
// SPDX-License-Identifier: Apache-2.0
//
//   TimeOptions times(context);
//   ASSIGN_OR_RETURN(absl::Time from, times.Read("--from", options.from));
#ifndef CCSCHED_SCHEDULER_CLI_TIME_OPTIONS_H_
#define CCSCHED_SCHEDULER_CLI_TIME_OPTIONS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/cli/context.h"

namespace ccsched {

// A fast clock is not this machine's: the scheduler is asked what time it is,
// at most once, and only where it matters. The context must outlive it.
class TimeOptions {
 public:
  explicit TimeOptions(Context& context) : context_(context) {}

  // A time as ParseTimeSpec takes it. Errors: InvalidArgument naming `option`;
  // those of the call.
  absl::StatusOr<absl::Time> Read(const std::string& option,
                                  const std::string& text);
  // "24h": so long ago. Errors: likewise.
  absl::StatusOr<absl::Time> ReadAgo(const std::string& option,
                                     const std::string& text);

 private:
  absl::StatusOr<absl::Time> Now();

  Context& context_;
  std::optional<absl::Time> now_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_TIME_OPTIONS_H_
