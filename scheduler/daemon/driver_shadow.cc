// The driver: a second policy that runs beside the live one, on paper.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/wire/money.h"

namespace ccsched {
namespace {

constexpr char kShadow[] = "policy.shadow";

v1::ShadowSide ToProto(const ShadowSide& side, uint64_t jobs,
                       uint64_t unknown) {
  v1::ShadowSide out;
  if (jobs > unknown) out.set_co2e_g(side.co2e.value());
  if (jobs > 0) {
    out.set_wait_mean_s(absl::ToDoubleSeconds(side.wait) /
                        static_cast<double>(jobs));
  }
  return out;
}

}  // namespace

// A shadow that was set goes on after a restart, from then on.
void Driver::RestoreShadow(const Snapshot& snapshot) {
  for (const auto& [name, value] : snapshot.settings) {
    if (name == kShadow && !shadow_policy_.ParseFromString(value)) {
      shadow_policy_.Clear();
    }
  }
}

absl::Status Driver::StartShadow(const v1::PolicyConfig& policy) {
  ASSIGN_OR_RETURN(const PolicyParameters parameters,
                   ParseParameters(policy.parameters()));
  ASSIGN_OR_RETURN(std::unique_ptr<Policy> made,
                   MakePolicy(policy.name(), parameters));
  RETURN_IF_ERROR(CheckMoneyWeight(parameters, prices_.prices(), topology()));
  ShadowSetup setup;
  setup.topology = topology();
  setup.shares = setup_.cluster.shares;
  // What Restore gave the engine; it goes its own way from here.
  setup.beliefs = std::make_unique<LearnedBeliefs>(
      static_cast<const LearnedBeliefs&>(engine_->runtimes()));
  setup.placements = engine_->Placements(0);
  shadow_placements_ = setup.placements.size();
  for (const NodeEntry& node : nodes_.nodes()) {
    setup.nodes.push_back({node.id, node.pool, node.count,
                           node.drained || !node.unfit.empty(),
                           !node.container_runtime.empty()});
    if (node.state != NodeState::kUp) setup.silent.push_back(node.id);
  }
  setup.jobs = engine_->LiveJobs();
  setup.grid = engine_->grid();
  setup.terms = KnownProjects();
  for (ProjectTerms& terms : setup.terms) {
    const ProjectStanding standing = engine_->Projects({terms.symbol}).front();
    terms.used = standing.used;
    terms.charged = standing.charged;
  }
  setup.now = last_step_ == absl::InfinitePast() ? work_.now : last_step_;
  shadow_ = std::make_unique<ShadowRunner>(std::move(setup), std::move(made),
                                           MakePolicy);
  shadow_policy_ = policy;
  return absl::OkStatus();
}

void Driver::FeedShadow(const Effects& effects) {
  // Set before a restart: it begins with the first step of this one.
  if (shadow_ == nullptr && !shadow_policy_.name().empty()) {
    const absl::Status status = StartShadow(v1::PolicyConfig(shadow_policy_));
    if (!status.ok()) {
      Log(LogLevel::kError, "the shadow policy can't go on",
          {{"policy", shadow_policy_.name()}, {"error", status}});
      shadow_policy_.Clear();
    }
    return;
  }
  if (shadow_ == nullptr) return;
  ShadowStep step;
  step.now = work_.now;
  step.events.reserve(work_.events.size());
  size_t refused = 0;
  for (size_t i = 0; i < work_.events.size(); ++i) {
    if (refused < effects.refusals.size() &&
        effects.refusals[refused].event == i) {
      ++refused;
      continue;
    }
    step.events.push_back(work_.events[i]);
  }
  step.placements = engine_->Placements(shadow_placements_);
  shadow_placements_ += step.placements.size();
  step.starts = effects.starts;
  shadow_->Follow(std::move(step));
}

void Driver::Apply(SetShadowCall& call) {
  const absl::Status status = [&]() -> absl::Status {
    v1::PolicyConfig policy;
    policy.set_name(call.request.name());
    *policy.mutable_parameters() = call.request.parameters();
    if (policy.name().empty()) {
      shadow_.reset();
      shadow_policy_.Clear();
    } else {
      RETURN_IF_ERROR(StartShadow(policy));
    }
    work_.batch.settings.emplace_back(kShadow,
                                      shadow_policy_.SerializeAsString());
    Log(LogLevel::kInfo, "shadow policy set", {{"policy", policy.name()}});
    return absl::OkStatus();
  }();
  SettleAct(call, status);
}

void Driver::Apply(ShadowCall& call) {
  v1::ShadowResponse response;
  response.set_live_policy(policy_name_);
  if (shadow_ != nullptr) {
    const ShadowRunner::Report report = shadow_->Read();
    const ShadowSummary& s = report.summary;
    response.set_policy(shadow_policy_.name());
    *response.mutable_parameters() = shadow_policy_.parameters();
    response.set_stopped(report.stopped);
    response.set_steps_behind(report.behind);
    if (s.since > absl::InfinitePast()) {
      *response.mutable_since() = ccsched::ToProto(s.since);
    }
    response.set_compared(s.compared);
    response.set_unknown(s.unknown);
    response.set_agreed(s.agreed);
    response.set_waiting(s.waiting);
    response.set_running(s.running);
    *response.mutable_live() = ToProto(s.live, s.compared, s.unknown);
    *response.mutable_shadow() = ToProto(s.shadow, s.compared, s.unknown);
    for (const ShadowPlacement& p : s.latest) {
      v1::ShadowPlacement& out = *response.add_latest();
      out.set_job_id(p.job.value());
      if (p.live) {
        out.set_live_site(topology().site(p.live->first).name);
        *out.mutable_live_start() = ccsched::ToProto(p.live->second);
      }
      if (p.shadow) {
        out.set_shadow_site(topology().site(p.shadow->first).name);
        *out.mutable_shadow_start() = ccsched::ToProto(p.shadow->second);
      }
    }
  }
  work_.outbox.answers.push_back(
      [response, reply = std::move(call.reply)] { reply(response); });
}

}  // namespace ccsched
