// Formats jobs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/job_text.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"

namespace ccsched {

std::string StateName(v1::JobState state) {
  const std::string name = v1::JobState_Name(state);
  if (name.rfind("JOB_", 0) != 0 || name == "JOB_STATE_UNSPECIFIED") {
    return "unknown";
  }
  return absl::StrReplaceAll(absl::AsciiStrToLower(name.substr(4)),
                             {{"_", "-"}});
}

absl::StatusOr<v1::JobState> ParseState(std::string_view name) {
  std::vector<std::string> known;
  for (int i = v1::JobState_MIN + 1; i <= v1::JobState_MAX; ++i) {
    if (!v1::JobState_IsValid(i)) continue;
    const auto state = static_cast<v1::JobState>(i);
    known.push_back(StateName(state));
    if (known.back() == name) return state;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no state '", Printable(name), "'", AmongKnown(name, known)));
}

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_SUCCEEDED || state == v1::JOB_FAILED ||
         state == v1::JOB_CANCELLED || state == v1::JOB_TIMED_OUT;
}

Style StateStyle(v1::JobState state) {
  switch (state) {
    case v1::JOB_RUNNING:
    case v1::JOB_SUCCEEDED:
      return Style::kGreen;
    case v1::JOB_FAILED:
    case v1::JOB_TIMED_OUT:
      return Style::kRed;
    case v1::JOB_DEFERRED:
    case v1::JOB_SUSPENDED:
      return Style::kCyan;
    case v1::JOB_HELD:
    case v1::JOB_BLOCKED:
    case v1::JOB_CANCELLED:
      return Style::kYellow;
    default:
      return Style::kPlain;
  }
}

int ExitCodeOfJob(const v1::Job& job) {
  if (job.state() == v1::JOB_SUCCEEDED) return 0;
  if (job.state() == v1::JOB_TIMED_OUT) return 124;
  if (job.state() == v1::JOB_CANCELLED) return 1;
  if (job.exit_code() != 0) return job.exit_code() & 0xff;
  for (int i = job.attempts_size() - 1; i >= 0; --i) {
    const v1::Attempt& attempt = job.attempts(i);
    if (attempt.signal() > 0) return 128 + attempt.signal();
    if (attempt.exit_code() != 0) return attempt.exit_code() & 0xff;
  }
  return 1;
}

std::string ShortTime(bool given, const google::protobuf::Timestamp& time,
                      bool seconds) {
  if (!given) return "-";
  return absl::FormatTime(seconds ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%MZ",
                          FromProto(time), absl::UTCTimeZone());
}

std::string EnergyText(std::optional<double> kwh) {
  if (!kwh) return "-";
  const double size = std::fabs(*kwh);
  if (size == 0) return "0 Wh";
  if (size >= 999.5) return absl::StrFormat("%.3g MWh", *kwh / 1000);
  if (size >= 0.9995) return absl::StrFormat("%.3g kWh", *kwh);
  if (size >= 0.0009995) return absl::StrFormat("%.3g Wh", *kwh * 1000);
  return absl::StrFormat("%.3g mWh", *kwh * 1e6);
}

std::string CarbonText(std::optional<double> grams) {
  return grams ? GramsText(*grams) : "-";
}

uint32_t AcceleratorsOf(const v1::JobSpec& spec) {
  if (spec.has_accelerators()) return spec.accelerators();
  const std::string& range = spec.elastic();
  uint32_t most = 1;
  if (range.empty() ||
      !absl::SimpleAtoi(range.substr(range.find(':') + 1), &most)) {
    return 1;
  }
  return most;
}

std::string CommandText(const v1::JobSpec& spec) {
  std::string text = spec.script().empty() ? "" : "script";
  for (const std::string& word : spec.command()) {
    const bool plain =
        !word.empty() &&
        word.find_first_of(" \t\"'\\$*?;&|<>") == std::string::npos;
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    plain ? word : absl::StrCat("'", word, "'"));
  }
  return text.empty() ? "-" : text;
}

Record AttemptRecordOf(const v1::Attempt& a) {
  Record r;
  r.Add("epoch", a.epoch());
  r.Add("site", a.site());
  r.Add("accelerator", a.accelerator());
  r.Add("count", a.count());
  std::vector<Record> nodes;
  for (const v1::NodeShare& share : a.nodes()) {
    Record& node = nodes.emplace_back();
    node.Add("node", share.node());
    node.Add("count", share.count());
    node.AddTime("started", share.has_started(), share.started());
  }
  r.AddRecords("nodes", nodes);
  r.AddTime("started", a.has_started(), a.started());
  r.AddTime("ended", a.has_ended(), a.ended());
  r.Add("outcome", a.outcome());
  if (a.has_use()) {
    Record use;
    use.Add("of", a.use().of());
    use.AddSeconds("step_s", true, a.use().step());
    use.AddList("eighths", a.use().levels());
    use.AddSeconds("idle_s", true, a.use().idle());
    r.AddRecord("use", use);
  }
  r.Add("exit_code", CCSCHED_OPTIONAL(a, exit_code));
  r.Add("signal", CCSCHED_OPTIONAL(a, signal));
  r.Add("energy_kwh", CCSCHED_OPTIONAL(a, energy_kwh));  // before PUE
  r.Add("site_energy_kwh", CCSCHED_OPTIONAL(a, site_energy_kwh));
  r.Add("co2e_g", CCSCHED_OPTIONAL(a, co2e_g));
  r.Add("energy_method", a.energy_method());
  r.Add("co2e_estimated", a.co2e_estimated());
  return r;
}

std::string CostText(const v1::Offer& offer) {
  return offer.has_cost() ? MoneyText(offer.cost(), offer.currency()) : "-";
}

std::string CostText(const v1::ReportRow& row) {
  std::string text;
  for (const v1::ReportCost& c : row.cost()) {
    if (!c.has_electricity() && !c.has_accelerators()) continue;
    absl::StrAppend(
        &text, text.empty() ? "" : " + ",
        MoneyText(c.electricity() + c.accelerators(), c.currency()));
  }
  return text.empty() ? "-" : text;
}

Record OfferRecordOf(const v1::Offer& o) {
  Record r;
  r.Add("site", o.site());
  r.Add("accelerator", o.accelerator());
  r.Add("count", o.count());
  r.AddTime("start", o.has_start(), o.start());
  r.AddTime("finish", o.has_finish(), o.finish());
  r.AddTime("finish_p90", o.has_finish_p90(), o.finish_p90());
  r.Add("co2e_g", CCSCHED_OPTIONAL(o, co2e_g));
  r.Add("energy_kwh",
        o.energy_kwh() > 0 ? std::optional(o.energy_kwh()) : std::nullopt);
  r.Add("cost", CCSCHED_OPTIONAL(o, cost));
  r.Add("currency", o.currency());
  r.Add("estimated", o.estimated());
  r.Add("chosen", o.chosen());
  r.Add("note", o.note());
  r.AddTime("start_p50", o.has_start_p50(), o.start_p50());
  r.AddTime("start_p90", o.has_start_p90(), o.start_p90());
  r.AddTime("finish_p50", o.has_finish_p50(), o.finish_p50());
  r.Add("price_g", o.price_g());
  r.Add("cost_g", o.has_co2e_g() ? std::optional(o.co2e_g() + o.price_g())
                                 : std::nullopt);
  return r;
}

Record ReasonRecordOf(const v1::Reason& reason) {
  Record r;
  r.Add("code", reason.code());
  r.Add("text", reason.text());
  r.Add("policy", reason.policy());
  r.AddTime("decided", reason.has_decided(), reason.decided());
  for (const auto& [name, given, offer] :
       {std::tuple("chosen", reason.has_chosen(), &reason.chosen()),
        std::tuple("now", reason.has_now(), &reason.now()),
        std::tuple("next", reason.has_next(), &reason.next())}) {
    if (given) {
      r.AddRecord(name, OfferRecordOf(*offer));
    } else {
      r.AddNull(name);
    }
  }
  r.Add("capacity_price_g", reason.capacity_price_g());
  r.Add("delay_price_g", reason.delay_price_g());
  r.Add("money_price_g", reason.money_price_g());
  return r;
}

Record JobRecordOf(const v1::Job& job) {
  const v1::JobSpec& spec = job.spec();
  Record r;
  r.Add("job_id", job.id());
  r.Add("name", spec.name());
  r.Add("user", spec.user());
  r.Add("project", spec.project());
  r.Add("state", StateName(job.state()));
  r.Add("state_note", job.state_note());
  r.Add("accelerators", AcceleratorsOf(spec));
  r.AddList("accelerator", spec.accelerator());
  r.Add("site", job.attempts().empty()
                    ? job.planned_site()
                    : job.attempts(job.attempts_size() - 1).site());
  r.AddTime("submitted", job.has_submitted(), job.submitted());
  r.AddTime("planned_start", job.has_planned_start(), job.planned_start());
  r.AddTime("started", job.has_started(), job.started());
  r.AddTime("ended", job.has_ended(), job.ended());
  r.AddTime("finish_by", job.has_finish_by(), job.finish_by());
  r.AddSeconds("runtime_s", spec.has_runtime(), spec.runtime());
  r.AddSeconds("time_limit_s", spec.has_time_limit(), spec.time_limit());
  r.AddSeconds("max_delay_s", spec.has_max_delay(), spec.max_delay());
  r.Add("priority", spec.priority());
  r.Add("exit_code", CCSCHED_OPTIONAL(job, exit_code));
  r.Add("energy_kwh", CCSCHED_OPTIONAL(job, energy_kwh));
  r.Add("co2e_g", CCSCHED_OPTIONAL(job, co2e_g));
  r.Add("baseline_co2e_g", CCSCHED_OPTIONAL(job, baseline_co2e_g));
  r.Add("baseline_site", job.baseline_site());
  r.Add("array_id",
        job.array_id() == 0 ? std::nullopt : std::optional(job.array_id()));
  r.Add("array_index", CCSCHED_OPTIONAL(job, array_index));
  r.Add("reason", job.reason().text());
  return r;
}

absl::StatusOr<uint64_t> ParseJobId(const std::string& text) {
  uint64_t id;
  if (!absl::SimpleAtoi(text, &id) || id == 0 || text[0] == '+') {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(text), "' is not a job's number"));
  }
  return id;
}

absl::StatusOr<std::vector<uint64_t>> ParseJobIds(
    const std::vector<std::string>& texts) {
  constexpr size_t kIdsMax = 100'000;
  std::vector<uint64_t> ids;
  for (const std::string& text : texts) {
    const std::vector<std::string> parts = absl::StrSplit(text, ',');
    for (const std::string& part : parts) {
      const size_t dash = part.find('-', 1);
      ASSIGN_OR_RETURN(const uint64_t first, ParseJobId(part.substr(0, dash)));
      uint64_t last = first;
      if (dash != std::string::npos) {
        ASSIGN_OR_RETURN(last, ParseJobId(part.substr(dash + 1)));
      }
      if (last < first || last - first >= kIdsMax - ids.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", Printable(part), "' must be FIRST-LAST, at most ",
                         kIdsMax, " jobs in all"));
      }
      // Counted: the last number of all has none after it.
      for (uint64_t n = 0; n <= last - first; ++n) ids.push_back(first + n);
    }
  }
  return ids;
}

}  // namespace ccsched
