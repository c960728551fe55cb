// `ccsched sim`: what the command line calls, with its options parsed.
// SPDX-License-Identifier: Apache-2.0
//
// Each function writes data to `out` and messages to `err` and returns the
// exit status: 0 done, 1 the thing asked for failed. A Status is a request
// that was wrong (exit status 2): its message names file and line, or the job.
#ifndef CCSCHED_SIM_COMMAND_H_
#define CCSCHED_SIM_COMMAND_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ccsched {

// Is given what to do and to say if the work is cut short, from any thread;
// the program ends after it. Empty: nobody asks.
using OnInterrupt = std::function<void(std::function<std::string()>)>;

// Gives them for as long as it lives.
class LastWords {
 public:
  LastWords(const OnInterrupt& give, std::function<std::string()> words)
      : give_(give) {
    if (give_) give_(std::move(words));
  }
  ~LastWords() {
    if (give_) give_({});
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  const OnInterrupt& give_;
};

// `ccsched sim run SCENARIO.yaml`.
struct SimRunOptions {
  std::string scenario;  // path
  // A label or name of the scenario's list, or any policy's name, with
  // parameters after a colon: "planner:settle_h=2,haste=0". Empty: the
  // scenario's list.
  std::vector<std::string> policies;
  std::vector<std::string> set;  // "jobs.defaults.max_delay=48h"
  uint64_t seed = 1;
  int threads = 0;  // 0: as many as there are cores
  bool bound = false;
  std::string schedule_dir;      // empty: none is written
  std::string report;            // an HTML file; empty: none
  std::string output = "table";  // table json csv
  bool skip_bad_rows = false;    // count and report them instead of refusing
  bool timing = true;  // false: cpu_s and decide_cpu_s are null, and the bytes
                       // are the same on every run
  bool progress = false;  // err is a terminal
  size_t width = 0;       // of the terminal that out is; 0: it is none
  OnInterrupt on_interrupt;
};
absl::StatusOr<int> RunSimCommand(const SimRunOptions& options,
                                  std::ostream& out, std::ostream& err);

// `ccsched sim sweep SCENARIO.yaml --set jobs.defaults.max_delay=6h,24h`.
struct SimSweepOptions {
  std::string scenario;
  std::vector<std::string> policies;
  // "path=v1,v2,v3": every combination is run. A path that begins with
  // "policy." is a parameter of every policy that has it.
  std::vector<std::string> vary;
  std::vector<std::string> set;  // fixed, for all runs
  // Other starts, for a mean and a confidence interval: this many windows,
  // each `week_step_days` later than the one before (both start and end).
  int windows = 1;
  int window_step_days = 7;
  uint64_t seed = 1;
  int threads = 0;
  bool bound = false;
  std::string state;  // a file of finished runs: written to, and taken up from
  std::string output = "table";
  bool skip_bad_rows = false;
  bool progress = false;
  size_t width = 0;
  OnInterrupt on_interrupt;
};
absl::StatusOr<int> RunSimSweepCommand(const SimSweepOptions& options,
                                       std::ostream& out, std::ostream& err);

// `ccsched sim replay STATE_DIR [--policy P]...`.
struct SimReplayOptions {
  std::string state_dir;              // of a scheduler; ledger.db is in it
  std::vector<std::string> policies;  // what each of these would have emitted
  std::string output = "table";
  size_t width = 0;
};
absl::StatusOr<int> RunSimReplayCommand(const SimReplayOptions& options,
                                        std::ostream& out, std::ostream& err);

// `ccsched sim gen jobs|grid`.
struct SimGenOptions {
  std::string kind = "jobs";  // jobs grid
  std::string profile;        // "philly", "pai"; "solar", "wind", "nuclear"
  uint64_t jobs = 10'000;
  double days = 28;
  std::string start = "2021-10-03T00:00:00Z";
  uint64_t seed = 1;
  std::string file;  // empty: to `out`
  OnInterrupt on_interrupt;
};
absl::StatusOr<int> RunSimGenCommand(const SimGenOptions& options,
                                     std::ostream& out, std::ostream& err);

}  // namespace ccsched

#endif  // CCSCHED_SIM_COMMAND_H_
