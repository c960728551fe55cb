// Checks of a job request that need to know nothing but the request.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kGraceMax = absl::Hours(24);

absl::Status Bad(std::string_view field, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ": ", what));
}

// Names and paths: of a bounded size, UTF-8, without control characters.
absl::Status CheckText(std::string_view field, const std::string& text,
                       size_t bytes_max) {
  if (text.size() > bytes_max) {
    return Bad(field, absl::StrCat(text.size(), " bytes; at most ", bytes_max));
  }
  if (!IsUtf8(text)) return Bad(field, "is not UTF-8 text");
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f || IsC1At(text, i)) {
      return Bad(field, absl::StrCat("'", ToAbsl(Printable(text)),
                                     "' has a control character"));
    }
  }
  return absl::OkStatus();
}

// What goes to exec: any text without a zero byte.
absl::Status CheckArgument(std::string_view field, const std::string& text) {
  if (text.size() > kArgumentBytesMax) {
    return Bad(field, absl::StrCat(text.size(), " bytes; at most ",
                                   kArgumentBytesMax));
  }
  if (!IsUtf8(text)) return Bad(field, "is not UTF-8 text");
  if (absl::StrContains(text, '\0')) return Bad(field, "has a zero byte");
  return absl::OkStatus();
}

absl::Status CheckCommand(const v1::JobSpec& job) {
  if (job.command_size() == 0 && job.script().empty()) {
    return Bad("command", "there is nothing to run");
  }
  if (job.command_size() > 0 && job.command(0).empty() &&
      job.script().empty()) {
    return Bad("command", "the name of the program is empty");
  }
  for (const std::string& argument : job.command()) {
    RETURN_IF_ERROR(CheckArgument("command", argument));
  }
  if (!job.script().empty() && !absl::StartsWith(job.script(), "#!")) {
    return Bad("script", "must begin with #! and its interpreter");
  }
  if (job.env_size() > kListMax) {
    return Bad("env",
               absl::StrCat(job.env_size(), " variables; at most ", kListMax));
  }
  for (const auto& [name, value] : job.env()) {
    if (name.empty() || absl::StrContains(name, '=')) {
      return Bad("env", absl::StrCat("'", name, "' is not a variable's name"));
    }
    RETURN_IF_ERROR(CheckText("env", name, kNameBytesMax));
    RETURN_IF_ERROR(CheckArgument(absl::StrCat("env ", name), value));
  }
  return absl::OkStatus();
}

absl::Status CheckTexts(const v1::JobSpec& job) {
  RETURN_IF_ERROR(CheckText("name", job.name(), kNameBytesMax));
  RETURN_IF_ERROR(CheckText("project", job.project(), kNameBytesMax));
  RETURN_IF_ERROR(CheckText("user", job.user(), kNameBytesMax));
  RETURN_IF_ERROR(CheckText("key", job.key(), kNameBytesMax));
  RETURN_IF_ERROR(CheckText("workdir", job.workdir(), kPathBytesMax));
  RETURN_IF_ERROR(CheckText("output", job.output(), kPathBytesMax));
  if (!job.workdir().empty() && job.workdir()[0] != '/') {
    return Bad("workdir",
               absl::StrCat("'", job.workdir(), "' must be an absolute path"));
  }
  RETURN_IF_ERROR(CheckText("image", job.image(), kPathBytesMax));
  if (absl::StartsWith(job.image(), "-")) {
    return Bad("image", absl::StrCat("'", ToAbsl(Printable(job.image())),
                                     "' is not the name of an image"));
  }
  static constexpr std::array<std::string_view, 7> kSignals = {
      "TERM", "INT", "USR1", "USR2", "HUP", "CONT", "QUIT"};
  if (!job.warn_signal().empty()) {
    for (const std::string_view signal : kSignals) {
      if (job.warn_signal() == signal) return absl::OkStatus();
    }
    return Bad("warn_signal",
               absl::StrCat("'", ToAbsl(Printable(job.warn_signal())),
                            "' must be TERM, INT, USR1, USR2, HUP, CONT or "
                            "QUIT"));
  }
  return absl::OkStatus();
}

template <typename List>
absl::Status CheckNames(std::string_view field, const List& names) {
  if (names.size() > kListMax) {
    return Bad(field,
               absl::StrCat(names.size(), " of them; at most ", kListMax));
  }
  for (const std::string& name : names) {
    RETURN_IF_ERROR(CheckText(field, name, kNameBytesMax));
    if (name.empty()) return Bad(field, "an empty name");
  }
  return absl::OkStatus();
}

absl::Status CheckDuration(std::string_view field, bool given,
                           const google::protobuf::Duration& proto,
                           bool positive) {
  if (!given) return absl::OkStatus();
  if (proto.seconds() > 315'576'000'000 || proto.seconds() < -315'576'000'000 ||
      proto.nanos() <= -1'000'000'000 || proto.nanos() >= 1'000'000'000) {
    return Bad(field, absl::StrCat(proto.seconds(), " s is out of range"));
  }
  const absl::Duration d = FromProto(proto);
  if (d < absl::ZeroDuration()) {
    return Bad(field, absl::StrCat(ShortDuration(d), " is negative"));
  }
  if (positive && d == absl::ZeroDuration()) {
    return Bad(field, "0s is no time at all");
  }
  return absl::OkStatus();
}

absl::Status CheckDurations(const v1::JobSpec& job) {
  RETURN_IF_ERROR(CheckDuration("time_limit", job.has_time_limit(),
                                job.time_limit(), true));
  RETURN_IF_ERROR(
      CheckDuration("runtime", job.has_runtime(), job.runtime(), true));
  RETURN_IF_ERROR(
      CheckDuration("max_delay", job.has_max_delay(), job.max_delay(), false));
  RETURN_IF_ERROR(CheckDuration("grace", job.has_grace(), job.grace(), false));
  RETURN_IF_ERROR(CheckDuration("checkpoint", job.has_checkpoint(),
                                job.checkpoint(), false));
  RETURN_IF_ERROR(
      CheckDuration("restart", job.has_restart(), job.restart(), false));
  if (job.has_grace() && FromProto(job.grace()) > kGraceMax) {
    return Bad("grace", absl::StrCat(ShortDuration(FromProto(job.grace())),
                                     " is more than a day"));
  }
  if (job.has_time_limit() && job.has_runtime() &&
      FromProto(job.runtime()) > FromProto(job.time_limit())) {
    return Bad("runtime",
               absl::StrCat(ShortDuration(FromProto(job.runtime())),
                            " is longer than the time limit, ",
                            ShortDuration(FromProto(job.time_limit()))));
  }
  if (!job.suspendable() && (job.has_checkpoint() || job.has_restart())) {
    return Bad(job.has_checkpoint() ? "checkpoint" : "restart",
               "given, but the job is not suspendable; say so, or leave it "
               "out");
  }
  if (job.has_finish_by() && (job.finish_by().seconds() < -62'135'596'800 ||
                              job.finish_by().seconds() > 253'402'300'799)) {
    return Bad("finish_by", absl::StrCat(job.finish_by().seconds(),
                                         " s after 1970 is out of range"));
  }
  return absl::OkStatus();
}

absl::Status CheckCount(const v1::JobSpec& job) {
  const uint32_t count = job.has_accelerators() ? job.accelerators() : 1;
  if (count == 0) return Bad("accelerators", "0; at least 1");
  if (count > kAcceleratorsMax) {
    return Bad("accelerators",
               absl::StrCat(count, "; at most ", kAcceleratorsMax));
  }
  if (job.has_nodes()) {
    if (job.nodes() == 0) return Bad("nodes", "0; at least 1");
    if (count % job.nodes() != 0) {
      return Bad("nodes", absl::StrCat(count,
                                       " accelerators can't be spread "
                                       "evenly over ",
                                       job.nodes(), " nodes"));
    }
  }
  return absl::OkStatus();
}

// "MIN:MAX" accelerators.
absl::Status SetRange(std::string_view text, JobWidths* widths) {
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(text), ':');
  if (text.size() > 32 || parts.size() != 2 ||
      !absl::SimpleAtoi(parts[0], &widths->min) ||
      !absl::SimpleAtoi(parts[1], &widths->max)) {
    return Bad("elastic", absl::StrCat("'", ToAbsl(Printable(text)),
                                       "' must be MIN:MAX, like 2:8"));
  }
  if (widths->min == 0 || widths->min > widths->max ||
      widths->max > kAcceleratorsMax) {
    return Bad("elastic", absl::StrCat("'", ToAbsl(text),
                                       "' must have 1 <= MIN <= MAX <= ",
                                       kAcceleratorsMax));
  }
  return absl::OkStatus();
}

// The point of width 1 may be left out.
absl::Status SetSpeedup(const v1::JobSpec& job, JobWidths* widths) {
  if (job.speedup_size() > kSpeedupPointsMax) {
    return Bad("speedup", absl::StrCat(job.speedup_size(), " points; at most ",
                                       kSpeedupPointsMax));
  }
  std::vector<SpeedupPoint> points;
  for (const v1::SpeedupPoint& p : job.speedup()) {
    const bool own_is_next = points.empty() || points.back().width < 1;
    if (own_is_next && p.width() > 1) points.push_back({});
    points.push_back({.width = p.width(), .speed = p.speed()});
  }
  if (points.back().width < 1) points.push_back({});
  auto speedup = Speedup::Measured(std::move(points));
  if (!speedup.ok()) {
    return Bad("speedup", std::string(speedup.status().message()));
  }
  const double most = static_cast<double>(widths->max) / widths->count;
  if (speedup->widest() < most) {
    return Bad("speedup", absl::StrCat("it ends at width ", speedup->widest(),
                                       ", but the job may have ", most,
                                       " times its own accelerators"));
  }
  widths->speedup = std::make_shared<const Speedup>(*std::move(speedup));
  return absl::OkStatus();
}

absl::StatusOr<JobWidths> ReadWidths(const v1::JobSpec& job) {
  JobWidths widths;
  if (job.has_accelerators()) widths.count = job.accelerators();
  widths.min = widths.max = widths.count;
  if (job.elastic().empty()) {
    if (job.speedup().empty()) return widths;
    return Bad("speedup",
               "given, but the job is not elastic; say so, or leave "
               "it out");
  }
  RETURN_IF_ERROR(SetRange(job.elastic(), &widths));
  if (!job.has_accelerators()) widths.count = widths.max;
  if (widths.count < widths.min || widths.count > widths.max) {
    return Bad("elastic",
               absl::StrCat(job.elastic(), " does not hold the ", widths.count,
                            " accelerators asked for"));
  }
  if (job.has_nodes()) {
    return Bad("elastic", "can't be had with a number of nodes");
  }
  if (!job.speedup().empty()) RETURN_IF_ERROR(SetSpeedup(job, &widths));
  return widths;
}

absl::Status CheckRelations(const v1::JobSpec& job) {
  if (!job.array().empty()) {
    RETURN_IF_ERROR(ParseArray(job.array()).status());
  }
  if (job.after_size() > kListMax) {
    return Bad("after",
               absl::StrCat(job.after_size(), " jobs; at most ", kListMax));
  }
  for (const uint64_t id : job.after()) {
    if (id == 0) return Bad("after", "0 is not a job's number");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JobWidths> CheckJob(const v1::JobSpec& job) {
  if (const size_t bytes = job.ByteSizeLong(); bytes > kPayloadBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job: ", bytes, " bytes in all; at most ", kPayloadBytesMax));
  }
  RETURN_IF_ERROR(CheckCommand(job));
  RETURN_IF_ERROR(CheckTexts(job));
  RETURN_IF_ERROR(CheckNames("accelerator", job.accelerator()));
  RETURN_IF_ERROR(CheckNames("site", job.site()));
  RETURN_IF_ERROR(CheckNames("region", job.region()));
  RETURN_IF_ERROR(CheckDurations(job));
  RETURN_IF_ERROR(CheckCount(job));
  ASSIGN_OR_RETURN(JobWidths widths, ReadWidths(job));
  RETURN_IF_ERROR(CheckRelations(job));
  return widths;
}

}  // namespace ccsched
