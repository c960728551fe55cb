// Durations and times as people write them, and as programs read them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_TIME_H_
#define CCSCHED_SCHEDULER_WIRE_TIME_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ccsched {

// "24h", "1h30m", "209w", "2d", "-1h", "1.5h", "90 minutes", "500ms", "0".
// Units are w d h m s ms us ns or their English names; a number without a unit
// is refused, but for 0. Errors: InvalidArgument naming the text, also beyond
// 10,000 years.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// "1:30" (minutes:seconds), "90" (minutes), "12:00:00", "1-00", "1-12:30",
// "2-00:00:00": a time limit as Slurm's sbatch takes it. "UNLIMITED" and
// "INFINITE" give InfiniteDuration. Source: sbatch(1), --time.
absl::StatusOr<absl::Duration> ParseSlurmTime(std::string_view text);

// RFC 3339 with a zone: "2026-01-05T16:00:00Z", seconds optional.
absl::StatusOr<absl::Time> ParseRfc3339(std::string_view text);

// A time as a person gives it: RFC 3339; "2026-01-05" or "2026-01-05T16:00" in
// `zone`; "16:00", its next occurrence after `now`; "now", "now+1hour",
// "+36h", "tomorrow", "tomorrow 08:00".
absl::StatusOr<absl::Time> ParseTimeSpec(std::string_view text, absl::Time now,
                                         absl::TimeZone zone);
// Whether `text` can only be understood by knowing what time it is.
bool IsRelativeTime(std::string_view text);

// "2d4h", "1h30m", "45s", "0s", "-5m": to the second, at most two units.
// "unlimited" for infinite ones.
std::string ShortDuration(absl::Duration d);
// "2026-01-05T16:00:00Z", with a fraction only where there is one.
std::string FormatRfc3339(absl::Time t);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_TIME_H_
