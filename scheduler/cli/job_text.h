// Jobs as people and as programs are shown them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_JOB_TEXT_H_
#define CCSCHED_SCHEDULER_CLI_JOB_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/admin.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"

namespace ccsched {

// "queued", "timed-out", …
std::string StateName(v1::JobState state);
// Errors: InvalidArgument naming the nearest.
absl::StatusOr<v1::JobState> ParseState(std::string_view name);
Style StateStyle(v1::JobState state);
bool HasEnded(v1::JobState state);

// The exit status that stands for a job that has ended: its own; 128 + the
// signal that ended it; 124 if it timed out (as timeout(1)); else 1.
int ExitCodeOfJob(const v1::Job& job);

// "2026-01-05 16:00Z", to the minute (or the second); "-" if not given.
std::string ShortTime(bool given, const google::protobuf::Timestamp& time,
                      bool seconds = false);
// "1.23 kWh", "450 Wh", "-" if unknown; "1.2 kg", "-" if unknown.
std::string EnergyText(std::optional<double> kwh);
std::string CarbonText(std::optional<double> grams);
// "1.23 USD", "-" if unknown; of a row, each currency by itself.
std::string CostText(const v1::Offer& offer);
std::string CostText(const v1::ReportRow& row);

Record JobRecordOf(const v1::Job& job);
Record AttemptRecordOf(const v1::Attempt& attempt);
Record OfferRecordOf(const v1::Offer& offer);
Record ReasonRecordOf(const v1::Reason& reason);

// "12": a job's number. Errors: InvalidArgument.
absl::StatusOr<uint64_t> ParseJobId(const std::string& text);
// Numbers and ranges: "12 14-16". At most 100,000.
absl::StatusOr<std::vector<uint64_t>> ParseJobIds(
    const std::vector<std::string>& texts);

// How many accelerators it asked for; of an elastic one that named no number,
// as many as it may have.
uint32_t AcceleratorsOf(const v1::JobSpec& spec);
// What runs: the command line, or "script".
std::string CommandText(const v1::JobSpec& spec);

// An optional field of a message as std::optional.
#define CCSCHED_OPTIONAL(message, field) \
  ((message).has_##field() ? std::optional((message).field()) : std::nullopt)

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_JOB_TEXT_H_
