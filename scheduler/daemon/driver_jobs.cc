// The driver: submissions, and what users ask of their jobs.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/wire/keyed_job.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

// All jobs of an array as recorded: each is a row of its own.
constexpr size_t kArrayBytesMax = 256 << 20;

std::vector<uint32_t> Totals(absl::Span<const PoolUse> pools) {
  std::vector<uint32_t> totals;
  for (const PoolUse& pool : pools) totals.push_back(pool.total);
  return totals;
}

// To who came under a key just after another job, which was not taken: the key
// is free.
absl::Status KeyOfNoJob(const std::string& key, const absl::Status& why) {
  return absl::AbortedError(absl::StrCat(
      "key: '", Printable(key),
      "' came at the same time with another job, which was refused (",
      why.message(), "); nothing was submitted; submit this one again"));
}

// Of an act on several jobs: what was refused of it.
absl::Status OutcomeOf(const v1::JobActionResponse& response) {
  const auto refused =
      std::find_if(response.results().begin(), response.results().end(),
                   [](const auto& result) { return !result.done(); });
  if (refused == response.results().end()) return absl::OkStatus();
  const auto done =
      std::count_if(response.results().begin(), response.results().end(),
                    [](const auto& result) { return result.done(); });
  return absl::FailedPreconditionError(absl::StrCat(
      done, " of ", response.results_size(), " done; ", refused->message()));
}

}  // namespace

absl::StatusOr<ModelJob> Driver::Model(const v1::JobSpec& spec) const {
  ASSIGN_OR_RETURN(ModelJob job, ToModel(spec, setup_.cluster.config.defaults(),
                                         topology(), work_.now));
  job.shape.placement = engine_->InternPlacement(job.placement);
  if (job.shape.container) RETURN_IF_ERROR(CheckRunsImages(job, spec.image()));
  // At its own width: whether it is ever started at another is the policy's.
  JobShape rigid = job.shape;
  rigid.min_count = rigid.max_count = rigid.count;
  if (!engine_->CouldEverFit(rigid)) {
    return CanNeverFit(job, topology(), Totals(engine_->pools()));
  }
  return job;
}

// Better to say no now than to let the job wait for a node that may never come.
absl::Status Driver::CheckRunsImages(const ModelJob& job,
                                     const std::string& image) const {
  for (const NodeEntry& node : nodes_.nodes()) {
    if (node.state == NodeState::kUp && !node.container_runtime.empty() &&
        std::find(job.placement.begin(), job.placement.end(), node.pool) !=
            job.placement.end()) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "image: '", image,
      "' can be run nowhere: no node that is up at an allowed site has podman "
      "or apptainer (see 'ccsched nodes')"));
}

// Jobs that must succeed first and are not yet through. An array's first job
// stands for all of the array.
absl::StatusOr<std::vector<JobId>> Driver::Dependencies(
    const v1::JobSpec& spec) {
  std::vector<JobId> live;
  for (const uint64_t id : spec.after()) {
    if (id == 0 || id > last_job_) {
      return absl::InvalidArgumentError(
          absl::StrCat("after: there is no job ", id));
    }
    JobId next(id);
    for (;;) {
      const Job* const job = engine_->job(next);
      absl::StatusOr<JobRecord> record = setup_.ledger->reader().Job(next);
      const bool in_array =
          record.ok() && record->submission.array_id == JobId(id);
      if (next != JobId(id) && !in_array) break;
      if (job != nullptr && !IsTerminal(job->state)) {
        live.push_back(next);
      } else if (!record.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("after: there is no job ", next.value()));
      } else if (static_cast<JobState>(record->state.state) !=
                 JobState::kSucceeded) {
        return absl::FailedPreconditionError(absl::StrCat(
            "after: job ", next.value(), " has ended without success"));
      }
      if (!in_array && record.ok()) break;
      if (!record.ok()) break;  // submitted in this very step
      next = JobId(next.value() + 1);
    }
  }
  return live;
}

void Driver::Apply(Submission& submission) {
  Outbox::Receipt& receipt = work_.outbox.receipts.emplace_back();
  const size_t at = work_.outbox.receipts.size() - 1;
  receipt.results.resize(submission.jobs.size());
  for (size_t i = 0; i < submission.jobs.size(); ++i) {
    receipt.results[i] = TakeJob(*submission.jobs[i], at, i);
  }
  receipt.submission = std::move(submission);
}

// What an earlier job of its key was answered; the same again.
absl::StatusOr<SubmitResult> Driver::KnownKey(const v1::JobSpec& spec) const {
  SubmitResult out;
  if (spec.key().empty()) return out;
  ASSIGN_OR_RETURN(const std::optional<Ledger::KeyedJob> known,
                   setup_.ledger->FindKey(spec.key()));
  if (!known) return out;
  RETURN_IF_ERROR(CheckSameJob(spec, known->payload, known->first));
  out.first = known->first;
  out.jobs = known->jobs;
  out.existed = true;
  return out;
}

SubmitResult Driver::TakeJob(const v1::JobSpec& spec, size_t receipt,
                             size_t result) {
  SubmitResult out;
  if (!spec.key().empty()) {
    const auto here = work_.keys.find(spec.key());
    if (here != work_.keys.end()) {
      Intake& first = work_.intakes[here->second];
      out.status = CheckSameJob(spec, *first.spec, first.first);
      // Settled with the first of its key.
      (out.status.ok() ? first.duplicates : first.others)
          .emplace_back(receipt, result);
      return out;
    }
    const auto known = KnownKey(spec);
    if (!known.ok() || known->existed) {
      if (known.ok()) return *known;
      out.status = known.status();
      return out;
    }
  }
  Intake intake;
  const absl::Status status = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(ModelJob job, Model(spec));
    uint32_t at_most = 0;
    if (!spec.array().empty()) {
      ASSIGN_OR_RETURN(intake.indices, ParseArray(spec.array()));
      intake.count = intake.indices.size();
      at_most = ArrayAtMost(spec.array());
    }
    intake.payload = RecordedJob(spec, job);
    if (intake.payload.size() * intake.count > kArrayBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "array: ", intake.count, " jobs of ", intake.payload.size(),
          " bytes each are too large together: keep the script in a file"));
    }
    std::vector<JobId> after;
    if (spec.after_size() > 0) {
      ASSIGN_OR_RETURN(after, Dependencies(spec));
    }
    intake.first = JobId(last_job_ + 1);
    intake.first_event = work_.events.size();
    job.spec.user = symbols_.Intern(spec.user());
    job.spec.project = InternProject(spec.project());
    job.spec.name = symbols_.Intern(spec.name());
    for (uint32_t i = 0; i < intake.count; ++i) {
      job.spec.id = JobId(++last_job_);
      work_.events.emplace_back(JobSubmitted{
          job.spec, job.shape, after,
          at_most > 0 ? ArrayLimit{intake.first, at_most} : ArrayLimit()});
    }
    return absl::OkStatus();
  }();
  if (!status.ok()) {
    out.status = status;
    return out;
  }
  intake.receipt = receipt;
  intake.result = result;
  intake.spec = &spec;
  if (!spec.key().empty()) work_.keys[spec.key()] = work_.intakes.size();
  work_.intakes.push_back(std::move(intake));
  return out;
}

// After the step: who got in, under which ids.
void Driver::SettleIntakes(const Effects& effects) {
  for (const BaselineFrozen& frozen : effects.baselines) {
    notes_[frozen.job].baseline = frozen.pool;
  }
  size_t r = 0;
  const auto& refusals = effects.refusals;
  for (const Intake& intake : work_.intakes) {
    while (r < refusals.size() && refusals[r].event < intake.first_event) ++r;
    SubmitResult result;
    // The jobs of an array are alike: all are taken, or none.
    if (r < refusals.size() &&
        refusals[r].event < intake.first_event + intake.count) {
      result.status = refusals[r].status;
    } else {
      result.first = intake.first;
      result.jobs = intake.count;
      if (work_.outbox.receipts[intake.receipt].submission.wants_warnings) {
        result.warning = BudgetWarning(intake);
        if (result.warning.empty()) {
          result.warning = ProjectNote(intake.spec->project());
        }
      }
      RecordIntake(intake);
    }
    std::vector<Outbox::Receipt>& receipts = work_.outbox.receipts;
    receipts[intake.receipt].results[intake.result] = result;
    result.existed = result.status.ok();
    for (const auto& [receipt, index] : intake.duplicates) {
      receipts[receipt].results[index] = result;
    }
    if (result.status.ok()) continue;
    for (const auto& [receipt, index] : intake.others) {
      receipts[receipt].results[index].status =
          KeyOfNoJob(intake.spec->key(), result.status);
    }
  }
  LogRefusals(effects);
  for (const auto& [event, answer] : work_.asked) {
    const auto refused =
        std::find_if(refusals.begin(), refusals.end(),
                     [e = event](const Refusal& x) { return x.event == e; });
    answer(refused == refusals.end() ? absl::OkStatus() : refused->status);
  }
}

// What nobody waits to hear: the driver and the engine don't agree.
void Driver::LogRefusals(const Effects& effects) const {
  for (const Refusal& refusal : effects.refusals) {
    const Event& event = work_.events[refusal.event];
    if (std::holds_alternative<JobSubmitted>(event) ||
        std::holds_alternative<JobCancelled>(event) ||
        std::holds_alternative<JobHeld>(event) ||
        std::holds_alternative<JobReleased>(event)) {
      continue;  // its client is told
    }
    Log(LogLevel::kError, "the engine refused an event",
        {{"kind", event.index()}, {"error", refusal.status}});
  }
}

void Driver::RecordIntake(const Intake& intake) {
  const v1::JobSpec& spec = *intake.spec;
  for (uint32_t i = 0; i < intake.count; ++i) {
    SubmissionRow& row = work_.batch.submissions.emplace_back();
    row.id = JobId(intake.first.value() + i);
    row.submitted = work_.now;
    row.user = spec.user();
    row.project = spec.project();
    row.name = spec.name();
    row.key = spec.key();
    row.payload = intake.payload;
    if (!intake.indices.empty()) {
      row.array_index = intake.indices[i];
      row.array_id = intake.first;
    }
    const auto notes = notes_.find(row.id);
    if (notes != notes_.end()) {
      const PoolId pool = notes->second.baseline;
      row.baseline_site = topology().site(pool).name;
      row.baseline_accelerator =
          topology()
              .accelerators[topology().pools[pool.value()].accelerator.value()];
    }
    work_.submitted[row.id] = work_.batch.submissions.size() - 1;
  }
}

void Driver::Apply(JobAction& action) {
  // Shared by the answers to each job's event; sent when the step is on
  // record.
  auto response = std::make_shared<v1::JobActionResponse>();
  const auto act = std::make_shared<const AuditAct>(
      ActOf(action.kind, action.call.request, action.call.caller));
  for (const uint64_t id : action.call.request.job_ids()) {
    v1::JobActionResult* const result = response->add_results();
    result->set_job_id(id);
    const JobId job(id);
    work_.asked.emplace_back(
        static_cast<uint32_t>(work_.events.size()),
        [this, response, act, result, id](const absl::Status& status) {
          result->set_done(status.ok());
          if (status.ok()) return RecordAct(*act, JobId(id));
          result->set_message(std::string(status.message()));
          if (!absl::IsNotFound(status)) return;
          result->set_unknown(id == 0 || id > last_job_);
          result->set_message(result->unknown()
                                  ? absl::StrCat("there is no job ", id)
                                  : absl::StrCat("job ", id, " has ended"));
        });
    switch (action.kind) {
      case JobActionKind::kCancel:
        work_.events.emplace_back(JobCancelled{job});
        break;
      case JobActionKind::kHold:
        work_.events.emplace_back(JobHeld{job});
        break;
      case JobActionKind::kRelease:
        work_.events.emplace_back(JobReleased{job});
        break;
      case JobActionKind::kResize:
        work_.events.emplace_back(
            ResizeAsked{job, action.call.request.count()});
        break;
    }
  }
  work_.outbox.answers.push_back(
      [response, act, reply = std::move(action.call.reply)] {
        LogAct(*act, OutcomeOf(*response));
        reply(*response);
      });
}

}  // namespace ccsched
