// `ccsched queue`: lists jobs.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/client.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

struct QueueOptions {
  bool all = false, watch = false;
  std::vector<std::string> states;
  std::string user, project;
  std::optional<int64_t> limit;
  std::string format = "table";
};

constexpr char kClearScreen[] = "\x1b[H\x1b[2J";
constexpr absl::Duration kWatchEvery = absl::Seconds(2);

std::string Where(const v1::Job& job) {
  if (job.attempts_size() > 0 && job.state() >= v1::JOB_STARTING) {
    return job.attempts(job.attempts_size() - 1).site();
  }
  if (!job.planned_site().empty()) return "(" + job.planned_site() + ")";
  return "-";
}

// When it starts, did start, or ended.
std::string When(const v1::Job& job) {
  if (HasEnded(job.state())) return ShortTime(job.has_ended(), job.ended());
  if (job.has_started() && job.state() >= v1::JOB_STARTING) {
    return ShortTime(true, job.started());
  }
  return job.has_planned_start()
             ? "(" + ShortTime(true, job.planned_start()) + ")"
             : "-";
}

std::string What(const v1::Job& job) {
  const auto& types = job.spec().accelerator();
  const bool placed = job.attempts_size() > 0;
  const std::string type =
      placed          ? job.attempts(job.attempts_size() - 1).accelerator()
      : types.empty() ? ""
                      : types[0] + (types.size() > 1 ? ",…" : "");
  // An elastic one may have got another number than it asked for.
  const uint32_t count = placed && job.state() >= v1::JOB_STARTING
                             ? job.attempts(job.attempts_size() - 1).count()
                             : AcceleratorsOf(job.spec());
  return absl::StrCat(count, type.empty() ? "" : " ", type);
}

void PrintTable(const std::vector<v1::Job>& jobs, Context& context) {
  Table table({{"JOB", Align::kRight},
               {"NAME"},
               {"USER", Align::kLeft, 3},
               {"STATE"},
               {"ACCELERATORS", Align::kLeft, 4},
               {"SITE"},
               {"START/END"},
               {"CO2E", Align::kRight, 2},
               {"WHY", Align::kLeft, 1}});
  for (const v1::Job& job : jobs) {
    table.Add(
        {std::to_string(job.id()),
         job.spec().name(),
         job.spec().user(),
         {StateName(job.state()), StateStyle(job.state())},
         What(job),
         Where(job),
         When(job),
         CarbonText(CCSCHED_OPTIONAL(job, co2e_g)),
         {job.state_note().empty() ? job.reason().code() : job.state_note(),
          Style::kDim}});
  }
  ShowTable(table, context);
}

// The oldest first; of more than `limit` the newest.
absl::StatusOr<std::vector<v1::Job>> ListJobs(Context& context,
                                              v1::ListJobsRequest request,
                                              size_t limit) {
  request.set_newest_first(true);
  request.set_page_size(std::min<size_t>(limit, 1000));
  std::vector<v1::Job> jobs;
  do {
    ASSIGN_OR_RETURN(const v1::ListJobsResponse page,
                     context.client().List(request));
    jobs.insert(jobs.end(), page.jobs().begin(), page.jobs().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && jobs.size() < limit);
  if (jobs.size() > limit) jobs.resize(limit);
  // An older scheduler begins with the oldest all the same.
  std::sort(jobs.begin(), jobs.end(),
            [](const v1::Job& a, const v1::Job& b) { return a.id() < b.id(); });
  return jobs;
}

void Print(const std::vector<v1::Job>& jobs, const std::string& format,
           Context& context) {
  if (format == "table") return PrintTable(jobs, context);
  std::vector<Record> records;
  records.reserve(jobs.size());
  for (const v1::Job& job : jobs) records.push_back(JobRecordOf(job));
  if (format == "csv") {
    PrintCsv(context, JobRecordOf(v1::Job()), records);
  } else {
    PrintJson(context.out, "jobs", {}, "jobs", records);
  }
}

int RunQueue(Context& context, const QueueOptions& o) {
  v1::ListJobsRequest request;
  for (const std::string& name : o.states) {
    const auto state = ParseState(name);
    if (!state.ok()) return context.Fail(state.status());
    request.add_states(*state);
  }
  if (o.limit && *o.limit < 1) return context.Wrong("--limit must be above 0");
  request.set_all(o.all);
  request.set_user(o.user);
  request.set_project(o.project);
  absl::Duration lost = absl::InfiniteDuration();  // it never was there
  for (;;) {
    const auto jobs = ListJobs(context, request, o.limit.value_or(1'000'000));
    if (jobs.ok()) {
      lost = absl::ZeroDuration();
      if (o.watch && context.out_terminal) context.out << kClearScreen;
      Print(*jobs, o.format, context);
      context.out.flush();
      if (!o.watch || !context.out.good()) return kExitDone;
    } else if (ExitCodeOf(jobs.status()) != kExitUnreachable ||
               lost >= kLostPatience || !o.watch) {
      return context.Fail(jobs.status());
    } else {
      if (lost == absl::ZeroDuration()) {
        context.Say(
            absl::StrCat("ccsched: lost the scheduler; trying again for ",
                         absl::FormatDuration(kLostPatience)));
      }
      lost += kWatchEvery;
    }
    context.sleep(kWatchEvery);
  }
}

}  // namespace

void AddQueue(Command& root, Context& context) {
  auto o = std::make_shared<QueueOptions>();
  Command& c = root.Sub("queue", "list jobs that have not ended, or all",
                        "  ccsched queue\n"
                        "  ccsched queue --all --user ada -o json\n"
                        "  ccsched queue --state deferred,running\n"
                        "  ccsched queue --all --limit 20   # the last ones\n"
                        "  ccsched queue --watch\n"
                        "\nSITE and START in brackets are planned.");
  c.Flag("-a,--all", &o->all, "ended ones too");
  c.List("-s,--state", "STATE[,STATE]", &o->states,
         "in these states: held, blocked, queued, deferred, running, …");
  c.Text("-u,--user", "USER", &o->user, "of this user");
  c.Text("--project", "NAME", &o->project, "of this project");
  c.Number("-n,--limit", "N", &o->limit, "at most so many: the newest");
  c.Flag("-w,--watch", &o->watch, "again every two seconds, until interrupted");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunQueue(context, *o); });
}

}  // namespace ccsched
