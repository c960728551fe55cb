// The one thread that decides: inputs in, one step, one commit, answers out.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/driver.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/journal.h"

namespace ccsched {
namespace {

// Jobs and messages that one step takes at most.
constexpr size_t kStepMax = 4096;
constexpr size_t kStepsNoted = 4096;
constexpr std::chrono::milliseconds kSweepEvery{500};
constexpr std::chrono::milliseconds kRetryFirst{50}, kRetryLast{1000};
// A wake-up further away is looked at again by then.
constexpr absl::Duration kWaitMax = absl::Seconds(1);
constexpr std::chrono::seconds kReaderPatience{5};

// Whether trying the same commit again may help.
bool MayPass(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsPermissionDenied(status);
}

}  // namespace

Driver::Driver(DriverSetup setup)
    : setup_(std::move(setup)),
      courier_(std::make_unique<Courier>(setup_.hub)) {}

Driver::~Driver() = default;

absl::StatusOr<std::unique_ptr<Driver>> Driver::Create(DriverSetup setup) {
  std::unique_ptr<Driver> driver(new Driver(std::move(setup)));
  RETURN_IF_ERROR(driver->Restore());
  return driver;
}

// Whole microseconds, as recorded; never backwards.
absl::Time Driver::ReadClock() {
  const absl::Time now =
      absl::FromUnixMicros(absl::ToUnixMicros(clock_->Now()));
  return std::max(now, last_step_);
}

std::chrono::steady_clock::time_point Driver::NextDeadline() const {
  const absl::Time next = std::min(wake_, grid_->next_update());
  const absl::Duration wait = std::clamp(clock_->ToReal(next - clock_->Now()),
                                         absl::ZeroDuration(), kWaitMax);
  return std::min(next_sweep_, std::chrono::steady_clock::now() +
                                   absl::ToChronoNanoseconds(wait));
}

absl::Status Driver::Run() {
  std::vector<Input> inputs;
  if (agree_) {
    // Before anybody asks or submits: a step of its own. Forecasts first, by
    // which the engine tells what is still expected of each job.
    work_.now = ReadClock();
    grid_->Update(work_.now, work_.events);
    Agree();
    RETURN_IF_ERROR(RunStep(inputs));
  }
  for (;;) {
    inputs.clear();
    const bool open = setup_.inbox->Pop(kStepMax, NextDeadline(), inputs);
    if (!open && inputs.empty()) break;
    RETURN_IF_ERROR(RunStep(inputs));
  }
  // What the meters said of this hour would be lost.
  work_.now = ReadClock();
  RecordNodeEnergy(node_energy_.TakeAll());
  SaveShares(true);
  return work_.batch.empty() ? absl::OkStatus() : CommitDurably(work_.batch);
}

absl::Status Driver::RunStep(std::vector<Input>& inputs) {
  work_.now = ReadClock();
  // A reload takes up what is on record: it goes before the inputs of its step,
  // which are not, yet.
  const auto is_reload = [](const Input& input) {
    return std::holds_alternative<ReloadConfig>(input);
  };
  if (std::any_of(inputs.begin(), inputs.end(), is_reload)) {
    std::stable_partition(inputs.begin(), inputs.end(), is_reload);
  }
  for (Input& input : inputs) {
    std::visit([this](auto& in) { Apply(in); }, input);
  }
  if (std::chrono::steady_clock::now() >= next_sweep_) SweepLeases();
  grid_->Update(work_.now, work_.events);
  prices_.Update(work_.events);
  if (work_.events.empty() && work_.now >= wake_) {
    work_.events.emplace_back(Tick{});
  }
  if (!work_.events.empty()) {
    const RealTime began = std::chrono::steady_clock::now();
    const Effects& effects = engine_->Step(work_.now, work_.events);
    NoteStep(std::chrono::steady_clock::now() - began);
    last_step_ = work_.now;
    wake_ = effects.wake;
    SettleIntakes(effects);
    RecordEffects(effects);
    SaveShares(false);
    FeedShadow(effects);
    StepRow& step = work_.batch.step.emplace();
    step.now = work_.now;
    JournalOf(work_.events, effects.refusals).SerializeToString(&step.events);
    JournalOf(effects).SerializeToString(&step.decisions);
  }
  if (setup_.metrics != nullptr && setup_.metrics->wanted()) {
    setup_.metrics->Publish(MakeMetrics());
  }
  RecordAttempts();
  if (!work_.batch.empty()) {
    Failpoint("scheduler.stepped");
    RETURN_IF_ERROR(CommitDurably(work_.batch));
    Failpoint("scheduler.committed");
  }
  courier_->Deliver(std::move(work_.outbox));
  if (!work_.batch.empty()) Failpoint("scheduler.answered");
  work_.outbox = Outbox();
  work_.batch.Clear();
  work_.events.clear();
  work_.intakes.clear();
  work_.keys.clear();
  work_.asked.clear();
  work_.submitted.clear();
  work_.rows_changed.clear();
  return absl::OkStatus();
}

// Nobody is told what is not on record. Other answers are dropped, which tells
// their callers as much.
void Driver::GiveUp(const absl::Status& why) {
  for (Outbox::Receipt& receipt : work_.outbox.receipts) {
    receipt.submission.reply(
        absl::UnavailableError(absl::StrCat(
            "the scheduler has stopped before this was on record: ",
            why.message())),
        {});
  }
  work_.outbox = Outbox();
}

void Driver::NoteStep(std::chrono::steady_clock::duration took) {
  const auto ms = std::chrono::duration<float, std::milli>(took).count();
  if (step_ms_.size() < kStepsNoted) {
    step_ms_.push_back(ms);
  } else {
    step_ms_[steps_ % kStepsNoted] = ms;
  }
  ++steps_;
  const double seconds = ms / 1000;
  step_seconds_ += seconds;
  for (size_t b = 0; b < kStepBuckets.size(); ++b) {
    if (seconds > kStepBuckets[b]) continue;
    ++step_counts_[b];
    break;
  }
}

// The engine has stepped, so the batch must get on record before anything else
// can happen: the same batch is tried until it is.
absl::Status Driver::CommitDurably(const Batch& batch) {
  absl::Status status = setup_.ledger->Commit(batch);
  if (status.ok()) return status;
  auto wait = kRetryFirst;
  bool told = false;
  while (MayPass(status) && !stopping_) {
    if (!told) {
      told = true;
      Log(LogLevel::kError,
          "the ledger can't be written: nothing is acknowledged until it can",
          {{"error", status}});
      setup_.inbox->RefuseClients(absl::UnavailableError(absl::StrCat(
          "the scheduler's ledger can't be written now: ", status.message())));
      if (setup_.on_health) setup_.on_health(false);
    }
    std::this_thread::sleep_for(wait);
    wait = std::min(2 * wait, kRetryLast);
    status = setup_.ledger->Commit(batch);
  }
  if (told && status.ok()) {
    Log(LogLevel::kInfo, "the ledger can be written again");
    setup_.inbox->RefuseClients(absl::OkStatus());
    if (setup_.on_health) setup_.on_health(true);
  }
  if (!status.ok()) {
    Log(LogLevel::kError, "a step could not be recorded: starting anew helps",
        {{"error", status}});
    GiveUp(status);
  }
  return status;
}

void Driver::SweepLeases() {
  const RealTime now = std::chrono::steady_clock::now();
  next_sweep_ = now + kSweepEvery;
  setup_.directory->CutStalled(now - kReaderPatience);
  LeaseVerdict verdict = JudgeLeases(nodes_, lease_times_, now);
  for (NodeEntry* const node : verdict.heard) {
    node->state = NodeState::kUp;
    work_.events.emplace_back(NodeJoined{node->id, node->pool, node->count,
                                         !node->container_runtime.empty()});
    Log(LogLevel::kInfo, "node is heard again", {{"node", node->name}});
  }
  for (NodeEntry* const node : verdict.silent) {
    node->state = NodeState::kSilent;
    work_.events.emplace_back(NodeSilent{node->id});
    Log(LogLevel::kWarning, "node is silent", {{"node", node->name}});
  }
  for (NodeEntry* const node : verdict.lost) LoseNode(*node);
  if (verdict.held_back > 0 && !holding_back_) {
    Log(LogLevel::kError,
        "most nodes are silent at once: nothing is restarted elsewhere",
        {{"leases_over", verdict.held_back}});
  }
  holding_back_ = verdict.held_back > 0;
}

}  // namespace ccsched
