// A meter that may hang, waited for only so long.
// SPDX-License-Identifier: Apache-2.0
#include "agent/patient_meter.h"

#include <utility>

#include "scheduler/base/log.h"

namespace ccsched {

PatientMeter::PatientMeter(std::unique_ptr<Meter> meter,
                           std::chrono::milliseconds patience)
    : name_(meter->name()),
      device_count_(meter->device_count()),
      patience_(patience),
      shared_(std::make_shared<Shared>()) {
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

void PatientMeter::Run(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  for (;;) {
    shared.changed.wait(lock, [&] { return shared.stop || shared.busy; });
    if (shared.stop && !shared.busy) return;
    lock.unlock();
    std::vector<DeviceReading> readings = shared.meter->Read();
    lock.lock();
    shared.readings = std::move(readings);
    shared.busy = false;
    shared.changed.notify_all();
  }
}

std::vector<DeviceReading> PatientMeter::Read() {
  // With the first reading, so that it inherits what signals are blocked then.
  if (!thread_.joinable()) {
    thread_ = std::thread([shared = shared_] { Run(*shared); });
  }
  std::unique_lock lock(shared_->mutex);
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
        {{"meter", name_}});
  }
  if (late) return std::vector<DeviceReading>(device_count_);
  return shared_->readings;
}

}  // namespace ccsched
