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
      if (job.most > 0) {
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

  // So many accelerators of a pool, hour by hour of the job's window: whether
  // it has them, and whether a stretch begins with the hour or ends with it,
  // the job's first, its last or one between two overheads.
  struct Mode {
    int pool = 0;
    int width = 0;
    double speed = 1;
    std::vector<int> runs, first, again, paused, last;
  };

  // Hours of running at one pool and width at a time; each stretch but the
  // first loses a restart, each but the last a checkpoint.
  void Elastic(const ExactJob& job) {
    const int hours = job.latest_end - job.release;
    std::vector<Mode> modes = Modes(job);
    Mip::Terms work;
    for (Mode& mode : modes) {
      for (int i = 0; i < hours; ++i) {
        const int t = job.release + i;
        mode.runs.push_back(
            mip_.Add(instance_.grams[mode.pool][t] * mode.width, 0, 1, true));
        usage_[mode.pool][t].emplace_back(mode.runs.back(), mode.width);
        work.emplace_back(mode.runs.back(), mode.speed);
        for (auto* of : {&mode.first, &mode.again, &mode.paused, &mode.last}) {
          of->push_back(mip_.Add(0, 0, 1, false));
        }
        work.emplace_back(mode.again.back(), -mode.speed * job.restart);
        work.emplace_back(mode.paused.back(), -mode.speed * job.checkpoint);
      }
      Bounds(mode, hours);
    }
    mip_.Constrain(job.duration, 1e9, work);
    InOrder(modes, hours);
    if (!job.suspendable) Unbroken(modes, hours);
  }

  std::vector<Mode> Modes(const ExactJob& job) const {
    std::vector<Mode> modes;
    for (int p = 0; p < pools(); ++p) {
      for (int width = job.least; width <= job.most; ++width) {
        Mode& mode = modes.emplace_back();
        mode.pool = p;
        mode.width = width;
        mode.speed =
            std::pow(static_cast<double>(width) / job.count, job.exponent);
      }
    }
    return modes;
  }

  // From hour to hour it runs on, or a stretch ends or begins.
  void Bounds(const Mode& mode, int hours) {
    for (int i = 0; i <= hours; ++i) {
      Mip::Terms terms;
      if (i < hours) {
        terms.insert(
            terms.end(),
            {{mode.runs[i], 1}, {mode.first[i], -1}, {mode.again[i], -1}});
      }
      if (i > 0) {
        terms.insert(terms.end(), {{mode.runs[i - 1], -1},
                                   {mode.paused[i - 1], 1},
                                   {mode.last[i - 1], 1}});
      }
      mip_.Constrain(0, 0, terms);
    }
  }

  // One stretch is the first and nothing runs before it, one is the last.
  void InOrder(const std::vector<Mode>& modes, int hours) {
    Mip::Terms first, last;
    for (int i = 0; i < hours; ++i) {
      Mip::Terms here;
      for (const Mode& mode : modes) {
        first.emplace_back(mode.first[i], -1);
        here.emplace_back(mode.runs[i], 1);
      }
      mip_.Constrain(0, 1, here);
      Mip::Terms begun = first, over = here;
      begun.insert(begun.end(), here.begin(), here.end());
      over.insert(over.end(), last.begin(), last.end());
      mip_.Constrain(-1e9, 0, begun);
      mip_.Constrain(-1e9, 1, over);
      for (const Mode& mode : modes) last.emplace_back(mode.last[i], 1);
    }
    mip_.Constrain(-1, -1, first);
    mip_.Constrain(1, 1, last);
  }

  // Of all widths together, it begins to run at one pool, and once.
  void Unbroken(const std::vector<Mode>& modes, int hours) {
    Mip::Terms once;
    for (int p = 0; p < pools(); ++p) {
      for (int i = 0; i < hours; ++i) {
        const int begin = mip_.Add(0, 0, 1, false);
        Mip::Terms terms = {{begin, 1}};
        for (const Mode& mode : modes) {
          if (mode.pool != p) continue;
          terms.emplace_back(mode.runs[i], -1);
          if (i > 0) terms.emplace_back(mode.runs[i - 1], 1);
        }
        mip_.Constrain(0, 1e9, terms);
        once.emplace_back(begin, 1);
      }
    }
    mip_.Constrain(0, 1, once);
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
