// `ccsched sim sweep`.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "policies/registry.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"
#include "sim/command.h"
#include "sim/run_all.h"
#include "sim/scenario.h"
#include "sim/sweep.h"
#include "sim/sweep_state.h"
#include "sim/thread_pool.h"
#include "sim/trace.h"
#include "sim/unused_settings.h"
#include "sim/workload.h"

namespace ccsched {
namespace {

using Json = nlohmann::ordered_json;
constexpr char kParameter[] = "policy.";

// What can be told of one variant in one window.
struct Task {
  Variant variant;
  int window = 0;
  std::string key;
  std::vector<SweepPoint> points;
  std::vector<std::string> files;  // that it read
  absl::Status status;
  bool done = false;
};

SweepPoint PointOf(const SimResult& r) {
  SweepPoint p;
  p.policy = r.policy;
  p.co2e_g = r.co2e.value();
  p.idle_co2e_g = r.idle_co2e.value();
  p.energy_kwh = r.energy.value();
  p.wait_mean_s = absl::ToDoubleSeconds(r.wait_mean);
  p.wait_p95_s = absl::ToDoubleSeconds(r.wait_p95);
  p.slowdown = r.bounded_slowdown_mean;
  p.late = static_cast<double>(r.promises_broken);
  p.unfinished = static_cast<double>(r.unfinished);
  p.suspensions = static_cast<double>(r.suspensions);
  p.saved_vs_fcfs = r.saved_vs_fcfs.value_or(std::nan(""));
  p.gap = r.bound && r.unfinished == 0 ? r.co2e / *r.bound - 1 : std::nan("");
  p.cost = std::nan("");
  if (r.costs.size() == 1) {
    const CostFigures& c = r.costs.front();
    p.currency = c.currency;
    p.cost = c.total().value();
  }
  return p;
}

class Sweep {
 public:
  Sweep(const SimSweepOptions& options, std::ostream& err)
      : options_(options), err_(err) {}

  absl::StatusOr<std::vector<SweepRow>> Run() {
    ASSIGN_OR_RETURN(const std::vector<Variant> variants,
                     Combine(options_.vary));
    if (options_.windows < 1 || options_.window_step_days < 1) {
      return absl::InvalidArgumentError("at least one window and day");
    }
    // Tells of what is wrong in the scenario before the work begins.
    ASSIGN_OR_RETURN(base_, Load({}, 0));
    ASSIGN_OR_RETURN(const Scenario first, Load(variants.front(), 0));
    for (int w = 1; w < options_.windows; ++w) {
      RETURN_IF_ERROR(Load(variants.front(), w).status());
    }
    RETURN_IF_ERROR(SayUnused(first, variants));
    // What was run of an earlier text of the scenario is not taken up.
    ASSIGN_OR_RETURN(digest_, DigestOf(options_.scenario));
    for (const Variant& variant : variants) {
      for (int w = 0; w < options_.windows; ++w) {
        tasks_.push_back({.variant = variant, .window = w});
        tasks_.back().key = Key(variant, w);
      }
    }
    RETURN_IF_ERROR(TakeUp());
    std::vector<Task*> open;
    for (Task& task : tasks_) {
      if (!task.done) open.push_back(&task);
    }
    finished_ = tasks_.size() - open.size();
    const LastWords last_words(options_.on_interrupt,
                               [this] { return WhatIsKept(); });
    Progress();
    // With few variants, the policies of each share the cores too.
    const bool inner = open.size() == 1;
    RunInParallel(open.size(), inner ? 1 : options_.threads, [&](size_t i) {
      {
        // The sweep fails with the first error: nothing more is begun.
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failed_) return;
      }
      Play(*open[i], inner ? options_.threads : 1);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (open[i]->status.ok()) {
        open[i]->status =
            state_.Save(open[i]->key, open[i]->files, open[i]->points);
        ++finished_;
      }
      failed_ |= !open[i]->status.ok();
      Progress();
    });
    if (options_.progress) err_ << "\r\033[K" << std::flush;
    for (const Task& task : tasks_) RETURN_IF_ERROR(task.status);
    return Rows(variants);
  }

  const std::string& scenario_name() const { return base_.name; }

 private:
  std::string Key(const Variant& variant, int window) const {
    Json key;
    key["scenario"] = options_.scenario;
    key["version"] = CCSCHED_VERSION;
    key["digest"] = digest_;
    key["policies"] = options_.policies;
    key["set"] = options_.set;
    key["variant"] = variant;
    key["window"] = window;
    key["step_days"] = options_.window_step_days;
    key["seed"] = options_.seed;
    key["bound"] = options_.bound;
    return key.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  absl::StatusOr<Scenario> Load(const Variant& variant, int window) const {
    ScenarioOptions load{.set = options_.set,
                         .policies = options_.policies,
                         .seed = options_.seed};
    std::vector<std::pair<std::string, double>> parameters;
    for (const auto& [path, value] : variant) {
      if (path.rfind(kParameter, 0) != 0) {
        load.vary.push_back(absl::StrCat(path, "=", value));
        continue;
      }
      char* end = nullptr;
      const double number = std::strtod(value.c_str(), &end);
      if (value.empty() || *end != '\0') {
        return absl::InvalidArgumentError(
            absl::StrCat("--vary ", path, ": \"", value, "\" is no number"));
      }
      parameters.emplace_back(path.substr(sizeof(kParameter) - 1), number);
    }
    if (window > 0) Shift(window, load.vary);
    ASSIGN_OR_RETURN(Scenario scenario, LoadScenario(options_.scenario, load));
    for (const auto& [name, value] : parameters) {
      RETURN_IF_ERROR(SetParameter(name, value, scenario));
    }
    return scenario;
  }

  // A value may matter only beside another one that is varied: what is said
  // holds of the first variant, which `first` is, and of the last.
  absl::Status SayUnused(const Scenario& first,
                         const std::vector<Variant>& variants) const {
    ASSIGN_OR_RETURN(const Scenario last, Load(variants.back(), 0));
    std::vector<std::string> varied;
    varied.reserve(variants.front().size());
    for (const auto& [path, value] : variants.front()) varied.push_back(path);
    const auto say = [&](const char* option,
                         const std::vector<std::string>& settings) {
      const std::vector<std::string> at_last = UnusedSettings(last, settings);
      for (const std::string& unused : UnusedSettings(first, settings)) {
        if (absl::c_linear_search(at_last, unused)) {
          err_ << option << ' ' << unused << '\n';
        }
      }
    };
    say("--set", options_.set);
    say("--vary", varied);
    return absl::OkStatus();
  }

  // The same jobs, so many days later on the grids.
  void Shift(int window, std::vector<std::string>& set) const {
    const absl::Duration by =
        absl::Hours(24) * options_.window_step_days * window;
    set.push_back("start=" + FormatRfc3339(base_.start + by));
    if (base_.end != absl::InfiniteFuture()) {
      set.push_back("end=" + FormatRfc3339(base_.end + by));
    }
    const auto reader = OpenTrace(base_.jobs.format, base_.jobs.trace);
    if (reader.ok() && !(*reader)->relative()) {
      const int64_t seconds = absl::ToInt64Seconds(base_.jobs.shift + by);
      set.push_back(absl::StrCat("jobs.shift=", seconds, "s"));
    }
  }

  static absl::Status SetParameter(const std::string& name, double value,
                                   Scenario& scenario) {
    bool any = false;
    for (PolicyRun& run : scenario.policies) {
      ASSIGN_OR_RETURN(const PolicySpec* spec, FindPolicy(run.name));
      for (const ParameterSpec& p : spec->parameters) {
        if (p.name != name) continue;
        run.parameters[name] = value;
        any = true;
      }
      RETURN_IF_ERROR(MakePolicy(run.name, run.parameters).status());
    }
    if (any) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "--vary policy.", name, ": none of the policies has that parameter"));
  }

  void Play(Task& task, int threads) const {
    task.status = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(const Scenario scenario,
                       Load(task.variant, task.window));
      ASSIGN_OR_RETURN(
          const auto workload,
          LoadWorkload(scenario, {.skip_bad_rows = options_.skip_bad_rows}));
      ASSIGN_OR_RETURN(
          const std::vector<SimResult> results,
          RunAll(
              scenario, *workload,
              {.threads = threads, .bound = options_.bound, .timing = false}));
      for (const SimResult& r : results) task.points.push_back(PointOf(r));
      task.files = scenario.files;
      return absl::OkStatus();
    }();
    task.done = task.status.ok();
  }

  absl::Status TakeUp() {
    if (options_.state.empty()) return absl::OkStatus();
    std::map<std::string, Task*> by_key;
    for (Task& task : tasks_) by_key[task.key] = &task;
    return state_.Open(options_.state, [&by_key](const std::string& key,
                                                 std::vector<SweepPoint> p) {
      const auto found = by_key.find(key);
      if (found == by_key.end()) return;
      found->second->points = std::move(p);
      found->second->done = true;
    });
  }

  // Nothing is saved any more: the lock is never given back.
  std::string WhatIsKept() {
    mutex_.lock();
    return absl::StrCat(
        finished_, " of ", tasks_.size(), " runs are done",
        options_.state.empty()
            ? "; with --state FILE they would have been kept"
            : absl::StrCat(" and kept in ", options_.state,
                           ": the same command goes on from there"));
  }

  void Progress() const {
    if (!options_.progress) return;
    const size_t width = 30;
    const size_t filled = width * finished_ / tasks_.size();
    err_ << "\r[" << std::string(filled, '#')
         << std::string(width - filled, '.') << "] " << finished_ << " of "
         << tasks_.size() << std::flush;
  }

  std::vector<SweepRow> Rows(const std::vector<Variant>& variants) const {
    std::vector<SweepRow> rows;
    const size_t windows = options_.windows;
    for (size_t v = 0; v < variants.size(); ++v) {
      const std::vector<SweepPoint>& first = tasks_[v * windows].points;
      for (size_t p = 0; p < first.size(); ++p) {
        const auto estimate = [&](double SweepPoint::*field) {
          std::vector<double> values;
          for (size_t w = 0; w < windows; ++w) {
            values.push_back(tasks_[v * windows + w].points[p].*field);
          }
          return EstimateOf(values);
        };
        SweepRow row;
        row.variant = variants[v];
        row.policy = first[p].policy;
        row.windows = options_.windows;
        row.co2e_g = estimate(&SweepPoint::co2e_g);
        row.idle_co2e_g = estimate(&SweepPoint::idle_co2e_g);
        row.energy_kwh = estimate(&SweepPoint::energy_kwh);
        row.wait_mean_s = estimate(&SweepPoint::wait_mean_s);
        row.wait_p95_s = estimate(&SweepPoint::wait_p95_s);
        row.slowdown = estimate(&SweepPoint::slowdown);
        row.late = estimate(&SweepPoint::late);
        row.unfinished = estimate(&SweepPoint::unfinished);
        row.suspensions = estimate(&SweepPoint::suspensions);
        row.saved_vs_fcfs = estimate(&SweepPoint::saved_vs_fcfs);
        row.gap = estimate(&SweepPoint::gap);
        row.cost = estimate(&SweepPoint::cost);
        row.currency = first[p].currency;
        rows.push_back(std::move(row));
      }
    }
    MarkPareto(rows);
    return rows;
  }

  const SimSweepOptions& options_;
  std::ostream& err_;
  Scenario base_;
  std::vector<Task> tasks_;
  std::mutex mutex_;
  size_t finished_ = 0;
  bool failed_ = false;
  std::string digest_;
  SweepState state_;
};

}  // namespace

absl::StatusOr<int> RunSimSweepCommand(const SimSweepOptions& options,
                                       std::ostream& out, std::ostream& err) {
  if (options.output != "table" && options.output != "json" &&
      options.output != "csv") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o ", options.output, ": is not table, json or csv"));
  }
  Sweep sweep(options, err);
  ASSIGN_OR_RETURN(const std::vector<SweepRow> rows, sweep.Run());
  if (options.output == "json") {
    out << SweepJson(sweep.scenario_name(), options.seed, rows);
  } else if (options.output == "csv") {
    out << LinesFor(options.width > 0, SweepCsv(rows));
  } else {
    out << SweepTable(rows, options.windows > 1, options.width);
  }
  return 0;
}

}  // namespace ccsched
