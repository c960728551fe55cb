// Reads job options into a job.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/job_options.h"

#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

absl::Status Bad(const char* option, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", what));
}
absl::Status Bad(const char* option, const absl::Status& why) {
  return Bad(option, std::string(why.message()));
}

absl::Status SetDuration(const char* option,
                         const std::optional<std::string>& text,
                         google::protobuf::Duration* (v1::JobSpec::*field)(),
                         v1::JobSpec* job) {
  if (!text) return absl::OkStatus();
  const auto d = ParseDuration(*text);
  if (!d.ok()) return Bad(option, d.status());
  *(job->*field)() = ToProto(*d);
  return absl::OkStatus();
}

template <typename Int>
absl::Status SetInt(const char* option, const std::optional<int64_t>& value,
                    void (v1::JobSpec::*set)(Int), v1::JobSpec* job) {
  if (!value) return absl::OkStatus();
  if (*value < std::numeric_limits<Int>::min() ||
      *value > std::numeric_limits<Int>::max()) {
    return Bad(option, absl::StrCat(*value, " is out of range"));
  }
  (job->*set)(static_cast<Int>(*value));
  return absl::OkStatus();
}

void SetList(const std::vector<std::string>& values,
             google::protobuf::RepeatedPtrField<std::string>* list) {
  if (values.empty()) return;
  list->Assign(values.begin(), values.end());
}

// "KEY=VALUE", or "KEY" for what it is here.
absl::Status SetEnv(const std::vector<std::string>& entries,
                    const std::function<const char*(const char*)>& env,
                    v1::JobSpec* job) {
  for (const std::string& entry : entries) {
    const size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    if (name.empty()) {
      return Bad("--env", absl::StrCat("'", Printable(entry),
                                       "' must be NAME=VALUE or NAME"));
    }
    if (equals != std::string::npos) {
      (*job->mutable_env())[name] = entry.substr(equals + 1);
      continue;
    }
    const char* value = env(name.c_str());
    if (value == nullptr) {
      return Bad("--env", absl::StrCat("'", Printable(name),
                                       "' is not set here; give NAME=VALUE"));
    }
    (*job->mutable_env())[name] = value;
  }
  return absl::OkStatus();
}

absl::Status SetAfter(const std::vector<std::string>& after, v1::JobSpec* job) {
  if (!after.empty()) job->clear_after();
  for (const std::string& text : after) {
    uint64_t id;
    if (!absl::SimpleAtoi(text, &id) || id == 0) {
      return Bad("--after",
                 absl::StrCat("'", Printable(text), "' is not a job's number"));
    }
    job->add_after(id);
  }
  return absl::OkStatus();
}

absl::Status SetFinishBy(const std::optional<std::string>& text,
                         const NowFunction& now, absl::TimeZone zone,
                         v1::JobSpec* job) {
  if (!text) return absl::OkStatus();
  job->clear_finish_by_text();
  absl::Time t;
  if (IsRelativeTime(*text)) {
    // A wrong text is told before the scheduler is asked for the time.
    const auto form = ParseTimeSpec(*text, absl::UnixEpoch(), zone);
    if (!form.ok()) return Bad("--finish-by", form.status());
    ASSIGN_OR_RETURN(t, now());
  }
  const auto parsed = ParseTimeSpec(*text, t, zone);
  if (!parsed.ok()) return Bad("--finish-by", parsed.status());
  *job->mutable_finish_by() = ToProto(*parsed);
  if (IsRelativeTime(*text)) job->set_finish_by_text(*text);
  return absl::OkStatus();
}

// "WIDTH=SPEED,WIDTH=SPEED".
absl::Status SetSpeedup(const std::optional<std::string>& text,
                        v1::JobSpec* job) {
  if (!text) return absl::OkStatus();
  job->clear_speedup();
  const std::vector<std::string> points = absl::StrSplit(*text, ',');
  for (const std::string& point : points) {
    const std::vector<std::string> parts = absl::StrSplit(point, '=');
    double width = 0, speed = 0;
    if (parts.size() != 2 || !absl::SimpleAtod(parts[0], &width) ||
        !absl::SimpleAtod(parts[1], &speed)) {
      return Bad("--speedup", absl::StrCat("'", Printable(point),
                                           "' is not WIDTH=SPEED, like 2=1.7"));
    }
    v1::SpeedupPoint* const to = job->add_speedup();
    to->set_width(width);
    to->set_speed(speed);
  }
  return absl::OkStatus();
}

void SetTexts(const JobOptions& o, v1::JobSpec* job) {
  if (o.name) job->set_name(*o.name);
  if (o.project) job->set_project(*o.project);
  if (o.workdir) job->set_workdir(*o.workdir);
  if (o.output) job->set_output(*o.output);
  if (o.key) job->set_key(*o.key);
  if (o.array) job->set_array(*o.array);
  if (o.elastic) job->set_elastic(*o.elastic);
  if (o.image) job->set_image(*o.image);
  if (o.signal) {
    job->set_warn_signal(
        std::string(absl::StripPrefix(absl::string_view(*o.signal), "SIG")));
  }
  if (o.suspendable) job->set_suspendable(true);
  if (o.hold) job->set_hold(true);
  SetList(o.accelerator, job->mutable_accelerator());
  SetList(o.site, job->mutable_site());
  SetList(o.region, job->mutable_region());
}

}  // namespace

void AddJobOptions(Command& c, JobOptions* o) {
  c.Text("-J,--name", "NAME", &o->name, "what to call it");
  c.Number("--accelerators", "N", &o->accelerators,
           "how many, in all (default 1)");
  c.List("--accelerator", "TYPE[,TYPE]", &o->accelerator,
         "of these types, any of them, best first");
  c.Number("-N,--nodes", "N", &o->nodes, "spread evenly over exactly N nodes");
  c.Text(
      "-t,--time-limit", "DURATION", &o->time_limit,
      "stop it after so long (of an elastic job: at its own width): 90m, 24h");
  c.Text("--runtime", "DURATION", &o->runtime,
         "how long it is expected to run");
  c.Text("--finish-by", "TIME", &o->finish_by,
         "be done by then: 2026-01-05T08:00:00Z, 08:00, +36h, now+1hour");
  c.Text("--max-delay", "DURATION", &o->max_delay,
         "wait at most so long for a cleaner hour or room; 0 for none");
  c.List("--site", "SITE[,SITE]", &o->site, "only at these sites");
  c.List("--region", "REGION[,REGION]", &o->region, "only on these grids");
  c.Flag("--suspendable", &o->suspendable,
         "it may be stopped and taken up again");
  c.Text("--grace", "DURATION", &o->grace,
         "from the warning signal to the kill");
  c.Text("--checkpoint", "DURATION", &o->checkpoint,
         "what saving its state takes (with --suspendable)");
  c.Text("--restart", "DURATION", &o->restart,
         "what taking it up again takes (with --suspendable)");
  c.Text("--elastic", "MIN:MAX", &o->elastic,
         "it can run on any number of accelerators in between");
  c.Text("--speedup", "WIDTH=SPEED,...", &o->speedup,
         "how fast it is on so many times its accelerators, like 0.5=0.6,2=1.7 "
         "(with --elastic; linear if absent)");
  c.Number("--priority", "N", &o->priority, "higher goes first (default 0)");
  c.Text("--project", "NAME", &o->project, "whose account it is on");
  c.Repeated("--env", "NAME[=VALUE]", &o->env,
             "set a variable for it, or pass on yours; repeat for more, the "
             "last of a name counts");
  c.Text("-D,--workdir", "DIR", &o->workdir, "run it there (default: here)");
  c.Text("--output", "FILE", &o->output,
         "write its output there; %j is the job's number, %a its index");
  c.Text("-a,--array", "INDICES", &o->array,
         "one job for each index: 0-9, 1,3,5, 0-20:5; 0-99%5 for at most 5 "
         "at once");
  c.Text("--image", "IMAGE", &o->image,
         "run it in this container image, by the node's podman or apptainer");
  c.List("--after", "JOB[,JOB]", &o->after,
         "start it once these jobs have succeeded");
  c.Text("--key", "KEY", &o->key, "submit at most once for this key, for good");
  c.Text(
      "--signal", "SIGNAL", &o->signal,
      "the warning signal: TERM (default), INT, USR1, USR2, HUP, CONT, QUIT");
  c.Flag("-H,--hold", &o->hold, "hold it until 'ccsched release'");
}

absl::Status ApplyJobOptions(const JobOptions& o, const NowFunction& now,
                             absl::TimeZone zone,
                             const std::function<const char*(const char*)>& env,
                             v1::JobSpec* job) {
  using J = v1::JobSpec;
  SetTexts(o, job);
  if (o.key && o.key->empty()) {
    // A variable that is not set, most often: it would be no key at all.
    return Bad("--key", "it is empty");
  }
  if (o.image && o.image->empty()) {
    // The same: the job would run outside of its container.
    return Bad("--image", "it is empty");
  }
  std::optional<int64_t> accelerators = o.accelerators;
  if (!accelerators && o.accelerators_per_node) {
    accelerators = *o.accelerators_per_node * o.nodes.value_or(1);
  }
  RETURN_IF_ERROR(
      SetInt("--accelerators", accelerators, &J::set_accelerators, job));
  RETURN_IF_ERROR(SetInt("--nodes", o.nodes, &J::set_nodes, job));
  RETURN_IF_ERROR(SetInt("--priority", o.priority, &J::set_priority, job));
  RETURN_IF_ERROR(
      SetDuration("--time-limit", o.time_limit, &J::mutable_time_limit, job));
  RETURN_IF_ERROR(
      SetDuration("--runtime", o.runtime, &J::mutable_runtime, job));
  RETURN_IF_ERROR(
      SetDuration("--max-delay", o.max_delay, &J::mutable_max_delay, job));
  RETURN_IF_ERROR(SetDuration("--grace", o.grace, &J::mutable_grace, job));
  RETURN_IF_ERROR(
      SetDuration("--checkpoint", o.checkpoint, &J::mutable_checkpoint, job));
  RETURN_IF_ERROR(
      SetDuration("--restart", o.restart, &J::mutable_restart, job));
  RETURN_IF_ERROR(SetSpeedup(o.speedup, job));
  RETURN_IF_ERROR(SetEnv(o.env, env, job));
  RETURN_IF_ERROR(SetAfter(o.after, job));
  return SetFinishBy(o.finish_by, now, zone, job);
}

void LayOver(const JobOptions& over, JobOptions* base) {
  const auto lay = [](const auto& from, auto* to) {
    if (from) *to = from;
  };
  const auto lay_list = [](const auto& from, auto* to) {
    if (!from.empty()) *to = from;
  };
  lay(over.name, &base->name);
  lay(over.project, &base->project);
  lay(over.workdir, &base->workdir);
  lay(over.output, &base->output);
  lay(over.key, &base->key);
  lay(over.array, &base->array);
  lay(over.image, &base->image);
  lay(over.accelerators, &base->accelerators);
  lay(over.accelerators_per_node, &base->accelerators_per_node);
  lay(over.nodes, &base->nodes);
  lay(over.priority, &base->priority);
  lay(over.time_limit, &base->time_limit);
  lay(over.runtime, &base->runtime);
  lay(over.max_delay, &base->max_delay);
  lay(over.grace, &base->grace);
  lay(over.checkpoint, &base->checkpoint);
  lay(over.restart, &base->restart);
  lay(over.finish_by, &base->finish_by);
  lay(over.elastic, &base->elastic);
  lay(over.speedup, &base->speedup);
  lay(over.signal, &base->signal);
  lay_list(over.accelerator, &base->accelerator);
  lay_list(over.site, &base->site);
  lay_list(over.region, &base->region);
  lay_list(over.after, &base->after);
  base->env.insert(base->env.end(), over.env.begin(), over.env.end());
  base->suspendable |= over.suspendable;
  base->hold |= over.hold;
}

}  // namespace ccsched
