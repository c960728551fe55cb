// A meter that may hang, waited for only so long.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_PATIENT_METER_H_
#define CCSCHED_AGENT_PATIENT_METER_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/meter.h"

namespace ccsched {

// Reads another meter on a thread of its own. A driver whose device is lost may
// never answer: the first reading that takes too long is waited for that long,
// those after it not at all until it has come to its end. What is not read in
// time is unknown.
class PatientMeter : public Meter {
 public:
  // REQUIRES: meter is not null.
  PatientMeter(std::unique_ptr<Meter> meter,
               std::chrono::milliseconds patience);
  // Leaves to itself what still hangs then.
  ~PatientMeter() override;
  PatientMeter(const PatientMeter&) = delete;
  PatientMeter& operator=(const PatientMeter&) = delete;

  std::string name() const override { return name_; }
  size_t device_count() const override { return device_count_; }
  std::vector<DeviceReading> Read() override;

 private:
  // What the thread has, too, for as long as it needs it.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::unique_ptr<Meter> meter;  // the thread's, once it runs
    bool busy = false;             // from here on: guarded by mutex
    bool stop = false;
    std::vector<DeviceReading> readings;  // the last
  };
  static void Run(Shared& shared);

  const std::string name_;
  const size_t device_count_;
  const std::chrono::milliseconds patience_;
  const std::shared_ptr<Shared> shared_;
  bool late_ = false;
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PATIENT_METER_H_
