// Plays jobs through the engine: a small fleet for tests of policies.
// SPDX-License-Identifier: Apache-2.0
//
//   Play play(cluster.topology(), *MakePolicy("fcfs", {}));
//   play.Forecast(0, {100, 200, 50});
//   play.Pool(0, 8);
//   play.Job({.submit_h = 0, .runtime_h = 2, .count = 4});
//   PlayResult result = play.Run();
#ifndef CCSCHED_TESTS_POLICIES_PLAY_H_
#define CCSCHED_TESTS_POLICIES_PLAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/core/engine.h"

namespace ccsched::testing {

// A job of a play; times in hours after its beginning, T(0).
struct PlayJob {
  double submit_h = 0;
  double runtime_h = 1;                // on `count` accelerators
  std::optional<double> believed_h{};  // what is said of it; known if absent
  uint32_t count = 1;
  uint32_t min_count = 0;  // 0: count
  uint32_t max_count = 0;
  double exponent = 1;  // of its speed-up; linear
  std::optional<double> max_delay_h{};
  bool suspendable = false;
  double checkpoint_h = 0;
  double restart_h = 0;
  double late_h = 0;  // a checkpoint takes so much longer than said
  int32_t priority = 0;
  std::vector<uint16_t> pools{};  // empty: all
};

// A stretch of running on so many accelerators.
struct PlayStretch {
  uint64_t job = 0;
  PoolId pool;
  uint32_t count = 0;
  absl::Time start, end;
};

struct PlayResult {
  std::vector<PlayStretch> stretches;   // by their start
  std::map<uint64_t, absl::Time> ends;  // of the jobs that ended
  std::vector<std::string> refusals;
  std::string transcript;  // each decision in a line
  uint64_t steps = 0;

  // First start of a job, hours.
  double StartHours(uint64_t job) const;
  double EndHours(uint64_t job) const;
  // The job's stretches: "0-2@0x4 5-6@1x4" (hours, pool, count).
  std::string Stretches(uint64_t job) const;
};

class Play {
 public:
  Play(Topology topology, std::unique_ptr<Policy> policy,
       std::optional<absl::Time> horizon = std::nullopt);

  // A perfect hourly forecast of a region, repeated day by day beyond its end.
  Play& Forecast(uint16_t region, std::vector<double> grams_per_kwh);
  // A node of so many accelerators; a pool may have several.
  Play& Node(uint16_t pool, uint32_t count);
  // Numbered from 1 in the order of these calls.
  Play& Job(const PlayJob& job);
  // Submits and cancels held jobs before all else: no policy ever sees them,
  // but job slots and shapes are numbered otherwise afterwards.
  Play& Churn();
  // Runs until all has ended, but at most `max_steps` steps.
  PlayResult Run(uint64_t max_steps = 1'000'000);

 private:
  class Player;

  Topology topology_;
  std::unique_ptr<Engine> engine_;
  std::vector<Event> first_;
  std::vector<PlayJob> jobs_;
  bool churn_ = false;
  uint32_t nodes_ = 0;
};

// A named instance that all policies are put through.
struct PlayCase {
  std::string name;
  std::optional<absl::Time> horizon;
  Topology topology;
  std::vector<std::vector<double>> forecasts;  // by region; empty: none
  std::vector<std::pair<uint16_t, uint32_t>> nodes;
  std::vector<PlayJob> jobs;
  // There is room for all jobs at any time.
  bool ample = false;
};

PlayResult RunCase(const PlayCase& play_case, std::unique_ptr<Policy> policy,
                   bool churn = false);

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_POLICIES_PLAY_H_
