// The exact optimum of small instances, as a mixed integer program.
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/bound/exact.h"

#include <cmath>

#include "tests/sim/bound/mip.h"

namespace ccsched {
namespace {

class Program {
 public:
  explicit Program(const ExactInstance& instance)
      : instance_(instance),
        usage_(instance.capacity.size(),
               std::vector<Mip::Terms>(instance.grams.front().size())) {
    for (const ExactJob& job : instance.jobs) {
      if (job.max_count > 0) {
        Elastic(job);
      } else if (job.suspendable) {
        Suspendable(job);
      } else {
        Rigid(job);
      }
    }
    for (size_t p = 0; p < usage_.size(); ++p) {
      for (const Mip::Terms& terms : usage_[p]) {
        if (!terms.empty()) mip_.Constrain(0, instance.capacity[p], terms);
      }
    }
  }

  std::optional<double> Solve(bool whole) { return mip_.Solve(whole); }

 private:
  int pools() const { return static_cast<int>(instance_.capacity.size()); }

  // One start at one pool.
  void Rigid(const ExactJob& job) {
    Mip::Terms one;
    for (int p = 0; p < pools(); ++p) {
      for (int s = job.release; s + job.duration <= job.latest_end; ++s) {
        double grams = 0;
        for (int t = s; t < s + job.duration; ++t) {
          grams += instance_.grams[p][t] * job.count;
        }
        const int start = mip_.Add(grams, 0, 1, true);
        one.emplace_back(start, 1);
        for (int t = s; t < s + job.duration; ++t) {
          usage_[p][t].emplace_back(start, job.count);
        }
      }
    }
    mip_.Constrain(1, 1, one);
  }

  // Hours of running; each beginning but one costs a checkpoint and a restart.
  void Suspendable(const ExactJob& job) {
    const double overhead = job.checkpoint + job.restart;
    Mip::Terms work, begun;
    const auto runs = Runs(job, [&](int p, int t) {
      const int run = mip_.Add(instance_.grams[p][t] * job.count, 0, 1, true);
      usage_[p][t].emplace_back(run, job.count);
      work.emplace_back(run, 1);
      return run;
    });
    for (const int begin : Begins(runs)) {
      work.emplace_back(begin, -overhead);
      begun.emplace_back(begin, 1);
    }
    mip_.Constrain(1, 1e9, begun);
    mip_.Constrain(job.duration - overhead, 1e9, work);
  }

  // One stretch at one pool, of so many accelerators in each hour.
  void Elastic(const ExactJob& job) {
    Mip::Terms work, begun;
    const auto runs = Runs(job, [&](int p, int t) {
      const int run = mip_.Add(0, 0, 1, true);
      const int width = mip_.Add(instance_.grams[p][t], 0, job.max_count, true);
      usage_[p][t].emplace_back(width, 1);
      work.emplace_back(width, 1);
      mip_.Constrain(0, 1e9, {{width, 1}, {run, -1}});
      mip_.Constrain(-1e9, 0, {{width, 1}, {run, -job.max_count}});
      return run;
    });
    for (const int begin : Begins(runs)) begun.emplace_back(begin, 1);
    mip_.Constrain(0, 1, begun);
    const double hours = job.duration * job.count;
    mip_.Constrain(hours, hours, work);
  }

  // By pool and hour of the job's window; at one pool at a time.
  template <typename MakeFn>
  std::vector<std::vector<int>> Runs(const ExactJob& job, MakeFn make) {
    std::vector<std::vector<int>> runs(pools());
    for (int t = job.release; t < job.latest_end; ++t) {
      Mip::Terms here;
      for (int p = 0; p < pools(); ++p) {
        runs[p].push_back(make(p, t));
        here.emplace_back(runs[p].back(), 1);
      }
      mip_.Constrain(0, 1, here);
    }
    return runs;
  }

  // At least 1 where a stretch begins.
  std::vector<int> Begins(const std::vector<std::vector<int>>& runs) {
    std::vector<int> begins;
    for (const std::vector<int>& pool : runs) {
      for (size_t i = 0; i < pool.size(); ++i) {
        const int begin = mip_.Add(0, 0, 1, false);
        Mip::Terms terms = {{begin, 1}, {pool[i], -1}};
        if (i > 0) terms.emplace_back(pool[i - 1], 1);
        mip_.Constrain(0, 1e9, terms);
        begins.push_back(begin);
      }
    }
    return begins;
  }

  const ExactInstance& instance_;
  Mip mip_;
  std::vector<std::vector<Mip::Terms>> usage_;  // by pool and hour
};

}  // namespace

std::optional<double> ExactOptimum(const ExactInstance& instance) {
  return Program(instance).Solve(true);
}

std::optional<double> ExactRelaxation(const ExactInstance& instance) {
  return Program(instance).Solve(false);
}

}  // namespace ccsched
