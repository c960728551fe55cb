// Recomputes every figure of a simulated run from its schedule file, the
// scenario and its traces, and refuses what can't be.
// SPDX-License-Identifier: Apache-2.0
//
// Shares no code with the simulator: its own reading of YAML and CSV, its own
// arithmetic, hour by hour.
#ifndef CCSCHED_TESTS_SIM_SCHEDULE_CHECKER_H_
#define CCSCHED_TESTS_SIM_SCHEDULE_CHECKER_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace YAML {
class Node;
}

namespace ccsched::testing {

struct CheckedPool {
  std::string accelerator;
  int64_t count = 0;  // 0: unlimited
  int64_t node_size = 0;
  double idle_kw = 0, active_kw = 0;
};
struct CheckedSite {
  std::string name, region;
  double pue = 1;
  // Hourly, from `pue_start` on, in place of `pue`.
  int64_t pue_start = 0;
  std::vector<double> hourly_pue;
  double cap_watts = 0;  // 0: none
  std::vector<CheckedPool> pools;
};
struct CheckedJob {
  int64_t submit = 0, duration = 0;  // microseconds
  int64_t count = 1;
  int64_t deadline = INT64_MAX;
};
struct CheckedRow {
  std::string job, site, accelerator;
  int64_t segment = 0, count = 0, start = 0, end = 0, overhead = 0, lost = 0;
  double co2e_g = 0;
};

// A scenario as the checker understands it.
class ScheduleChecker {
 public:
  explicit ScheduleChecker(const std::string& scenario_path);

  // All that is wrong with the schedule and with what `run`, one of the runs
  // of ccsched.sim/v1, says of it; at most a few of each kind. Empty: nothing.
  std::vector<std::string> Check(const std::vector<CheckedRow>& rows,
                                 const nlohmann::json& run) const;

  static std::vector<CheckedRow> ReadSchedule(const std::string& path);

 private:
  using Rows = std::vector<const CheckedRow*>;
  void ReadSpeeds(const YAML::Node& defaults);
  void ReadJobs(const std::string& path, const std::string& format);
  const CheckedPool* FindPool(const CheckedRow& row,
                              const CheckedSite** site) const;
  // ∫ PUE × intensity dt, hour by hour, and (`region` empty) ∫ PUE dt.
  double Integral(const CheckedSite& site, const std::string& region,
                  int64_t from, int64_t to) const;
  const CheckedSite& FindSite(const std::string& name) const;
  // Useful work of a row, in microseconds at the job's own count.
  double SpeedAt(double width) const;
  double WorkOf(const CheckedRow& row, const CheckedJob& job) const;
  // What the bytes that were moved for each row emit.
  std::map<const CheckedRow*, double> Moves(
      const std::map<std::string, Rows>& by_job, double* kwh) const;
  void CheckRows(const std::vector<CheckedRow>& rows) const;
  void CheckCarbon(const std::vector<CheckedRow>& rows,
                   const std::map<const CheckedRow*, double>& moves) const;
  void CheckCaps(const std::vector<CheckedRow>& rows) const;
  void CheckJobs(const std::map<std::string, Rows>& by_job) const;
  void CheckWidth(const CheckedRow& row, const CheckedJob& job) const;
  void CheckOneJob(const std::string& id, const CheckedJob& job,
                   const Rows& rows) const;
  void CheckCapacity(const std::vector<CheckedRow>& rows) const;
  void CheckNodes(const CheckedSite& site, const CheckedPool& pool,
                  const Rows& running) const;
  void CheckFigures(const std::vector<CheckedRow>& rows,
                    const std::map<std::string, Rows>& by_job, double moved_kwh,
                    const nlohmann::json& run) const;
  void CheckWaits(const std::map<std::string, Rows>& by_job,
                  const nlohmann::json& run) const;
  void Say(const std::string& kind, const std::string& what) const;
  void Compare(const nlohmann::json& run, const std::string& name,
               double value) const;

  int64_t start_ = 0, end_ = INT64_MAX, horizon_ = INT64_MAX;
  bool suspendable_ = false, elastic_ = false, faults_ = false;
  std::map<double, double> speeds_;  // as measured, by width
  double least_width_ = 1, most_width_ = 1;
  double exponent_ = 1, gbit_per_s_ = 0, kwh_per_gb_ = 0, state_gb_ = 0;
  int64_t checkpoint_ = 0, restart_ = 0;
  std::string accelerator_;
  std::vector<CheckedSite> sites_;
  std::map<std::string, std::pair<int64_t, std::vector<double>>> grids_;
  std::map<std::string, CheckedJob> jobs_;
  int64_t shift_ = 0, tick_ = 1, max_delay_ = INT64_MAX;
  std::vector<std::pair<int64_t, int64_t>> classes_;  // shorter than, delay
  mutable std::map<std::string, int> said_;
  mutable std::vector<std::string> wrong_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_SIM_SCHEDULE_CHECKER_H_
