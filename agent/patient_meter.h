// A meter that may hang, waited for only so long.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_PATIENT_METER_H_
#define CCSCHED_AGENT_PATIENT_METER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/meter.h"

namespace ccsched {

// Opens and reads another meter on a thread of its own. A driver whose device
// is lost may never answer: the first reading that takes too long is waited for
// that long, those after it not at all until it has come to its end. What is
// not read in time is unknown.
class PatientMeter : public Meter {
 public:
  using Patience = std::chrono::milliseconds;
  using OpenMeter = std::function<absl::StatusOr<std::unique_ptr<Meter>>()>;
  // What it is taken for while it is not open.
  struct Guess {
    std::string name;
    size_t device_count = 0;
  };
  // Opens it. What `open` says within `to_open` is the answer, an error and
  // null too. Afterwards it is what `guess` says, and all readings are unknown
  // until it is open; for good, if it then has another number of devices.
  // REQUIRES: `open` owns all that it uses.
  static absl::StatusOr<std::unique_ptr<Meter>> Open(OpenMeter open,
                                                     Guess guess,
                                                     Patience to_open,
                                                     Patience to_read);

  // One that is open. REQUIRES: meter is not null.
  PatientMeter(std::unique_ptr<Meter> meter, Patience patience);
  // Leaves to itself what still hangs then.
  ~PatientMeter() override;
  PatientMeter(const PatientMeter&) = delete;
  PatientMeter& operator=(const PatientMeter&) = delete;

  std::string name() const override { return guess_.name; }
  size_t device_count() const override { return guess_.device_count; }
  std::vector<DeviceReading> Read() override;

 private:
  // What the thread has, too, for as long as it needs it.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    // The thread's while it is busy, as are these:
    OpenMeter open;  // null once it was tried
    absl::StatusOr<std::unique_ptr<Meter>> meter;
    std::vector<DeviceReading> readings;  // the last
    bool busy = false;                    // from here on: guarded by mutex
    bool stop = false;
  };
  PatientMeter(OpenMeter open, Guess guess, Patience patience);
  static void Run(Shared& shared);
  void BeginThread();
  void Judge();
  std::vector<DeviceReading> Unknown() const {
    return std::vector<DeviceReading>(guess_.device_count);
  }

  Guess guess_;  // what it is, once it is open
  const Patience patience_;
  const std::shared_ptr<Shared> shared_;
  bool late_ = false;
  bool judged_ = false;
  bool usable_ = true;
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PATIENT_METER_H_
