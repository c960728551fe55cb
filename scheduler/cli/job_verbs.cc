// `ccsched cancel`, `hold`, `release`, `resize` and `wait`.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>

#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/wait_jobs.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

struct VerbOptions {
  std::vector<std::string> jobs;
  std::string reason;
  std::optional<int64_t> count;
};

int RunVerb(Context& context, JobVerb verb, const char* done,
            const VerbOptions& o) {
  const auto ids = ParseJobIds(o.jobs);
  if (!ids.ok()) return context.Fail(ids.status());
  v1::JobActionRequest request;
  request.mutable_job_ids()->Assign(ids->begin(), ids->end());
  request.set_reason(o.reason);
  if (verb == JobVerb::kResize) {
    if (!o.count || *o.count < 1 || *o.count > UINT32_MAX) {
      return context.Fail(absl::InvalidArgumentError(
          "--accelerators: a number, 1 or more, is needed"));
    }
    request.set_count(static_cast<uint32_t>(*o.count));
  }
  const auto response = context.client().Act(verb, request);
  if (!response.ok()) return context.Fail(response.status());
  int code = kExitDone;
  for (const v1::JobActionResult& result : response->results()) {
    if (result.done()) {
      context.out << "Job " << result.job_id() << " " << done << "\n";
    } else {
      context.err << "ccsched: " << Printable(result.message(), 1000) << "\n";
      code = std::max<int>(code, result.unknown() ? kExitWrong : kExitFailed);
    }
  }
  return code;
}

int RunWait(Context& context, const std::vector<std::string>& jobs) {
  const auto ids = ParseJobIds(jobs);
  if (!ids.ok()) return context.Fail(ids.status());
  const auto ended = WaitForJobs(context, *ids);
  if (!ended.ok()) return context.Fail(ended.status());
  for (const auto& [id, job] : *ended) {
    context.out << "Job " << id << " " << StateName(job.state()) << "\n";
  }
  return ExitCodeOfJobs(*ended);
}

}  // namespace

void AddJobVerbs(Command& root, Context& context) {
  struct Verb {
    JobVerb verb;
    const char *name, *about, *done, *examples;
  };
  static constexpr Verb kVerbs[] = {
      {JobVerb::kCancel, "cancel", "cancel jobs; running ones are stopped",
       "is cancelled", "  ccsched cancel 12\n  ccsched cancel 12 14-16"},
      {JobVerb::kHold, "hold", "hold jobs that have not started", "is held",
       "  ccsched hold 12"},
      {JobVerb::kRelease, "release", "let held jobs go on", "is released",
       "  ccsched release 12"},
      {JobVerb::kResize, "resize",
       "give running elastic jobs another number of accelerators",
       "is asked to resize",
       "  ccsched resize 12 --accelerators 8\n"
       "\nThe job saves its state (as it does to be suspended) and starts "
       "anew at that\nwidth, or as near to it as there is room. If it does "
       "not answer within its\ngrace period, it goes on as it is."},
  };
  for (const Verb& verb : kVerbs) {
    auto o = std::make_shared<VerbOptions>();
    Command& c = root.Sub(verb.name, verb.about, verb.examples);
    c.Arguments("JOB", &o->jobs, true, "numbers, or ranges FIRST-LAST");
    if (verb.verb == JobVerb::kCancel) {
      c.Text("--reason", "TEXT", &o->reason, "why; it is kept with the job");
    }
    if (verb.verb == JobVerb::kResize) {
      c.Number("--accelerators", "N", &o->count, "how many, in all");
    }
    c.OnRun([o, &context, &verb] {
      return RunVerb(context, verb.verb, verb.done, *o);
    });
  }
}

void AddWait(Command& root, Context& context) {
  auto jobs = std::make_shared<std::vector<std::string>>();
  Command& c = root.Sub("wait", "wait for jobs to end; exit as they do",
                        "  ccsched wait 12 && echo trained\n"
                        "\nExits as the first of them, by number, that did "
                        "not succeed: its own exit\ncode, 128 + the signal "
                        "that ended it, 124 if it timed out, 1 if cancelled.");
  c.Arguments("JOB", jobs.get(), true, "numbers, or ranges FIRST-LAST");
  c.OnRun([jobs, &context] { return RunWait(context, *jobs); });
}

}  // namespace ccsched
