// A recorded day again: do the recorded decisions come out once more?
// SPDX-License-Identifier: Apache-2.0
#include "sim/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policies/planner/survival.h"
#include "policies/registry.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/cluster_config.h"
#include "scheduler/wire/journal.h"
#include "sim/recorded_job.h"

namespace ccsched {
namespace {

constexpr uint32_t kPage = 1000;

// What a step decided, one decision a piece, for people.
std::vector<std::string> Pieces(const v1::JournalDecisions& d) {
  std::vector<std::string> pieces;
  for (const v1::JournalStart& s : d.starts()) {
    pieces.push_back(absl::StrCat(
        "start job ", s.job(), " (attempt ", s.epoch(), ") at pool ", s.pool(),
        " on ", s.count(), " of nodes ", absl::StrJoin(s.nodes(), ",")));
  }
  for (const v1::JournalStop& s : d.stops()) {
    pieces.push_back(absl::StrCat("stop job ", s.job(), " (attempt ", s.epoch(),
                                  "), why ", s.why()));
  }
  for (const v1::JournalDecision& c : d.decisions()) {
    std::string piece =
        absl::StrCat("decide ", c.kind(), " of job ", c.job(), ", reason ",
                     ToAbsl(ToString(static_cast<ReasonCode>(c.code()))),
                     ", pool ", c.pool());
    if (c.until() != 0) {
      absl::StrAppend(&piece, ", until ",
                      absl::FormatTime(absl::FromUnixMicros(c.until()),
                                       absl::UTCTimeZone()));
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

absl::StatusOr<ReplayResult> Replay::Play() {
  for (uint64_t number = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<StepRow> rows,
                     reader_.Steps(number, kPage));
    for (const StepRow& row : rows) {
      ++number;
      const absl::Status status = TakeStep(number, row);
      if (!status.ok()) {
        return absl::Status(
            status.code(),
            absl::StrCat("step ", number, ": ", std::string(status.message())));
      }
      if (result_.difference) return result_;
    }
    if (rows.size() < kPage) return result_;
  }
}

absl::Status Replay::TakeStep(uint64_t number, const StepRow& row) {
  v1::JournalEvents journal;
  if (!journal.ParseFromString(row.events)) {
    return absl::DataLossError("its events can't be read");
  }
  for (const v1::JournalEvent& event : journal.events()) {
    if (event.has_boot()) return Boot(event.boot(), row.now);
  }
  if (engine_ == nullptr) {
    return absl::DataLossError("the journal does not begin with a boot");
  }
  ASSIGN_OR_RETURN(
      std::vector<Event> events,
      EventsOf(journal, [this](JobId id, std::vector<JobId> after) {
        return Submission(id, std::move(after));
      }));
  for (Event& event : events) {
    auto* const agreed = std::get_if<ProjectsAgreed>(&event);
    if (agreed == nullptr) continue;
    for (ProjectTerms& terms : agreed->terms) {
      terms.symbol = symbols_.Intern(terms.name);
    }
  }
  Track(events);
  if (result_.steps++ == 0) result_.first = row.now;
  result_.last = row.now;
  return Compare(number, row, engine_->Step(row.now, events));
}

absl::StatusOr<JobSubmitted> Replay::Submission(JobId id,
                                                std::vector<JobId> after) {
  Placement placement;
  ASSIGN_OR_RETURN(
      JobSubmitted e,
      RecordedSubmission(reader_, id, std::move(after), engine_->topology(),
                         symbols_, placement));
  e.shape.placement = engine_->InternPlacement(placement);
  return e;
}

absl::StatusOr<RecalledJob> Replay::Recall(const SubmissionRow& row,
                                           const Topology& topology) {
  RecalledJob recalled;
  ASSIGN_OR_RETURN(JobSubmitted e,
                   RecordedSubmission(reader_, row.id, {}, topology, symbols_,
                                      recalled.placement));
  recalled.job.spec = std::move(e.spec);
  recalled.shape = e.shape;
  return recalled;
}

void Replay::Track(absl::Span<const Event> events) {
  for (const Event& event : events) {
    if (const auto* job = std::get_if<JobSubmitted>(&event)) {
      last_job_ = std::max(last_job_, job->spec.id);
      ++result_.jobs;
    } else if (const auto* node = std::get_if<NodeJoined>(&event)) {
      RestoredNode& known = nodes_[node->node];
      known = {node->node, node->pool, node->count, known.drained};
    } else if (const auto* drained = std::get_if<NodeDrained>(&event)) {
      nodes_[drained->node].drained = drained->drained;
    }
  }
}

absl::Status Replay::Boot(const v1::JournalBoot& boot, absl::Time now) {
  ASSIGN_OR_RETURN(Cluster cluster, MakeCluster(boot.config()));
  const PolicyParameters parameters(boot.policy().parameters().begin(),
                                    boot.policy().parameters().end());
  ASSIGN_OR_RETURN(std::unique_ptr<Policy> policy,
                   MakePolicy(boot.policy().name(), parameters));
  const std::unique_ptr<Engine> before = std::move(engine_);
  auto beliefs = std::make_unique<LearnedBeliefs>();
  // A job may have ended before this boot and been reported after it: then the
  // scheduler did not know of that yet.
  const auto recall =
      [&](const SubmissionRow& row) -> absl::StatusOr<RecalledJob> {
    if (before != nullptr) {
      const Job* const job = before->job(row.id);
      if (job != nullptr && !IsTerminal(job->state)) {
        return absl::NotFoundError("it lives");
      }
    }
    return Recall(row, cluster.topology);
  };
  RETURN_IF_ERROR(RecallRuntimes(reader_, last_job_, now, recall, *beliefs));
  EngineOptions options;
  options.beliefs = std::move(beliefs);
  options.resize_in_place = false;  // as the daemon's
  options.shares = cluster.shares;
  engine_ =
      std::make_unique<Engine>(std::move(cluster.topology), std::move(policy),
                               MakePolicy, std::move(options));
  ++result_.boots;
  return before == nullptr ? absl::OkStatus() : TakeUp(*before);
}

absl::Status Replay::TakeUp(const Engine& before) {
  std::vector<RestoredNode> nodes;
  for (const auto& [id, node] : nodes_) nodes.push_back(node);
  std::vector<RestoredJob> jobs = before.LiveJobs();
  for (RestoredJob& job : jobs) {
    job.shape.placement =
        engine_->InternPlacement(before.placement(*before.job(job.spec.id)));
  }
  return engine_->Restore(nodes, std::move(jobs));
}

absl::Status Replay::Compare(uint64_t number, const StepRow& row,
                             const Effects& effects) {
  v1::JournalDecisions recorded;
  if (!recorded.ParseFromString(row.decisions)) {
    return absl::DataLossError("its decisions can't be read");
  }
  const std::vector<std::string> was = Pieces(recorded);
  const std::vector<std::string> is = Pieces(JournalOf(effects));
  result_.decisions += was.size();
  if (was == is) return absl::OkStatus();
  size_t i = 0;
  while (i < was.size() && i < is.size() && was[i] == is[i]) ++i;
  result_.difference = ReplayResult::Difference{
      .step = number,
      .at = row.now,
      .recorded = i < was.size() ? was[i] : "nothing more",
      .replayed = i < is.size() ? is[i] : "nothing more"};
  return absl::OkStatus();
}

}  // namespace ccsched
