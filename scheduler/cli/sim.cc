// `ccsched sim run|sweep|replay|gen`: options for sim/command.h.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/interrupt.h"
#include "scheduler/cli/output.h"
#include "sim/command.h"

namespace ccsched {
namespace {

int Finish(Context& context, const absl::StatusOr<int>& code) {
  if (code.ok()) return *code;
  // What a scenario asks for wrongly is a wrong request, whatever its code.
  context.Fail(code.status());
  return kExitWrong;
}

// Whole numbers that CLI11 gives as optional<int64_t>.
struct Numbers {
  std::optional<int64_t> seed, threads, windows, window_step_days, jobs;
};

absl::Status Set(const char* option, const std::optional<int64_t>& from,
                 int64_t min, int64_t max, auto* to) {
  if (!from) return absl::OkStatus();
  if (*from < min || *from > max) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": ", *from, " is not between ", min, " and ", max));
  }
  *to = static_cast<std::remove_pointer_t<decltype(to)>>(*from);
  return absl::OkStatus();
}

absl::Status SetCommon(const Numbers& n, auto* o) {
  absl::Status status = Set("--seed", n.seed, 0, INT64_MAX, &o->seed);
  if (status.ok()) {
    status = Set("--threads", n.threads, 0, 1024, &o->threads);
  }
  return status;
}

void AddRun(Command& sim, Context& context) {
  auto o = std::make_shared<SimRunOptions>();
  auto n = std::make_shared<Numbers>();
  Command& c = sim.Sub(
      "run", "play a scenario through the scheduler's own engine",
      "  ccsched sim run month.yaml --policy fcfs --policy planner\n"
      "  ccsched sim run month.yaml --set jobs.defaults.max_delay=48h -o json\n"
      "  ccsched sim run month.yaml --bound --schedule-dir out/\n"
      "\nPolicies: a name or label of the scenario, or any policy with "
      "parameters:\nplanner:settle_h=2,improve_rounds=50.");
  c.Argument("SCENARIO", &o->scenario, true, "a scenario.yaml");
  c.Repeated("-p,--policy", "POLICY", &o->policies,
             "this policy; repeat for more (default: the scenario's)");
  c.Repeated("--set", "PATH=VALUE", &o->set,
             "change a value of the scenario; repeat for more, a later one "
             "goes over an earlier one");
  c.Number("--seed", "N", &n->seed, "of whatever is random (1)");
  c.Number("--threads", "N", &n->threads, "policies at once (one a core)");
  c.Flag("--bound", &o->bound,
         "also a certified lower bound on any schedule's CO2e");
  c.Text("--schedule-dir", "DIR", &o->schedule_dir,
         "write DIR/POLICY.csv, a row for each stretch of running");
  c.Text("--report", "FILE.html", &o->report, "write a report to look at");
  c.Flag("--skip-bad-rows", &o->skip_bad_rows,
         "count unreadable rows of the trace instead of refusing it, and "
         "take jobs of one id for so many");
  auto no_timing = std::make_shared<bool>(false);
  c.Flag("--no-timing", no_timing.get(),
         "leave CPU times out, so that equal runs print equal bytes");
  AddFormat(c, &o->output);
  c.OnRun([=, &context] {
    if (absl::Status s = SetCommon(*n, o.get()); !s.ok()) {
      return context.Fail(s);
    }
    o->timing = !*no_timing;
    o->progress = context.err_terminal;
    if (context.out_terminal) o->width = context.out_width;
    Interrupt interrupt(context);
    o->on_interrupt = interrupt.taker();
    return Finish(context, RunSimCommand(*o, context.out, context.err));
  });
}

void AddSweep(Command& sim, Context& context) {
  auto o = std::make_shared<SimSweepOptions>();
  auto n = std::make_shared<Numbers>();
  Command& c = sim.Sub(
      "sweep", "play a scenario in many variants",
      "  ccsched sim sweep month.yaml --vary jobs.defaults.max_delay=6h,24h "
      "\\\n"
      "      --vary sites.0.pue=1.1,1.3 --policy planner --state sweep.json\n"
      "  ccsched sim sweep month.yaml --policy planner \\\n"
      "      --vary policy.haste=0,0.004 --vary policy.wait_g_per_h=0,5");
  c.Argument("SCENARIO", &o->scenario, true, "a scenario.yaml");
  c.Repeated("-p,--policy", "POLICY", &o->policies, "repeat for more");
  c.Repeated("--vary", "PATH=V1,V2", &o->vary,
             "a value of the scenario, or policy.NAME for a policy's "
             "parameter; every combination is run; repeat for more");
  c.Repeated("--set", "PATH=VALUE", &o->set, "the same for all runs");
  c.Number("--windows", "N", &n->windows,
           "also from later starts, for confidence intervals (1)");
  c.Number("--window-step-days", "N", &n->window_step_days,
           "each so many days after the one before (7)");
  c.Number("--seed", "N", &n->seed, "of whatever is random (1)");
  c.Number("--threads", "N", &n->threads, "runs at once (one a core)");
  c.Flag("--bound", &o->bound, "also a certified lower bound");
  c.Text("--state", "FILE", &o->state,
         "keep finished runs there and take them up again");
  c.Flag("--skip-bad-rows", &o->skip_bad_rows, "as sim run does");
  AddFormat(c, &o->output);
  c.OnRun([=, &context] {
    absl::Status s = SetCommon(*n, o.get());
    if (s.ok()) s = Set("--windows", n->windows, 1, 10'000, &o->windows);
    if (s.ok()) {
      s = Set("--window-step-days", n->window_step_days, 1, 3660,
              &o->window_step_days);
    }
    if (!s.ok()) return context.Fail(s);
    o->progress = context.err_terminal;
    if (context.out_terminal) o->width = context.out_width;
    Interrupt interrupt(context);
    o->on_interrupt = interrupt.taker();
    return Finish(context, RunSimSweepCommand(*o, context.out, context.err));
  });
}

void AddReplay(Command& sim, Context& context) {
  auto o = std::make_shared<SimReplayOptions>();
  Command& c =
      sim.Sub("replay", "play what a scheduler recorded once more",
              "  ccsched sim replay /var/lib/ccsched\n"
              "  ccsched sim replay /var/lib/ccsched -p planner -p fcfs\n"
              "\nWithout a policy: do the recorded decisions come out again? "
              "The first\ndifference is printed, and the exit status is 1. "
              "With policies: what each\nwould have emitted and how long jobs "
              "would have waited, beside what\nhappened.");
  c.Argument("STATE_DIR", &o->state_dir, true,
             "a scheduler's folder, with its ledger.db");
  c.Repeated("-p,--policy", "POLICY", &o->policies,
             "what this one would have done; repeat for more");
  AddFormat(c, &o->output);
  c.OnRun([=, &context] {
    if (context.out_terminal) o->width = context.out_width;
    return Finish(context, RunSimReplayCommand(*o, context.out, context.err));
  });
}

void AddGen(Command& sim, Context& context) {
  auto o = std::make_shared<SimGenOptions>();
  auto n = std::make_shared<Numbers>();
  auto days = std::make_shared<std::optional<double>>();
  Command& c = sim.Sub("gen", "generate a synthetic trace of jobs or of a grid",
                       "  ccsched sim gen jobs --profile philly --jobs 5000 "
                       "--file jobs.csv\n"
                       "  ccsched sim gen grid --profile solar --days 28");
  c.Argument("KIND", &o->kind, true, "jobs or grid");
  c.Text("--profile", "NAME", &o->profile, "philly, pai; solar, wind, nuclear");
  c.Number("--jobs", "N", &n->jobs, "how many (10000)");
  c.Real("--days", "N", days.get(), "over how many days (28)");
  c.Text("--start", "TIME", &o->start, "from when on (RFC 3339)");
  c.Number("--seed", "N", &n->seed, "of whatever is random (1)");
  c.Text("--file", "FILE", &o->file, "write it there");
  c.OnRun([=, &context] {
    absl::Status s = Set("--seed", n->seed, 0, INT64_MAX, &o->seed);
    if (s.ok()) s = Set("--jobs", n->jobs, 1, 100'000'000, &o->jobs);
    if (!s.ok()) return context.Fail(s);
    if (*days) o->days = **days;
    Interrupt interrupt(context);
    o->on_interrupt = interrupt.taker();
    return Finish(context, RunSimGenCommand(*o, context.out, context.err));
  });
}

}  // namespace

void AddSim(Command& root, Context& context) {
  Command& sim = root.Sub("sim", "what if: simulate scenarios and policies");
  AddRun(sim, context);
  AddSweep(sim, context);
  AddReplay(sim, context);
  AddGen(sim, context);
}

}  // namespace ccsched
