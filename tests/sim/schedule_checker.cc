// Recomputes every figure of a simulated run and refuses what can't be.
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/schedule_checker.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <tuple>

namespace ccsched::testing {
namespace {

constexpr int kSayings = 3;  // of each kind
constexpr int64_t kHour = 3'600'000'000;

bool Close(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

double Percentile(const std::vector<double>& sorted, double p) {
  const double rank = p * static_cast<double>(sorted.size() - 1);
  const size_t low = static_cast<size_t>(std::floor(rank));
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (rank - std::floor(rank));
}

}  // namespace

void ScheduleChecker::Say(const std::string& kind,
                          const std::string& what) const {
  if (said_[kind]++ < kSayings) wrong_.push_back(kind + ": " + what);
}

void ScheduleChecker::Compare(const nlohmann::json& run,
                              const std::string& name, double value) const {
  const auto at = nlohmann::json::json_pointer("/" + name);
  if (!run.contains(at) || !run[at].is_number()) {
    return Say("figure", name + " is not there");
  }
  if (Close(run[at].get<double>(), value)) return;
  Say("figure",
      name + " is " + run[at].dump() + ", recomputed " + std::to_string(value));
}

const CheckedPool* ScheduleChecker::FindPool(const CheckedRow& row,
                                             const CheckedSite** site) const {
  for (const CheckedSite& s : sites_) {
    if (s.name != row.site) continue;
    for (const CheckedPool& pool : s.pools) {
      if (pool.accelerator != row.accelerator) continue;
      if (site != nullptr) *site = &s;
      return &pool;
    }
  }
  return nullptr;
}

const CheckedSite& ScheduleChecker::FindSite(const std::string& name) const {
  return *std::find_if(sites_.begin(), sites_.end(),
                       [&](const CheckedSite& s) { return s.name == name; });
}

// Hour by hour, so that no prefix sums are trusted.
double ScheduleChecker::Integral(const CheckedSite& site,
                                 const std::string& region, int64_t from,
                                 int64_t to) const {
  double sum = 0;
  for (int64_t t = from; t < to;) {
    // Every series has its steps on the hours.
    const int64_t next = std::min(to, (t / kHour + 1) * kHour);
    double value = site.pue;
    if (!site.hourly_pue.empty()) {
      value = site.hourly_pue.at((t - site.pue_start) / kHour);
    }
    if (!region.empty()) {
      const auto& [start, values] = grids_.at(region);
      value *= values.at((t - start) / kHour);
    }
    sum += value * (static_cast<double>(next - t) / kHour);
    t = next;
  }
  return sum;
}

double ScheduleChecker::SpeedAt(double width) const {
  if (speeds_.empty()) return std::pow(width, exponent_);
  const auto above = speeds_.lower_bound(width);
  if (above == speeds_.end()) return speeds_.rbegin()->second;
  double w0 = 0, s0 = 0;
  if (above != speeds_.begin()) std::tie(w0, s0) = *std::prev(above);
  const double part = (width - w0) / (above->first - w0);
  return (1 - part) * s0 + part * above->second;
}

double ScheduleChecker::WorkOf(const CheckedRow& row,
                               const CheckedJob& job) const {
  const double width =
      static_cast<double>(row.count) / static_cast<double>(job.count);
  return static_cast<double>(row.end - row.start - row.overhead) *
             SpeedAt(width) -
         static_cast<double>(row.lost);
}

std::map<const CheckedRow*, double> ScheduleChecker::Moves(
    const std::map<std::string, Rows>& by_job, double* kwh) const {
  std::map<const CheckedRow*, double> moves;
  *kwh = 0;
  for (const auto& [id, rows] : by_job) {
    const CheckedJob& job = jobs_.at(id);
    double work = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i > 0 && work > 0.5 && rows[i]->site != rows[i - 1]->site) {
        const double moved =
            state_gb_ * static_cast<double>(job.count) * kwh_per_gb_;
        *kwh += moved;
        for (const size_t end : {i - 1, i}) {
          const auto& [start, values] =
              grids_.at(FindSite(rows[end]->site).region);
          moves[rows[i]] +=
              moved / 2 * values.at((rows[i]->start - start) / kHour);
        }
      }
      work += WorkOf(*rows[i], job);
    }
  }
  return moves;
}

std::vector<std::string> ScheduleChecker::Check(
    const std::vector<CheckedRow>& rows, const nlohmann::json& run) const {
  said_.clear();
  wrong_.clear();
  CheckRows(rows);
  // What follows relies on rows that can be.
  if (!wrong_.empty()) return wrong_;
  std::map<std::string, Rows> by_job;
  for (const CheckedRow& row : rows) by_job[row.job].push_back(&row);
  for (auto& [id, of_job] : by_job) {
    std::sort(of_job.begin(), of_job.end(),
              [](const CheckedRow* a, const CheckedRow* b) {
                return a->segment < b->segment;
              });
  }
  double moved_kwh = 0;
  CheckCarbon(rows, Moves(by_job, &moved_kwh));
  if (!wrong_.empty()) return wrong_;
  CheckJobs(by_job);
  CheckCapacity(rows);
  CheckCaps(rows);
  CheckFigures(rows, by_job, moved_kwh, run);
  return wrong_;
}

void ScheduleChecker::CheckCarbon(
    const std::vector<CheckedRow>& rows,
    const std::map<const CheckedRow*, double>& moves) const {
  for (const CheckedRow& row : rows) {
    const CheckedSite* site = nullptr;
    const CheckedPool* const pool = FindPool(row, &site);
    double grams = pool->active_kw * static_cast<double>(row.count) *
                   Integral(*site, site->region, row.start, row.end);
    if (const auto moved = moves.find(&row); moved != moves.end()) {
      grams += moved->second;
    }
    if (!Close(grams, row.co2e_g)) {
      Say("carbon", row.job + "#" + std::to_string(row.segment) + " says " +
                        std::to_string(row.co2e_g) + " g, recomputed " +
                        std::to_string(grams));
    }
  }
}

// At no moment do the accelerators at work draw more than a site's cap.
void ScheduleChecker::CheckCaps(const std::vector<CheckedRow>& rows) const {
  for (const CheckedSite& site : sites_) {
    if (site.cap_watts == 0) continue;
    std::map<int64_t, double> changes;
    for (const CheckedRow& row : rows) {
      if (row.site != site.name) continue;
      const double watts = FindPool(row, nullptr)->active_kw * 1000 *
                           static_cast<double>(row.count);
      changes[row.start] += watts;
      changes[row.end] -= watts;
    }
    double watts = 0;
    for (auto at = changes.begin(); at != changes.end(); ++at) {
      watts += at->second;
      const auto next = std::next(at);
      const int64_t until = next == changes.end() ? at->first : next->first;
      for (int64_t t = at->first; t < until; t = (t / kHour + 1) * kHour) {
        const double pue =
            site.hourly_pue.empty()
                ? site.pue
                : site.hourly_pue.at((t - site.pue_start) / kHour);
        if (watts * pue > site.cap_watts * (1 + 1e-9)) {
          Say("cap",
              site.name + " draws " + std::to_string(watts * pue) + " W");
        }
      }
    }
  }
}

void ScheduleChecker::CheckRows(const std::vector<CheckedRow>& rows) const {
  for (const CheckedRow& row : rows) {
    const std::string name = row.job + "#" + std::to_string(row.segment);
    const CheckedPool* const pool = FindPool(row, nullptr);
    if (pool == nullptr ||
        (!accelerator_.empty() && row.accelerator != accelerator_)) {
      Say("place", name + " ran at " + row.site + " on " + row.accelerator);
      continue;
    }
    if (!jobs_.contains(row.job)) {
      Say("job", row.job + " takes no part");
      continue;
    }
    if (row.end < row.start || row.overhead < 0 || row.lost < 0 ||
        (row.lost > 0 && !faults_) || row.overhead > row.end - row.start ||
        row.count < 1) {
      Say("row", name + " has a negative part");
      continue;
    }
    if (row.end > horizon_) Say("horizon", name + " runs beyond it");
  }
}

void ScheduleChecker::CheckJobs(
    const std::map<std::string, Rows>& by_job) const {
  for (const auto& [id, rows] : by_job) CheckOneJob(id, jobs_.at(id), rows);
}

void ScheduleChecker::CheckWidth(const CheckedRow& row,
                                 const CheckedJob& job) const {
  int64_t least = job.count, most = job.count;
  if (elastic_) {
    const auto own = static_cast<double>(job.count);
    least = std::max<int64_t>(1, static_cast<int64_t>(own * least_width_));
    most = static_cast<int64_t>(own * most_width_);
  }
  if (row.count < least || row.count > most) {
    Say("count", row.job + " has " + std::to_string(row.count) + " of " +
                     std::to_string(job.count));
  }
}

void ScheduleChecker::CheckOneJob(const std::string& id, const CheckedJob& job,
                                  const Rows& rows) const {
  if (rows.front()->start < job.submit) {
    Say("early", id + " starts before it is submitted");
  }
  if (rows.size() > 1 && !suspendable_ && !elastic_ && !faults_) {
    Say("suspended", id + " has several stretches and is not suspendable");
  }
  double work = 0;
  bool cut = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const CheckedRow& row = *rows[i];
    if (row.segment != static_cast<int64_t>(i)) {
      Say("segment", id + " lacks segment " + std::to_string(i));
    }
    if (i > 0 && row.start < rows[i - 1]->end) {
      Say("overlap", id + " runs twice at once");
    }
    CheckWidth(row, job);
    if (i > 0 && elastic_ && !suspendable_ && !faults_ &&
        (row.start > rows[i - 1]->end || row.site != rows[i - 1]->site)) {
      Say("suspended", id + " pauses and is not suspendable");
    }
    const bool last = i + 1 == rows.size();
    cut |= last && row.end == horizon_;
    int64_t restart = work > 0.5 ? restart_ : 0;
    if (work > 0.5 && gbit_per_s_ > 0 && row.site != rows[i - 1]->site) {
      restart += std::llround(state_gb_ * static_cast<double>(job.count) * 8 /
                              gbit_per_s_ * 1e6);
    }
    const int64_t overhead = restart + (last ? 0 : checkpoint_);
    // Another width costs what a pause does. One suspended while it still
    // restarted did no work, and one that lost its node saved nothing.
    const bool short_of =
        row.overhead == row.end - row.start && row.overhead >= checkpoint_;
    const bool well =
        row.overhead == overhead ||
        (!last && row.overhead < overhead && (faults_ || short_of));
    // Where neither takes time, a width changes during the restart of a move.
    const bool free = elastic_ && checkpoint_ + restart_ == 0;
    if (!well && !(free && gbit_per_s_ > 0) && !cut) {
      Say("overhead", id + "#" + std::to_string(i) + " spent " +
                          std::to_string(row.overhead) + " us on overheads");
    }
    const double done = WorkOf(row, job);
    if (row.lost > 0 && !elastic_ && std::abs(done) > 0.5) {
      Say("lost", id + "#" + std::to_string(i) + " lost a part of its work");
    }
    work += done;
  }
  const double slack = elastic_ ? 4.0 * static_cast<double>(rows.size()) : 0;
  if (std::abs(work - static_cast<double>(job.duration)) > slack && !cut) {
    Say("work", id + " worked " + std::to_string(work) + " us of " +
                    std::to_string(job.duration));
  }
}

// At the beginning of each stretch: what runs then has to fit.
void ScheduleChecker::CheckCapacity(const std::vector<CheckedRow>& rows) const {
  for (const CheckedSite& site : sites_) {
    for (const CheckedPool& pool : site.pools) {
      if (pool.count == 0) continue;
      Rows by_start;
      for (const CheckedRow& row : rows) {
        if (FindPool(row, nullptr) == &pool && row.end > row.start) {
          by_start.push_back(&row);
        }
      }
      std::sort(by_start.begin(), by_start.end(),
                [](const CheckedRow* a, const CheckedRow* b) {
                  return a->start < b->start;
                });
      Rows running;
      for (size_t i = 0; i < by_start.size(); ++i) {
        const int64_t now = by_start[i]->start;
        running.push_back(by_start[i]);
        if (i + 1 < by_start.size() && by_start[i + 1]->start == now) continue;
        std::erase_if(running,
                      [now](const CheckedRow* row) { return row->end <= now; });
        CheckNodes(site, pool, running);
      }
    }
  }
}

void ScheduleChecker::CheckNodes(const CheckedSite& site,
                                 const CheckedPool& pool,
                                 const Rows& running) const {
  int64_t sum = 0;
  for (const CheckedRow* row : running) sum += row->count;
  if (sum > pool.count) {
    Say("capacity", site.name + " runs " + std::to_string(sum) + " of " +
                        std::to_string(pool.count) + " at the start of " +
                        running.back()->job);
  }
  if (pool.node_size == 0) return;
  // Jobs wider than a node take whole ones; the others, in sizes that halve,
  // are packed best by first fit, the widest first.
  int64_t nodes = 0;
  std::vector<int64_t> narrow;
  for (const CheckedRow* row : running) {
    if (row->count > pool.node_size) {
      nodes += (row->count + pool.node_size - 1) / pool.node_size;
    } else {
      narrow.push_back(row->count);
    }
  }
  std::sort(narrow.begin(), narrow.end(), std::greater<>());
  std::vector<int64_t> bins;
  for (const int64_t count : narrow) {
    const auto bin = std::find_if(bins.begin(), bins.end(), [&](int64_t used) {
      return used + count <= pool.node_size;
    });
    if (bin == bins.end()) {
      bins.push_back(count);
    } else {
      *bin += count;
    }
  }
  nodes += static_cast<int64_t>(bins.size());
  if (nodes > pool.count / pool.node_size) {
    Say("nodes", site.name + " needs " + std::to_string(nodes) +
                     " nodes at the start of " + running.back()->job);
  }
}

void ScheduleChecker::CheckFigures(const std::vector<CheckedRow>& rows,
                                   const std::map<std::string, Rows>& by_job,
                                   double moved_kwh,
                                   const nlohmann::json& run) const {
  double grams = 0, kwh = moved_kwh;
  int64_t first = INT64_MAX, last = 0;
  for (const auto& [id, job] : jobs_) first = std::min(first, job.submit);
  std::map<std::string, double> used, charged;
  std::map<std::string, std::map<int64_t, int64_t>> changes;
  for (const CheckedRow& row : rows) {
    const CheckedSite* site = nullptr;
    const CheckedPool& pool = *FindPool(row, &site);
    const double hours = static_cast<double>(row.end - row.start) / kHour;
    grams += row.co2e_g;
    kwh += pool.active_kw * static_cast<double>(row.count) *
           Integral(*site, "", row.start, row.end);
    used[row.site] += static_cast<double>(row.count) * hours;
    charged[row.site + "/" + row.accelerator] +=
        static_cast<double>(row.count) *
        Integral(*site, site->region, row.start, row.end);
    changes[row.site][row.start] += row.count;
    changes[row.site][row.end] -= row.count;
    last = std::max(last, row.end);
  }
  Compare(run, "co2e_g", grams);
  Compare(run, "energy_kwh", kwh);
  double idle = 0;
  for (const CheckedSite& site : sites_) {
    int64_t total = 0, now = 0, peak = 0;
    for (const CheckedPool& pool : site.pools) {
      total += pool.count;
      if (pool.idle_kw == 0) continue;
      idle += pool.idle_kw * (static_cast<double>(pool.count) *
                                  Integral(site, site.region, first, last) -
                              charged[site.name + "/" + pool.accelerator]);
    }
    for (const auto& [time, change] : changes[site.name]) {
      now += change;
      peak = std::max(peak, now);
    }
    Compare(run, "peak_accelerators/" + site.name, static_cast<double>(peak));
    if (total == 0) continue;
    Compare(run, "utilisation/" + site.name,
            used[site.name] / (static_cast<double>(total) *
                               (static_cast<double>(last - first) / kHour)));
  }
  Compare(run, "idle_co2e_g", idle);
  CheckWaits(by_job, run);
}

void ScheduleChecker::CheckWaits(const std::map<std::string, Rows>& by_job,
                                 const nlohmann::json& run) const {
  std::vector<double> waits;
  double slowdown = 0, wait = 0;
  int64_t broken = 0, unfinished = 0, suspensions = 0, moves = 0;
  for (const auto& [id, job] : jobs_) {
    const auto found = by_job.find(id);
    double work = 0;
    if (found != by_job.end()) {
      for (size_t i = 0; i < found->second.size(); ++i) {
        const CheckedRow& row = *found->second[i];
        work += WorkOf(row, job);
        if (i == 0) continue;
        if (row.start > found->second[i - 1]->end || !elastic_) ++suspensions;
        moves += row.site != found->second[i - 1]->site;
      }
    }
    if (work + 1e3 < static_cast<double>(job.duration) ||
        found == by_job.end()) {
      ++unfinished;
      continue;
    }
    const int64_t end = found->second.back()->end;
    broken += end > job.deadline;
    waits.push_back(static_cast<double>(end - job.submit - job.duration) / 1e6);
    wait += waits.back();
    slowdown += std::max(1.0, static_cast<double>(end - job.submit) /
                                  std::max(1e7, double(job.duration)));
  }
  Compare(run, "jobs", static_cast<double>(jobs_.size()));
  Compare(run, "unfinished", static_cast<double>(unfinished));
  Compare(run, "promises_broken", static_cast<double>(broken));
  if (!elastic_ && !faults_ && unfinished == 0) {
    Compare(run, "suspensions", static_cast<double>(suspensions));
  }
  Compare(run, "moves", static_cast<double>(moves));
  if (waits.empty()) return;
  std::sort(waits.begin(), waits.end());
  const double n = static_cast<double>(waits.size());
  Compare(run, "wait_s/mean", wait / n);
  Compare(run, "wait_s/p50", Percentile(waits, .5));
  Compare(run, "wait_s/p95", Percentile(waits, .95));
  Compare(run, "wait_s/p99", Percentile(waits, .99));
  Compare(run, "bounded_slowdown_mean", slowdown / n);
}

}  // namespace ccsched::testing
