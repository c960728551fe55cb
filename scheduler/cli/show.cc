// `ccsched show`: all that is recorded of a job.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/cli/chart.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

// Its user is told from here on.
constexpr absl::Duration kIdleLong = absl::Minutes(30);

struct ShowOptions {
  std::string job;
  std::string format = "table";
  bool history = false;
};

class Lines {
 public:
  explicit Lines(Context& context) : context_(context) {}
  void Add(const char* name, const std::string& value,
           Style style = Style::kPlain) {
    if (value.empty() || value == "-") return;
    context_.out << absl::StrFormat("%-14s ", name)
                 << Styled(Printable(value, 4000), style, context_.out_colour)
                 << "\n";
  }

 private:
  Context& context_;
};

std::string Asked(const v1::JobSpec& spec) {
  std::string text = absl::StrCat(
      AcceleratorsOf(spec), " ",
      spec.accelerator().empty() ? "of any type"
                                 : absl::StrJoin(spec.accelerator(), " or "));
  if (spec.has_nodes()) absl::StrAppend(&text, " on ", spec.nodes(), " nodes");
  if (!spec.elastic().empty()) {
    absl::StrAppend(&text, ", elastic ", spec.elastic());
    const char* before = " with speeds ";
    for (const v1::SpeedupPoint& p : spec.speedup()) {
      absl::StrAppend(&text, before, p.width(), "=", p.speed());
      before = ",";
    }
  }
  if (!spec.site().empty()) {
    absl::StrAppend(&text, ", at ", absl::StrJoin(spec.site(), " or "));
  }
  if (!spec.region().empty()) {
    absl::StrAppend(&text, ", on the grid of ",
                    absl::StrJoin(spec.region(), " or "));
  }
  return text;
}

std::string DurationText(bool given, const google::protobuf::Duration& d) {
  return given ? ShortDuration(FromProto(d)) : "";
}

std::string Predicted(bool given, const google::protobuf::Timestamp& p50,
                      const google::protobuf::Timestamp& p90) {
  if (!given) return "";
  return absl::StrCat("by ", ShortTime(true, p50), " (P50), by ",
                      ShortTime(true, p90), " (P90)");
}

std::string Saved(const v1::Job& job) {
  if (!job.has_baseline_co2e_g()) return "";
  std::string text = absl::StrCat(CarbonText(job.baseline_co2e_g()),
                                  " at once at ", job.baseline_site());
  if (job.has_co2e_g() && job.baseline_co2e_g() > 0) {
    absl::StrAppendFormat(&text, " (this job: %+.1f %%)",
                          (job.co2e_g() / job.baseline_co2e_g() - 1) * 100);
  }
  return text;
}

// Of the last attempt: how busy, and a word where its accelerators have done
// nothing for long.
void AddUse(const v1::Job& job, Lines& lines) {
  if (job.attempts_size() == 0) return;
  const v1::Attempt& last = job.attempts(job.attempts_size() - 1);
  if (!last.has_use()) return;
  std::vector<double> eighths;
  for (const uint32_t level : last.use().levels()) {
    eighths.push_back(level > 8 ? std::nan("") : level);
  }
  lines.Add(
      "use",
      absl::StrCat(LevelLine(eighths, 8), "  of its ", last.use().of(), ", ",
                   ShortDuration(FromProto(last.use().step())), " each"));
  const absl::Duration idle = FromProto(last.use().idle());
  if (!last.has_ended() && last.use().of() == "accelerators" &&
      idle >= kIdleLong) {
    lines.Add("idle",
              absl::StrCat("its accelerators have done nothing for ",
                           ShortDuration(idle)),
              Style::kYellow);
  }
}

std::string ActText(const v1::Act& act) {
  return absl::StrCat(ShortTime(true, act.at(), true), ": ", act.what(), " by ",
                      act.by(), act.detail().empty() ? "" : ": ", act.detail());
}

void PrintAttempts(const v1::Job& job, Context& context) {
  if (job.attempts_size() == 0) return;
  context.out << "\n";
  Table table({{"ATTEMPT", Align::kRight},
               {"SITE"},
               {"ACCELERATORS", Align::kLeft, 3},
               {"NODES", Align::kLeft, 4},
               {"STARTED", Align::kLeft, 0, Excess::kKeep},
               {"ENDED", Align::kLeft, 1, Excess::kKeep},
               {"OUTCOME"},
               {"IT ENERGY", Align::kRight, 2},
               {"CO2E", Align::kRight},
               {"METER", Align::kLeft, 5}});
  for (const v1::Attempt& a : job.attempts()) {
    std::vector<std::string> nodes;
    for (const v1::NodeShare& share : a.nodes()) nodes.push_back(share.node());
    std::string outcome = a.outcome().empty() ? "running" : a.outcome();
    if (a.exit_code() != 0) absl::StrAppend(&outcome, " ", a.exit_code());
    if (a.signal() > 0) absl::StrAppend(&outcome, ", signal ", a.signal());
    table.Add({std::to_string(a.epoch()), a.site(),
               absl::StrCat(a.count(), " ", a.accelerator()),
               absl::StrJoin(nodes, ","),
               ShortTime(a.has_started(), a.started(), true),
               ShortTime(a.has_ended(), a.ended(), true), outcome,
               EnergyText(CCSCHED_OPTIONAL(a, energy_kwh)),
               CarbonText(CCSCHED_OPTIONAL(a, co2e_g)),
               // One that was refused used nothing, and nothing measured it.
               a.energy_kwh() > 0
                   ? absl::StrCat(a.energy_method(),
                                  a.co2e_estimated() ? ", grid estimated" : "")
                   : "-"});
  }
  ShowTable(table, context);
}

// When it starts and ends, as predicted with the last decision about it.
void AddPrediction(const v1::Job& job, Lines& lines) {
  if (!job.reason().has_chosen() || HasEnded(job.state())) return;
  const v1::Offer& chosen = job.reason().chosen();
  if (!job.has_started()) {
    lines.Add("starts", Predicted(chosen.has_start_p50(), chosen.start_p50(),
                                  chosen.start_p90()));
  }
  lines.Add("finishes", Predicted(chosen.has_finish_p50(), chosen.finish_p50(),
                                  chosen.finish_p90()));
}

void PrintJob(const v1::Job& job, Context& context) {
  const v1::JobSpec& spec = job.spec();
  Lines lines(context);
  lines.Add("job", std::to_string(job.id()), Style::kBold);
  lines.Add("name", spec.name());
  lines.Add(
      "state",
      absl::StrCat(StateName(job.state()), job.state_note().empty() ? "" : ": ",
                   job.state_note()),
      StateStyle(job.state()));
  if (job.has_exit_code())
    lines.Add("exit code", std::to_string(job.exit_code()));
  lines.Add("user", spec.user());
  lines.Add("project", spec.project());
  lines.Add("command", CommandText(spec));
  lines.Add("workdir", spec.workdir());
  lines.Add("image", spec.image());
  lines.Add("accelerators", Asked(spec));
  if (job.array_id() != 0) {
    lines.Add("array", absl::StrCat("index ", job.array_index(), " of array ",
                                    job.array_id()));
  }
  lines.Add("after", absl::StrJoin(spec.after(), ", "));
  lines.Add("submitted", ShortTime(job.has_submitted(), job.submitted(), true));
  lines.Add("planned", job.has_planned_start()
                           ? absl::StrCat(ShortTime(true, job.planned_start()),
                                          " at ", job.planned_site())
                           : "");
  lines.Add("started", ShortTime(job.has_started(), job.started(), true));
  lines.Add("ended", ShortTime(job.has_ended(), job.ended(), true));
  lines.Add("finish by", ShortTime(job.has_finish_by(), job.finish_by()));
  lines.Add("max delay", DurationText(spec.has_max_delay(), spec.max_delay()));
  lines.Add("runtime", DurationText(spec.has_runtime(), spec.runtime()));
  lines.Add("time limit",
            DurationText(spec.has_time_limit(), spec.time_limit()));
  if (spec.suspendable()) lines.Add("suspendable", "yes");
  if (spec.priority() != 0)
    lines.Add("priority", std::to_string(spec.priority()));
  lines.Add("key", spec.key());
  lines.Add("energy", job.has_energy_kwh()
                          ? absl::StrCat(EnergyText(job.energy_kwh()),
                                         ", the site's overhead included")
                          : EnergyText(std::nullopt));
  lines.Add("CO2e", CarbonText(CCSCHED_OPTIONAL(job, co2e_g)));
  lines.Add("baseline", Saved(job));
  AddUse(job, lines);
  AddPrediction(job, lines);
  lines.Add("why", job.reason().text());
  for (const v1::Act& act : job.acts()) lines.Add("act", ActText(act));
  PrintAttempts(job, context);
}

// Stretch by stretch; what was restated stands, dimmed, before what took its
// place.
void PrintHistory(const v1::Job& job, Context& context) {
  context.out << "\n";
  Table table({{"ATTEMPT", Align::kRight},
               {"FROM", Align::kLeft, 0, Excess::kKeep},
               {"TO", Align::kLeft, 2, Excess::kKeep},
               {"SITE", Align::kLeft, 4},
               {"ENERGY", Align::kRight},
               {"gCO2e/kWh", Align::kRight, 1},
               {"CO2E", Align::kRight},
               {"METER", Align::kLeft, 7},
               {"DATA", Align::kLeft, 5},
               {"RECORDED", Align::kLeft, 6, Excess::kKeep},
               {"REPLACED", Align::kLeft, 3, Excess::kKeep}});
  for (const v1::EmissionSlice& s : job.emissions()) {
    const Style style = s.has_superseded_at() ? Style::kDim : Style::kPlain;
    table.Add(
        {{std::to_string(s.epoch()), style},
         {ShortTime(true, s.start(), true), style},
         {ShortTime(true, s.end(), true), style},
         {s.site(), style},
         {EnergyText(CCSCHED_OPTIONAL(s, energy_kwh)), style},
         {s.has_intensity() ? absl::StrFormat("%.1f", s.intensity()) : "-",
          style},
         {CarbonText(CCSCHED_OPTIONAL(s, co2e_g)), style},
         {s.energy_method(), style},
         {s.data_version(), style},
         {ShortTime(true, s.recorded(), true), style},
         {ShortTime(s.has_superseded_at(), s.superseded_at(), true), style}});
  }
  ShowTable(table, context);
}

Record SliceRecordOf(const v1::EmissionSlice& s) {
  Record r;
  r.Add("attempt", s.epoch());
  r.AddTime("start", true, s.start());
  r.AddTime("end", true, s.end());
  r.Add("site", s.site());
  r.Add("region", s.region());
  r.Add("energy_kwh", CCSCHED_OPTIONAL(s, energy_kwh));
  r.Add("energy_method", s.energy_method());
  r.Add("pue", s.pue());
  r.Add("intensity_g_per_kwh", CCSCHED_OPTIONAL(s, intensity));
  r.Add("intensity_estimated", s.estimated());
  r.Add("co2e_g", CCSCHED_OPTIONAL(s, co2e_g));
  r.Add("cfe_share", CCSCHED_OPTIONAL(s, cfe_share));
  r.Add("marginal_g_per_kwh", CCSCHED_OPTIONAL(s, marginal));
  r.Add("embodied_co2e_g", CCSCHED_OPTIONAL(s, embodied_co2e_g));
  r.Add("data_version", s.data_version());
  r.Add("revision", s.revision());
  r.AddTime("recorded", true, s.recorded());
  r.AddTime("superseded_at", s.has_superseded_at(), s.superseded_at());
  return r;
}

Record ActRecordOf(const v1::Act& act) {
  Record r;
  r.AddTime("at", true, act.at());
  r.Add("by", act.by());
  r.Add("act", act.what());
  r.Add("detail", act.detail());
  return r;
}

int RunShow(Context& context, const ShowOptions& o) {
  const auto id = ParseJobId(o.job);
  if (!id.ok()) return context.Fail(id.status());
  const auto job = context.client().Get(*id, o.history);
  if (!job.ok()) return context.Fail(job.status());
  if (o.format == "table") {
    PrintJob(*job, context);
    if (o.history) PrintHistory(*job, context);
    return kExitDone;
  }
  if (o.history && o.format == "csv") {
    std::vector<Record> slices;
    for (const v1::EmissionSlice& s : job->emissions()) {
      slices.push_back(SliceRecordOf(s));
    }
    PrintCsv(context, SliceRecordOf({}), slices);
    return kExitDone;
  }
  Record record = JobRecordOf(*job);
  if (o.format == "csv") {
    PrintCsv(context, record, {record});
    return kExitDone;
  }
  record.Add("script", !job->spec().script().empty());
  record.AddList("command", job->spec().command());
  record.Add("workdir", job->spec().workdir());
  record.Add("image", job->spec().image());
  record.Add("suspendable", job->spec().suspendable());
  record.AddList("after", job->spec().after());
  record.Add("key", job->spec().key());
  std::vector<Record> attempts;
  for (const v1::Attempt& attempt : job->attempts()) {
    attempts.push_back(AttemptRecordOf(attempt));
  }
  record.AddRecords("attempts", attempts);
  std::vector<Record> acts;
  for (const v1::Act& act : job->acts()) acts.push_back(ActRecordOf(act));
  record.AddRecords("acts", acts);
  if (o.history) {
    std::vector<Record> slices;
    for (const v1::EmissionSlice& s : job->emissions()) {
      slices.push_back(SliceRecordOf(s));
    }
    record.AddRecords("emissions", slices);
  }
  record.AddRecord("decision", ReasonRecordOf(job->reason()));
  PrintJson(context.out, "job", record);
  return kExitDone;
}

}  // namespace

void AddShow(Command& root, Context& context) {
  auto o = std::make_shared<ShowOptions>();
  Command& c = root.Sub("show", "show a job with its attempts",
                        "  ccsched show 12\n  ccsched show 12 -o json\n"
                        "  ccsched show 12 --history");
  c.Argument("JOB", &o->job, true, "the job's number");
  c.Flag("--history", &o->history,
         "its energy and CO2e hour by hour, with what was restated");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunShow(context, *o); });
}

}  // namespace ccsched
