// The exact optimum of small instances, by trying every plan of every job.
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/bound/exact.h"

#include <algorithm>
#include <limits>

namespace ccsched {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Where a job is in each hour from its release on: a pool, or -1.
struct ExactPlan {
  std::vector<int> pools;
  double grams = 0;
};

class Enumerator {
 public:
  Enumerator(const ExactInstance& instance, const ExactJob& job)
      : instance_(instance), job_(job) {}

  std::vector<ExactPlan> Plans() {
    pools_.clear();
    Extend(-1, 0, 0, 0);
    std::sort(plans_.begin(), plans_.end(),
              [](const ExactPlan& a, const ExactPlan& b) {
                return a.grams < b.grams;
              });
    return std::move(plans_);
  }

 private:
  // `at`: the pool in the hour before; `stretch`: hours of the current stretch;
  // `useful`: work of stretches and hours so far, overheads taken off.
  void Extend(int at, int stretch, int useful, double grams) {
    if (useful == job_.duration && stretch > 0) {
      plans_.push_back({pools_, grams * job_.count});
      return;
    }
    const int hour = job_.release + static_cast<int>(pools_.size());
    if (hour >= job_.latest_end || useful > job_.duration) return;
    const bool begun = stretch > 0 || useful > 0 || at == -2;
    for (int p = -1; p < static_cast<int>(instance_.capacity.size()); ++p) {
      const bool runs = at >= 0;
      if (runs && p != at && !job_.suspendable) continue;
      int next_useful = useful;
      int next_stretch = 0;
      int next_at = p;
      if (runs && p != at) {
        // The checkpoint was the end of the stretch that is over.
        next_useful -= job_.checkpoint;
        if (next_useful < 0) continue;
      }
      if (p < 0) {
        next_at = begun ? -2 : -1;
      } else {
        const bool resumes = begun && p != at;
        next_stretch = p == at ? stretch + 1 : 1;
        next_useful += 1 - (resumes ? job_.restart : 0);
      }
      pools_.push_back(p);
      Extend(next_at, next_stretch, next_useful,
             grams + (p < 0 ? 0 : instance_.grams[p][hour]));
      pools_.pop_back();
    }
  }

  const ExactInstance& instance_;
  const ExactJob& job_;
  std::vector<int> pools_;
  std::vector<ExactPlan> plans_;
};

class BranchAndBound {
 public:
  explicit BranchAndBound(const ExactInstance& instance) : instance_(instance) {
    for (const ExactJob& job : instance.jobs) {
      plans_.push_back(Enumerator(instance, job).Plans());
    }
    least_after_.assign(plans_.size() + 1, 0);
    for (size_t j = plans_.size(); j-- > 0;) {
      least_after_[j] =
          least_after_[j + 1] +
          (plans_[j].empty() ? kInfinity : plans_[j].front().grams);
    }
    used_.assign(instance.capacity.size(),
                 std::vector<int>(instance.grams[0].size(), 0));
  }

  double Run() {
    Place(0, 0);
    return best_;
  }

 private:
  bool Use(const ExactJob& job, const ExactPlan& plan, int sign) {
    bool fits = true;
    for (size_t i = 0; i < plan.pools.size(); ++i) {
      const int p = plan.pools[i];
      if (p < 0) continue;
      int& used = used_[p][job.release + i];
      used += sign * job.count;
      fits = fits && used <= instance_.capacity[p];
    }
    return fits;
  }

  void Place(size_t j, double grams) {
    if (grams + least_after_[j] >= best_) return;
    if (j == plans_.size()) {
      best_ = grams;
      return;
    }
    for (const ExactPlan& plan : plans_[j]) {
      if (grams + plan.grams + least_after_[j + 1] >= best_) return;
      if (Use(instance_.jobs[j], plan, 1)) Place(j + 1, grams + plan.grams);
      Use(instance_.jobs[j], plan, -1);
    }
  }

  const ExactInstance& instance_;
  std::vector<std::vector<ExactPlan>> plans_;
  std::vector<double> least_after_;
  std::vector<std::vector<int>> used_;
  double best_ = kInfinity;
};

}  // namespace

double ExactOptimum(const ExactInstance& instance) {
  return BranchAndBound(instance).Run();
}

}  // namespace ccsched
