// Reads times and asks the scheduler's clock.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/time_options.h"

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

absl::Status Naming(const std::string& option, const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": ", status.message()));
}

}  // namespace

absl::StatusOr<absl::Time> TimeOptions::Now() {
  if (!now_) {
    ASSIGN_OR_RETURN(const v1::StatusResponse status,
                     context_.client().Status());
    now_ = FromProto(status.now());
  }
  return *now_;
}

absl::StatusOr<absl::Time> TimeOptions::Read(const std::string& option,
                                             const std::string& text) {
  absl::Time now;
  if (IsRelativeTime(text)) {
    // What is wrong at any time is told without asking what time it is.
    const auto form =
        ParseTimeSpec(text, absl::UnixEpoch(), absl::LocalTimeZone());
    if (!form.ok()) return Naming(option, form.status());
    ASSIGN_OR_RETURN(now, Now());
  }
  const auto time = ParseTimeSpec(text, now, absl::LocalTimeZone());
  if (!time.ok()) return Naming(option, time.status());
  return *time;
}

absl::StatusOr<absl::Time> TimeOptions::ReadAgo(const std::string& option,
                                                const std::string& text) {
  const auto ago = ParseDuration(text);
  if (!ago.ok()) return Naming(option, ago.status());
  if (*ago <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": '", Printable(text), "' is not above 0"));
  }
  ASSIGN_OR_RETURN(const absl::Time now, Now());
  return now - *ago;
}

}  // namespace ccsched
