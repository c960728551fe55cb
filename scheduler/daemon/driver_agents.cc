// The driver: nodes that come and go, and what they report.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/driver.h"

namespace ccsched {
namespace {

// Nodes may refuse to start a job so often; then it has failed.
constexpr int kRefusalsMax = 5;

// So often in a row its supervisors may die of themselves, which makes a node
// unfit sooner; then it has failed, as it may be the job that does it.
constexpr int kDeathsMax = 5;

v1::AttemptKey KeyOf(const LiveAttempt& attempt) {
  v1::AttemptKey key;
  key.set_job_id(attempt.job.value());
  key.set_epoch(attempt.epoch.value());
  return key;
}

// The last checkpoint that any of the job's attempts named, on record or in
// this step.
std::string LastCheckpoint(const std::vector<AttemptRow>& recorded,
                           const std::vector<AttemptRow>& ending, JobId job) {
  std::string last;
  for (const std::vector<AttemptRow>* rows : {&recorded, &ending}) {
    for (const AttemptRow& row : *rows) {
      if (row.job != job) continue;
      std::string checkpoint = CheckpointIn(row.message);
      if (!checkpoint.empty()) last = std::move(checkpoint);
    }
  }
  return last;
}

}  // namespace

void Driver::Send(const NodeEntry& node, v1::SchedulerMessage message) {
  if (node.link == nullptr) return;  // told when it registers again
  work_.outbox.commands.push_back({node.link, std::move(message)});
}

v1::Registered Driver::Welcome(const NodeEntry& node) const {
  v1::Registered welcome;
  *welcome.mutable_clock_real_origin() = ToProto(clock_setting_.real_origin);
  *welcome.mutable_clock_origin() = ToProto(clock_setting_.origin);
  welcome.set_clock_rate(clock_setting_.rate);
  *welcome.mutable_now() = ToProto(work_.now);
  *welcome.mutable_lease() = setup_.cluster.config.lease();
  *welcome.mutable_heartbeat() = setup_.cluster.config.heartbeat();
  const Pool& pool = topology().pools[node.pool.value()];
  welcome.set_idle_watts(pool.idle.value());
  welcome.set_active_watts(pool.active.value());
  return welcome;
}

// Whether this agent may serve as its node, and the node's entry.
absl::StatusOr<NodeEntry*> Driver::Admit(const AgentHello& in) {
  const v1::Register& hello = in.hello;
  if (hello.node().empty() || hello.node().find(',') != std::string::npos ||
      hello.node().size() > 256) {
    return absl::InvalidArgumentError(
        "node: a name of 1 to 256 bytes without a comma is needed");
  }
  if (hello.count() == 0) {
    return absl::InvalidArgumentError("count: a node without accelerators");
  }
  ASSIGN_OR_RETURN(const PoolId pool,
                   FindPool(hello.site(), hello.accelerator()));
  NodeEntry* node = nodes_.Find(hello.node());
  if (node == nullptr) return &nodes_.Add(hello.node(), pool);
  if (node->pool != pool) {
    return absl::FailedPreconditionError(absl::StrCat(
        "node ", node->name, " belongs to another pool, at ",
        topology().site(node->pool).name, ": give this node another name"));
  }
  if (node->state_id == hello.state_id() || node->state_id.empty() ||
      node->state == NodeState::kLost) {
    return node;
  }
  const auto silence = std::chrono::steady_clock::now() - node->lease->heard();
  if (silence <= lease_times_.lost_after) {
    return absl::AlreadyExistsError(absl::StrCat(
        "node ", node->name,
        " is served by another agent (or had its state folder wiped): its "
        "lease must end before this one may take its place"));
  }
  // Even if many nodes are silent: whoever holds this name now, the old agent
  // has stopped everything by itself.
  node->lease->End();
  LoseNode(*node);
  return node;
}

void Driver::Apply(AgentHello& in) {
  const absl::StatusOr<NodeEntry*> admitted = Admit(in);
  if (!admitted.ok()) {
    Log(LogLevel::kWarning, "agent refused",
        {{"node", in.hello.node()}, {"error", admitted.status()}});
    v1::SchedulerMessage refused;
    refused.mutable_refused()->set_message(
        std::string(admitted.status().message()));
    in.link->Send(std::move(refused));
    in.link->Close(admitted.status());
    return;
  }
  NodeEntry& node = **admitted;
  if (node.link != nullptr && node.link != in.link) {
    setup_.directory->Remove(node.name, node.link.get());
    node.link->Close(absl::AbortedError("the agent has connected anew"));
  }
  nodes_.SetLink(node, in.link);
  node.lease = std::make_shared<NodeLease>(std::chrono::steady_clock::now());
  in.link->Accept(node.lease);
  setup_.directory->Set(node.name, in.link);
  node.joined = true;
  node.state = NodeState::kUp;
  node.version = in.hello.version();
  node.container_runtime = in.hello.container_runtime();
  const NodeRow before = ToRow(node, topology());
  node.count = in.hello.count();
  node.meter = in.hello.meter();
  node.state_id = in.hello.state_id();
  NodeRow row = ToRow(node, topology());
  if (!(row == before)) work_.batch.nodes.push_back(std::move(row));
  work_.events.emplace_back(NodeJoined{node.id, node.pool, node.count,
                                       !node.container_runtime.empty()});
  OnHealth(node, in.hello.unfit());
  Log(LogLevel::kInfo, "agent registered",
      {{"node", node.name},
       {"site", in.hello.site()},
       {"accelerator", in.hello.accelerator()},
       {"count", node.count},
       {"attempts", in.hello.attempts_size()}});
  v1::SchedulerMessage welcome;
  *welcome.mutable_registered() = Welcome(node);
  Send(node, std::move(welcome));
  Reconcile(node, in.hello);
}

// Either side may have restarted: what the agent knows is compared with what
// is on record, attempt by attempt.
void Driver::Reconcile(NodeEntry& node, const v1::Register& hello) {
  for (const v1::AttemptStatus& status : hello.attempts()) {
    OnStatus(node, status);
  }
  for (const JobId job : attempts_.JobsOn(node.id)) {
    LiveAttempt& attempt = *attempts_.Find(job);
    AttemptPart& part = *attempt.Part(node.id);
    if (part.ended) continue;
    const bool known =
        std::any_of(hello.attempts().begin(), hello.attempts().end(),
                    [&](const v1::AttemptStatus& s) {
                      return s.key().job_id() == job.value() &&
                             s.key().epoch() == attempt.epoch.value();
                    });
    if (known) {
      if (attempt.stop) SendStop(attempt, part, *attempt.stop);
    } else if (part.started || attempt.confirmed) {
      part.message = "its node does not know it any more";
      PartEnded(attempt, part, work_.now, Outcome::kLost);
    } else if (attempt.stop) {
      PartEnded(attempt, part, work_.now, Outcome::kStopped);
    } else {
      SendStart(attempt, part);  // the command never arrived
    }
  }
}

void Driver::Apply(AgentGone& gone) {
  NodeEntry* const node = nodes_.Find(gone.link.get());
  if (node == nullptr) return;
  setup_.directory->Remove(node->name, gone.link.get());
  nodes_.SetLink(*node, nullptr);
  if (node->state != NodeState::kUp) return;
  node->state = NodeState::kSilent;
  work_.events.emplace_back(NodeSilent{node->id});
  Log(LogLevel::kWarning, "agent disconnected", {{"node", node->name}});
}

void Driver::Apply(AgentReport& report) {
  NodeEntry* const node = nodes_.Find(report.link.get());
  if (node == nullptr) return;  // of a stream that was replaced
  if (report.message.has_status()) OnStatus(*node, report.message.status());
  if (report.message.has_health()) {
    OnHealth(*node, report.message.health().unfit());
  }
  if (report.message.has_telemetry()) {
    OnTelemetry(*node, report.message.telemetry());
  }
}

void Driver::OnStatus(NodeEntry& node, const v1::AttemptStatus& status) {
  LiveAttempt* const attempt =
      attempts_.Find(JobId(status.key().job_id()), Epoch(status.key().epoch()));
  AttemptPart* const part =
      attempt == nullptr ? nullptr : attempt->Part(node.id);
  if (part == nullptr || part->ended) {
    // Stale, or on record already: an ended one may be forgotten, a running
    // one must not go on. One that ends in this very step is acknowledged by
    // what ends it.
    v1::SchedulerMessage message;
    if (!status.has_ended()) {
      *message.mutable_stop()->mutable_key() = status.key();
      message.mutable_stop()->set_why(v1::StopAttempt::MOVE);
    } else if (part == nullptr) {
      *message.mutable_acknowledge()->add_ended() = status.key();
    } else {
      return;
    }
    Send(node, std::move(message));
    return;
  }
  // In whole microseconds, as the journal keeps them: a replay sees no others.
  const auto in_past = [&](const google::protobuf::Timestamp& t) {
    return std::clamp(absl::FromUnixMicros(absl::ToUnixMicros(FromProto(t))),
                      attempt->row.sent,
                      std::max(work_.now, attempt->row.sent));
  };
  if (status.has_started() && !part->started) {
    part->started = in_past(status.started());
    attempt->energy->Started(attempt->RankOf(*part), *part->started);
    work_.rows_changed.insert({attempt->job, attempt->epoch});
    if (attempt->AllStarted()) Confirm(*attempt);
  }
  if (status.goes_on() && attempt->asked_to_suspend()) {
    part->declined = true;
    JudgeDeclined(*attempt);
  }
  if (!status.has_ended()) return;
  const std::optional<Outcome> outcome = ToModel(status.outcome());
  part->exit_code = status.exit_code();
  part->signal = status.signal();
  part->message = status.message();
  part->node_at_fault = status.node_at_fault();
  part->supervisor_died = status.supervisor_died();
  part->checkpoint = status.checkpoint();
  part->checkpoint_cost =
      absl::Trunc(FromProto(status.checkpoint_cost()), absl::Microseconds(1));
  PartEnded(*attempt, *part, in_past(status.ended()),
            outcome.value_or(Outcome::kLost));
}

// All parts have started: the attempt has, with the last of them.
void Driver::Confirm(LiveAttempt& attempt) {
  for (const AttemptPart& part : attempt.parts) {
    attempt.row.started = std::max(attempt.row.started, part.started);
  }
  if (std::exchange(attempt.confirmed, true)) return;
  const absl::Time at = *attempt.row.started;
  JobNotes& notes = notes_[attempt.job];
  if (!notes.first_started) notes.first_started = at;
  work_.events.emplace_back(AttemptStarted{attempt.job, attempt.epoch, at});
}

// One node's part is over: a gang lives or dies together.
void Driver::PartEnded(LiveAttempt& attempt, AttemptPart& part, absl::Time at,
                       Outcome outcome) {
  const size_t rank = attempt.RankOf(part);
  // A node that lost power may know less than it had reported.
  if (outcome == Outcome::kLost) {
    at = std::min(std::max(at, attempt.energy->until(rank)), work_.now);
  }
  part.ended = part.started ? std::max(at, *part.started) : at;
  part.outcome = outcome;
  // An agent may not suspend what nobody asked it to: it ran and stopped.
  if (outcome == Outcome::kSuspended && !attempt.asked_to_suspend()) {
    part.outcome = Outcome::kStopped;
  }
  if (!part.started) attempt.energy->Started(rank, *part.ended);
  attempt.energy->Ended(rank, *part.ended);
  if (part.outcome != Outcome::kSucceeded && !attempt.stop) {
    attempt.stop = v1::StopAttempt::GANG_FAILED;
    for (const AttemptPart& other : attempt.parts) {
      if (!other.ended) {
        SendStop(attempt, other, v1::StopAttempt::GANG_FAILED);
      }
    }
  }
  if (attempt.AllEnded()) return FinishAttempt(attempt);
  if (attempt.asked_to_suspend()) JudgeDeclined(attempt);
}

// Of each end, in their order; after a restart, of those on record.
void Driver::CountEnd(std::string_view outcome, bool blamed, JobNotes& notes) {
  notes.deaths =
      blamed && outcome == ToString(Outcome::kLost) ? notes.deaths + 1 : 0;
  notes.refusals += blamed && outcome == ToString(Outcome::kRefused) ? 1 : 0;
}

// What went wrong so often would do so the next time.
void Driver::FailIfHopeless(AttemptEnd& end, JobNotes& notes) {
  CountEnd(ToString(end.outcome), end.blamed, notes);
  if (notes.deaths >= kDeathsMax) {
    end.outcome = Outcome::kFailed;
    end.message = absl::StrCat("lost ", notes.deaths,
                               " times in a row, at last: ", end.message);
  }
  if (end.outcome == Outcome::kRefused && notes.refusals >= kRefusalsMax) {
    end.outcome = Outcome::kFailed;
    end.message = absl::StrCat("could not be started ", notes.refusals,
                               " times, at last: ", end.message);
  }
}

// All parts are over: the attempt's end goes on record and to the engine, and
// is acknowledged to its nodes after the commit.
void Driver::FinishAttempt(LiveAttempt& attempt) {
  AttemptEnd end = EndOf(attempt);
  JobNotes& notes = notes_[attempt.job];
  FailIfHopeless(end, notes);
  const absl::Time began = attempt.row.started.value_or(end.at);
  notes.ran += end.at - began;
  notes.ended = end.at;
  notes.went_on = false;
  notes.exit_code = end.exit_code;
  if (!notes.first_started && attempt.row.started) {
    notes.first_started = attempt.row.started;
  }
  notes.note = end.message;
  attempt.row.ended = end.at;
  attempt.row.outcome = OutcomeName(end.outcome, attempt.stop);
  attempt.row.exit_code = end.exit_code;
  attempt.row.signal = end.signal;
  attempt.row.message = end.message;
  attempt.row.blamed = end.blamed;
  attempt.row.use = attempt.use.Text();
  work_.batch.attempts.push_back(attempt.CurrentRow());
  TakeEnergy(attempt, /*everything=*/true);
  absl::Duration work =
      std::max(end.at - began - end.checkpoint_cost, absl::ZeroDuration());
  if (const Job* const job = engine_->job(attempt.job)) {
    work = engine_->shape(*job).WorkIn(work, attempt.row.count);
  }
  work_.events.emplace_back(AttemptEnded{attempt.job, attempt.epoch, end.at,
                                         end.outcome, work,
                                         end.checkpoint_cost});
  for (const AttemptPart& part : attempt.parts) {
    const NodeEntry* const node = nodes_.Find(part.node);
    v1::SchedulerMessage message;
    *message.mutable_acknowledge()->add_ended() = KeyOf(attempt);
    if (node != nullptr) Send(*node, std::move(message));
  }
  attempts_.Remove(attempt.job);
}

void Driver::OnTelemetry(NodeEntry& node, const v1::Telemetry& telemetry) {
  for (const v1::EnergySample& sample : telemetry.samples()) {
    LiveAttempt* const attempt = attempts_.Find(JobId(sample.key().job_id()),
                                                Epoch(sample.key().epoch()));
    AttemptPart* const part =
        attempt == nullptr ? nullptr : attempt->Part(node.id);
    if (part == nullptr) continue;
    if (!std::isfinite(sample.joules()) || sample.joules() < 0) {
      Log(LogLevel::kWarning, "an impossible energy sample was dropped",
          {{"node", node.name},
           {"job", sample.key().job_id()},
           {"joules", sample.joules()}});
      continue;
    }
    // Word of the start may come after it: until then it used nothing.
    if (!part->started) {
      attempt->energy->Started(attempt->RankOf(*part),
                               FromProto(sample.start()));
    }
    attempt->energy->Report(attempt->RankOf(*part), FromProto(sample.start()),
                            FromProto(sample.end()), Joules(sample.joules()),
                            sample.method());
    TakeUse(*attempt, sample);
    TakeEnergy(*attempt, /*everything=*/false);
  }
  if (telemetry.has_node_joules()) TakeNodeEnergy(node, telemetry);
}

// Its lease is over: by now its agent has stopped everything on it.
void Driver::LoseNode(NodeEntry& node) {
  Log(LogLevel::kError, "node is lost: what ran there starts again",
      {{"node", node.name}});
  node.state = NodeState::kLost;
  if (node.link != nullptr) {
    setup_.directory->Remove(node.name, node.link.get());
    node.link->Close(absl::FailedPreconditionError("the node's lease is over"));
    nodes_.SetLink(node, nullptr);
  }
  for (const JobId job : attempts_.JobsOn(node.id)) {
    LiveAttempt& attempt = *attempts_.Find(job);
    AttemptPart& part = *attempt.Part(node.id);
    if (part.ended) continue;
    part.message = "node " + node.name + " was lost";
    PartEnded(attempt, part, work_.now, Outcome::kLost);
  }
  work_.events.emplace_back(NodeLost{node.id});
}

void Driver::SendStop(const LiveAttempt& attempt, const AttemptPart& part,
                      v1::StopAttempt::Why why) {
  const NodeEntry* const node = nodes_.Find(part.node);
  if (node == nullptr) return;
  v1::SchedulerMessage message;
  *message.mutable_stop()->mutable_key() = KeyOf(attempt);
  message.mutable_stop()->set_why(why);
  Send(*node, std::move(message));
}

namespace {

// What is left of its limit, which is about its own width: where it runs
// slower it may run as much longer. Not shorter where it runs faster, as the
// speed-up is only what its user says.
absl::Duration TimeLimitOf(const Job& job, const JobShape& shape,
                           uint32_t count) {
  const absl::Duration left = std::max(
      absl::Duration(job.spec.time_limit) - job.executed, absl::ZeroDuration());
  return left / std::min(1.0, shape.SpeedAt(count));
}

}  // namespace

void Driver::SendStart(const LiveAttempt& attempt, const AttemptPart& part) {
  const NodeEntry* const node = nodes_.Find(part.node);
  const Job* const job = engine_->job(attempt.job);
  if (node == nullptr || job == nullptr) return;
  v1::SchedulerMessage message;
  v1::StartAttempt& start = *message.mutable_start();
  SubmissionRow row;
  if (const auto submitted = work_.submitted.find(attempt.job);
      submitted != work_.submitted.end()) {
    row = work_.batch.submissions[submitted->second];
  } else {
    absl::StatusOr<JobRecord> record = setup_.ledger->reader().Job(attempt.job);
    if (!record.ok()) {
      // The node's next registration tries again.
      Log(LogLevel::kError, "a job's submission can't be read",
          {{"job", attempt.job.value()}, {"error", record.status()}});
      return;
    }
    row = std::move(record->submission);
    start.set_checkpoint(
        LastCheckpoint(record->attempts, work_.batch.attempts, attempt.job));
  }
  start.mutable_spec()->ParseFromString(row.payload);
  *start.mutable_key() = KeyOf(attempt);
  start.set_count(part.count);
  start.set_rank(attempt.RankOf(part));
  for (const AttemptPart& p : attempt.parts) {
    v1::NodeShare& share = *start.add_gang();
    share.set_node(nodes_.Find(p.node)->name);
    share.set_count(p.count);
  }
  if (job->spec.time_limit != absl::InfiniteDuration()) {
    *start.mutable_time_limit() =
        ToProto(TimeLimitOf(*job, engine_->shape(*job), attempt.row.count));
  }
  if (row.array_index) {
    start.set_array_index(*row.array_index);
    start.set_array_id(row.array_id.value());
  }
  start.set_resume(attempt.resume);
  start.set_site(topology().site(attempt.pool).name);
  Send(*node, std::move(message));
}

}  // namespace ccsched
