// A scenario as it will be played: read from YAML, checked, files loaded.
// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ccsched/v1/scenario.pb.h"
#include "policies/registry.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/money.h"
#include "scheduler/wire/projects.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/yaml.h"
#include "sim/scenario_grid.h"
#include "sim/scenario_sites.h"
#include "sim/trace.h"

namespace ccsched {
namespace {

constexpr char kSet[] = "--set";
constexpr char kVary[] = "--vary";

class Loader {
 public:
  Loader(const std::string& path, const ScenarioOptions& options)
      : options_(options) {
    scenario_.path = path;
    source_.file = path;
  }

  absl::StatusOr<Scenario> Load() {
    RETURN_IF_ERROR(ReadYamlFile(scenario_.path, proto_, &source_));
    for (const std::string& assignment : options_.set) {
      RETURN_IF_ERROR(SetPath(proto_, assignment, kSet, &source_));
    }
    for (const std::string& assignment : options_.vary) {
      RETURN_IF_ERROR(SetPath(proto_, assignment, kVary, &source_));
    }
    RETURN_IF_ERROR(LoadFrame());
    RETURN_IF_ERROR(LoadRegions(proto_, source_, options_.seed, scenario_));
    RETURN_IF_ERROR(LoadSites(proto_, source_, scenario_));
    RETURN_IF_ERROR(LoadJobs());
    RETURN_IF_ERROR(LoadPolicies());
    RETURN_IF_ERROR(LoadProjects());
    return std::move(scenario_);
  }

 private:
  absl::Status At(const std::string& path, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(source_.At(path), ": ", what));
  }

  absl::Status LoadFrame() {
    const std::string version = WrongVersion(proto_.version());
    if (!version.empty()) return At("version", "version: " + version);
    scenario_.name = proto_.name();
    if (scenario_.name.empty()) {
      const size_t slash = scenario_.path.rfind('/');
      scenario_.name =
          scenario_.path.substr(slash == std::string::npos ? 0 : slash + 1);
      const size_t dot = scenario_.name.rfind('.');
      if (dot != std::string::npos && dot > 0) scenario_.name.resize(dot);
    }
    if (!proto_.has_start()) return At("", "the scenario has no start");
    scenario_.start = FromProto(proto_.start());
    if (proto_.has_end()) {
      scenario_.end = FromProto(proto_.end());
      if (scenario_.end <= scenario_.start) {
        return At("end", "the end is not after the start");
      }
    }
    if (proto_.has_horizon()) {
      const absl::Duration horizon = FromProto(proto_.horizon());
      if (horizon <= absl::ZeroDuration()) {
        return At("horizon", "the horizon is not positive");
      }
      scenario_.horizon = scenario_.start + horizon;
    }
    RETURN_IF_ERROR(LoadFaults());
    RETURN_IF_ERROR(LoadNetwork());
    return absl::OkStatus();
  }

  absl::Status LoadFaults() {
    if (!proto_.has_faults()) return absl::OkStatus();
    const ccsched::v1::ScenarioFaults& from = proto_.faults();
    FaultSpec faults{.node_mtbf = FromProto(from.node_mtbf()),
                     .repair = FromProto(from.repair()),
                     .seed = options_.seed};
    // Less would be a cluster that does nothing but fail.
    if (faults.node_mtbf < absl::Minutes(1)) {
      return At("faults.node_mtbf",
                "the mean time between a node's failures is below a minute");
    }
    if (faults.repair < absl::Seconds(1)) {
      return At("faults.repair",
                absl::StrCat("a node's repair takes ",
                             absl::FormatDuration(faults.repair),
                             ", less than a second"));
    }
    scenario_.faults = faults;
    return absl::OkStatus();
  }

  absl::Status LoadNetwork() {
    const ccsched::v1::ScenarioNetwork& from = proto_.network();
    const auto check = [this](double value, const char* name) {
      if (value >= 0 && value <= 1e12) return absl::OkStatus();
      return At(absl::StrCat("network.", name),
                absl::StrCat(name, " ", value, " is not between 0 and 1e12"));
    };
    RETURN_IF_ERROR(check(from.gbit_per_s(), "gbit_per_s"));
    RETURN_IF_ERROR(check(from.kwh_per_gb(), "kwh_per_gb"));
    scenario_.network_gbit_per_s = from.gbit_per_s();
    scenario_.network_kwh_per_gb = from.kwh_per_gb();
    if (!from.has_price_per_gb()) return absl::OkStatus();
    RETURN_IF_ERROR(check(from.price_per_gb(), "price_per_gb"));
    if (proto_.money().currency().empty()) {
      return At("network.price_per_gb",
                "it needs `money.currency`, the currency that it is in");
    }
    scenario_.network_price_per_gb = Money(from.price_per_gb());
    return absl::OkStatus();
  }

  // REQUIRES: the range of widths is loaded.
  absl::Status LoadSpeedup(const ccsched::v1::ScenarioJobDefaults& from,
                           const std::string& at) {
    WorkloadSpec& jobs = scenario_.jobs;
    if (from.has_elastic_exponent()) {
      const auto speedup = Speedup::Power(from.elastic_exponent());
      if (!speedup.ok()) {
        return At(at + ".elastic_exponent",
                  absl::StrCat("elastic_exponent ",
                               std::string(speedup.status().message())));
      }
      jobs.speedup = *speedup;
    }
    if (from.elastic_speedup().empty()) return absl::OkStatus();
    const auto bad = [&](const std::string& what) {
      return At(at + ".elastic_speedup",
                absl::StrCat("elastic_speedup: ", what));
    };
    if (from.has_elastic_exponent()) {
      return bad("there is an elastic_exponent, too: give one of them");
    }
    if (!jobs.elastic()) return bad("no job is elastic: give `elastic`, too");
    std::vector<SpeedupPoint> points;
    for (const ccsched::v1::SpeedupPoint& p : from.elastic_speedup()) {
      points.push_back({.width = p.width(), .speed = p.speed()});
    }
    const auto speedup = Speedup::Measured(std::move(points));
    if (!speedup.ok()) return bad(std::string(speedup.status().message()));
    if (speedup->widest() < jobs.elastic_max) {
      return bad(absl::StrCat("it ends at width ", speedup->widest(),
                              ", but jobs may have ", jobs.elastic_max,
                              " times their own"));
    }
    jobs.speedup = *speedup;
    return absl::OkStatus();
  }

  absl::StatusOr<RuntimeKnowledge> Runtime(const std::string& name,
                                           const std::string& at) const {
    if (name == "known") return RuntimeKnowledge::kKnown;
    if (name == "learned") return RuntimeKnowledge::kLearned;
    if (name == "class-mean") return RuntimeKnowledge::kClassMean;
    return At(at, absl::StrCat("runtime \"", name,
                               "\" is not known, learned or class-mean"));
  }

  absl::Status LoadProjects() {
    absl::StatusOr<std::vector<ProjectTerms>> terms =
        ToTerms(proto_.projects());
    if (!terms.ok()) {
      return At("projects", std::string(terms.status().message()));
    }
    scenario_.projects = *std::move(terms);
    const auto shares = ToShares(scenario_.projects, proto_.fair_share());
    if (!shares.ok()) {
      return At("fair_share", std::string(shares.status().message()));
    }
    scenario_.shares = *shares;
    return absl::OkStatus();
  }

  // A duration that must not be negative.
  absl::StatusOr<absl::Duration> Length(const google::protobuf::Duration& d,
                                        const std::string& at) const {
    const absl::Duration length = FromProto(d);
    if (length < absl::ZeroDuration()) {
      return At(at, absl::StrCat(at, " ", absl::FormatDuration(length),
                                 " is negative"));
    }
    return length;
  }

  absl::Status LoadJobs() {
    const ccsched::v1::ScenarioJobs& from = proto_.jobs();
    WorkloadSpec& jobs = scenario_.jobs;
    if (from.trace().empty()) return At("jobs.trace", "there is no trace");
    if (const auto known = FindTraceFormat(from.format()); !known.ok()) {
      return At("jobs.format", std::string(known.status().message()));
    }
    jobs.trace = ResolvePath(scenario_.path, from.trace());
    scenario_.files.push_back(jobs.trace);
    jobs.format = from.format();
    jobs.at = source_.At("jobs.trace");
    jobs.shift = FromProto(from.shift());
    jobs.origin = FromProto(from.origin());
    if (from.has_tick()) {
      jobs.tick = FromProto(from.tick());
      if (*jobs.tick < absl::Microseconds(1)) {
        return At("jobs.tick", "the tick is not positive");
      }
    }
    RETURN_IF_ERROR(LoadDefaults(from.defaults()));
    for (int i = 0; i < from.classes_size(); ++i) {
      const std::string at = absl::StrCat("jobs.classes[", i, "]");
      JobClassSpec c;
      c.name = from.classes(i).name();
      c.max_delay = jobs.max_delay;
      if (from.classes(i).has_shorter_than()) {
        ASSIGN_OR_RETURN(c.shorter_than, Length(from.classes(i).shorter_than(),
                                                at + ".shorter_than"));
      } else if (i + 1 < from.classes_size()) {
        return At(at, "only the last class may be without shorter_than");
      }
      if (from.classes(i).has_max_delay()) {
        ASSIGN_OR_RETURN(c.max_delay, Length(from.classes(i).max_delay(),
                                             at + ".max_delay"));
        c.own_max_delay = true;
      }
      jobs.classes.push_back(std::move(c));
    }
    if (jobs.classes.empty() ||
        jobs.classes.back().shorter_than != absl::InfiniteDuration()) {
      jobs.classes.push_back({.name = "all", .max_delay = jobs.max_delay});
    }
    return absl::OkStatus();
  }

  absl::Status LoadDefaults(const ccsched::v1::ScenarioJobDefaults& from) {
    WorkloadSpec& jobs = scenario_.jobs;
    const std::string at = "jobs.defaults";
    if (from.has_max_delay()) {
      ASSIGN_OR_RETURN(jobs.max_delay,
                       Length(from.max_delay(), at + ".max_delay"));
    }
    jobs.suspendable = from.suspendable();
    ASSIGN_OR_RETURN(jobs.checkpoint,
                     Length(from.checkpoint(), at + ".checkpoint"));
    ASSIGN_OR_RETURN(jobs.restart, Length(from.restart(), at + ".restart"));
    if (!from.runtime().empty()) {
      ASSIGN_OR_RETURN(jobs.runtime, Runtime(from.runtime(), at + ".runtime"));
    }
    if (!from.elastic().empty()) {
      const std::vector<std::string> ends = absl::StrSplit(from.elastic(), ':');
      if (ends.size() != 2 || !absl::SimpleAtod(ends[0], &jobs.elastic_min) ||
          !absl::SimpleAtod(ends[1], &jobs.elastic_max) ||
          !(jobs.elastic_min > 0 && jobs.elastic_min <= 1 &&
            jobs.elastic_max >= 1 && jobs.elastic_max <= 1e6)) {
        return At(at + ".elastic",
                  absl::StrCat("elastic \"", from.elastic(),
                               "\" is not MIN:MAX with 0 < MIN <= 1 <= MAX"));
      }
    }
    RETURN_IF_ERROR(LoadSpeedup(from, at));
    if (!(from.state_gb() >= 0 && from.state_gb() <= 1e12)) {
      return At(at + ".state_gb", absl::StrCat("state_gb ", from.state_gb(),
                                               " is not between 0 and 1e12"));
    }
    jobs.state_gb = from.state_gb();
    const Topology& topology = scenario_.topology;
    for (size_t i = 0; i < topology.pools.size(); ++i) {
      const std::string& type =
          topology.accelerators[topology.pools[i].accelerator.value()];
      if (from.accelerator().empty() || type == from.accelerator()) {
        jobs.placement.push_back(PoolId(i));
      }
    }
    if (jobs.placement.empty()) {
      return At(at + ".accelerator", absl::StrCat("no site has accelerator \"",
                                                  from.accelerator(), "\""));
    }
    return absl::OkStatus();
  }

  absl::Status LoadPolicies() {
    std::vector<PolicyRun> listed;
    for (int i = 0; i < proto_.policies_size(); ++i) {
      const ccsched::v1::ScenarioPolicy& from = proto_.policies(i);
      const std::string at = absl::StrCat("policies[", i, "]");
      PolicyRun run;
      run.name = from.name();
      run.label = from.label().empty() ? from.name() : from.label();
      run.runtime = scenario_.jobs.runtime;
      if (!from.runtime().empty()) {
        ASSIGN_OR_RETURN(run.runtime, Runtime(from.runtime(), at));
        run.own_runtime = true;
      }
      for (const auto& [key, text] : from.parameters()) {
        double value = 0;
        if (!absl::SimpleAtod(text, &value)) {
          return At(at, absl::StrCat("parameter ", key, " \"", text,
                                     "\" is not a number"));
        }
        run.parameters[key] = value;
      }
      listed.push_back(std::move(run));
    }
    if (options_.policies.empty()) {
      for (size_t i = 0; i < listed.size(); ++i) {
        RETURN_IF_ERROR(
            Take(listed[i], source_.At(absl::StrCat("policies[", i, "]"))));
      }
    }
    for (const std::string& wanted : options_.policies) {
      const PolicyRun* found = nullptr;
      for (const PolicyRun& run : listed) {
        if (run.label == wanted) found = &run;
      }
      if (found != nullptr) {
        RETURN_IF_ERROR(Take(*found, "--policy"));
        continue;
      }
      ASSIGN_OR_RETURN(PolicyRun run,
                       ParsePolicy(wanted, scenario_.jobs.runtime));
      RETURN_IF_ERROR(Take(std::move(run), "--policy"));
    }
    if (scenario_.policies.empty()) {
      return At("policies", "there are no policies");
    }
    for (const PolicyRun& run : scenario_.policies) {
      const absl::Status status =
          CheckMoneyWeight(run.parameters, Prices(), scenario_.topology);
      if (!status.ok()) {
        return At("", absl::StrCat("policy ", run.label, ": ",
                                   std::string(status.message())));
      }
    }
    return absl::OkStatus();
  }

  std::vector<std::shared_ptr<const PriceSeries>> Prices() const {
    std::vector<std::shared_ptr<const PriceSeries>> prices;
    for (const RegionData& region : scenario_.regions) {
      prices.push_back(region.price);
    }
    return prices;
  }

  absl::Status Take(PolicyRun run, const std::string& where) {
    const absl::StatusOr<std::unique_ptr<Policy>> made =
        MakePolicy(run.name, run.parameters);
    if (!made.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": ", std::string(made.status().message())));
    }
    if (!labels_.insert(run.label).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": policy ", run.label,
                       " is there twice; give one of them a label"));
    }
    scenario_.policies.push_back(std::move(run));
    return absl::OkStatus();
  }

  const ScenarioOptions& options_;
  ccsched::v1::Scenario proto_;
  YamlSource source_;
  Scenario scenario_;
  std::set<std::string> labels_;
};

// Where an option changed one value and the scenario's file is blamed for
// another, which does not go with it: names the option as well. It is the last
// one without which the error is not there.
absl::Status WithItsCause(const std::string& path, ScenarioOptions options,
                          const absl::Status& error) {
  const std::string said(error.message());
  if (absl::StartsWith(said, "--")) return error;
  while (!options.vary.empty() || !options.set.empty()) {
    const bool varied = !options.vary.empty();
    std::vector<std::string>& last = varied ? options.vary : options.set;
    const std::string assignment = std::move(last.back());
    last.pop_back();
    if (Loader(path, options).Load().status() == error) continue;
    return absl::Status(error.code(),
                        absl::StrCat(varied ? kVary : kSet, " ",
                                     assignment.substr(0, 120), ": ", said));
  }
  return error;
}

}  // namespace

absl::StatusOr<PolicyRun> ParsePolicy(const std::string& text,
                                      RuntimeKnowledge runtime) {
  PolicyRun run;
  run.label = text;
  run.runtime = runtime;
  const size_t colon = text.find(':');
  run.name = text.substr(0, colon);
  if (colon != std::string::npos) {
    for (const absl::string_view piece :
         absl::StrSplit(absl::string_view(text).substr(colon + 1), ',')) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(piece, absl::MaxSplits('=', 1));
      double value = 0;
      if (!absl::SimpleAtod(parts.second, &value)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--policy ", text, ": \"", piece, "\" is not parameter=number"));
      }
      if (!run.parameters.emplace(parts.first, value).second) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--policy ", text, ": ", parts.first, " is given twice"));
      }
    }
  }
  const absl::StatusOr<std::unique_ptr<Policy>> made =
      MakePolicy(run.name, run.parameters);
  if (made.ok()) return run;
  return absl::InvalidArgumentError(
      absl::StrCat("--policy: ", std::string(made.status().message())));
}

absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      const ScenarioOptions& options) {
  absl::StatusOr<Scenario> scenario = Loader(path, options).Load();
  if (!scenario.ok()) return WithItsCause(path, options, scenario.status());
  return scenario;
}

}  // namespace ccsched
