// A meter that may hang, waited for only so long.
// SPDX-License-Identifier: Apache-2.0
#include "agent/patient_meter.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"

namespace ccsched {

absl::StatusOr<std::unique_ptr<Meter>> PatientMeter::Open(OpenMeter open,
                                                          Guess guess,
                                                          Patience to_open,
                                                          Patience to_read) {
  std::unique_ptr<PatientMeter> meter(
      new PatientMeter(std::move(open), std::move(guess), to_read));
  Shared& shared = *meter->shared_;
  {
    std::unique_lock lock(shared.mutex);
    shared.busy = true;
    meter->BeginThread();
    shared.changed.wait_for(lock, to_open, [&] { return !shared.busy; });
    meter->late_ = shared.busy;
  }
  if (meter->late_) {
    Log(LogLevel::kError,
        "the meter does not answer: what it would say is unknown",
        {{"meter", meter->guess_.name}});
    return meter;
  }
  meter->judged_ = true;
  RETURN_IF_ERROR(shared.meter.status());
  if (*shared.meter == nullptr) return nullptr;
  meter->guess_ = {.name = (*shared.meter)->name(),
                   .device_count = (*shared.meter)->device_count()};
  return meter;
}

PatientMeter::PatientMeter(OpenMeter open, Guess guess, Patience patience)
    : guess_(std::move(guess)),
      patience_(patience),
      shared_(std::make_shared<Shared>()) {
  shared_->open = std::move(open);
}

PatientMeter::PatientMeter(std::unique_ptr<Meter> meter, Patience patience)
    : guess_({.name = meter->name(), .device_count = meter->device_count()}),
      patience_(patience),
      shared_(std::make_shared<Shared>()),
      judged_(true) {
  shared_->meter = std::move(meter);
}

PatientMeter::~PatientMeter() {
  if (!thread_.joinable()) return;
  bool hangs = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->stop = true;
    hangs = !shared_->changed.wait_for(lock, late_ ? patience_ * 0 : patience_,
                                       [this] { return !shared_->busy; });
  }
  shared_->changed.notify_all();
  if (hangs) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

// With the first that is to do, so that it inherits what signals are blocked
// then.
void PatientMeter::BeginThread() {
  if (thread_.joinable()) return;
  thread_ = std::thread([shared = shared_] { Run(*shared); });
}

void PatientMeter::Run(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  for (;;) {
    shared.changed.wait(lock, [&] { return shared.stop || shared.busy; });
    if (shared.stop && !shared.busy) return;
    lock.unlock();
    if (const OpenMeter open = std::exchange(shared.open, nullptr)) {
      shared.meter = open();
    } else {
      shared.readings = (*shared.meter)->Read();
    }
    lock.lock();
    shared.busy = false;
    shared.changed.notify_all();
  }
}

// One that was open too late: whether it is what it was taken for.
void PatientMeter::Judge() {
  judged_ = true;
  const absl::StatusOr<std::unique_ptr<Meter>>& meter = shared_->meter;
  std::string why;
  if (!meter.ok()) {
    why = std::string(meter.status().message());
  } else if (*meter == nullptr) {
    why = "it has no devices";
  } else if ((*meter)->device_count() != guess_.device_count) {
    why = absl::StrCat("it has ", (*meter)->device_count(), " devices, not ",
                       guess_.device_count, ": start the agent again");
  }
  usable_ = why.empty();
  if (usable_) return;
  Log(LogLevel::kError, "the meter is open, too late, and can't be used",
      {{"meter", guess_.name}, {"reason", why}});
}

std::vector<DeviceReading> PatientMeter::Read() {
  if (!usable_) return Unknown();
  BeginThread();
  std::unique_lock lock(shared_->mutex);
  if (!shared_->busy && !judged_) Judge();
  if (!usable_) return Unknown();
  if (!shared_->busy) {
    shared_->busy = true;
    shared_->changed.notify_all();
    shared_->changed.wait_for(lock, patience_,
                              [this] { return !shared_->busy; });
  }
  const bool late = shared_->busy;
  if (late != std::exchange(late_, late)) {
    Log(late ? LogLevel::kError : LogLevel::kInfo,
        late ? "the meter does not answer: what it would say is unknown"
             : "the meter answers again",
        {{"meter", guess_.name}});
  }
  return late ? Unknown() : shared_->readings;
}

}  // namespace ccsched
