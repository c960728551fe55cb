// Synthetic jobs and grids, fitted to statistics of real ones.
// SPDX-License-Identifier: Apache-2.0
#include "sim/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

constexpr size_t kQuantiles = 17;
using Quantiles = std::array<double, kQuantiles>;
// Where the quantiles below are taken.
constexpr Quantiles kAt = {0,  .05, .1,  .2,  .3,  .4,   .5,   .6, .7,
                           .8, .9,  .95, .98, .99, .995, .999, 1};

// Between two quantiles the logarithm is uniform.
double Draw(const Quantiles& quantiles, double u) {
  const size_t i =
      std::upper_bound(kAt.begin() + 1, kAt.end() - 1, u) - kAt.begin();
  const double share = (u - kAt[i - 1]) / (kAt[i] - kAt[i - 1]);
  const double low = std::log(quantiles[i - 1]);
  return std::exp(low + share * (std::log(quantiles[i]) - low));
}

struct Width {
  double share;  // cumulative
  uint32_t count;
  uint8_t runtimes;  // index into Profile::runtimes
};

struct GridProfile {
  std::string_view name;
  double mean;
  std::array<double, 24> day;
  double year_cos, year_sin;
  double sigma;  // of the logarithm
  double lag1;
};

constexpr GridProfile kGrids[] = {
    {"solar",
     267.9,
     {0.947, 1.073, 1.152, 1.171, 1.18,  1.193, 1.191, 1.18,
      1.172, 1.165, 1.165, 1.168, 1.169, 1.144, 1.052, 0.906,
      0.784, 0.734, 0.719, 0.714, 0.715, 0.725, 0.752, 0.825},
     0.077,
     -0.161,
     0.166,
     0.943},
    {"wind",
     457.0,
     {1.051, 1.047, 1.05,  1.06,  1.063, 1.053, 1.023, 0.975,
      0.92,  0.875, 0.846, 0.833, 0.84,  0.868, 0.918, 0.984,
      1.041, 1.077, 1.092, 1.093, 1.088, 1.082, 1.066, 1.055},
     0.057,
     -0.071,
     0.305,
     0.99},
    {"nuclear",
     54.5,
     {1.297, 1.243, 1.17,  1.029, 0.835, 0.718, 0.589, 0.568,
      0.582, 0.626, 0.703, 0.803, 0.911, 1.004, 1.071, 1.116,
      1.154, 1.169, 1.174, 1.188, 1.209, 1.243, 1.285, 1.314},
     0.128,
     -0.196,
     0.604,
     0.98},
    {"gas",
     429.8,
     {1.031, 1.035, 1.031, 1.017, 0.995, 0.978, 0.967, 0.961,
      0.96,  0.968, 0.981, 0.991, 0.998, 1.002, 1.005, 1.008,
      1.008, 1.006, 1.003, 1.001, 1.002, 1.008, 1.017, 1.026},
     -0.027,
     0.011,
     0.103,
     0.993},
};

}  // namespace

struct SyntheticJobs::Profile {
  std::string_view name;
  std::vector<Width> widths;
  std::vector<Quantiles> runtimes;  // seconds
  std::array<double, 24> hours;     // rate by the hour of the start's clock
  std::array<double, 7> weekdays;   // from the first day on
  std::vector<double> projects;     // cumulative shares
};

const SyntheticJobs::Profile* SyntheticJobs::Find(std::string_view name) {
  static const auto* const profiles = new std::array<Profile, 2>{{
      {"philly",
       {{.9527, 1, 0},
        {.9693, 2, 1},
        {.9863, 4, 1},
        {.9985, 8, 2},
        {.9995, 16, 2},
        {1, 32, 2}},
       {{1, 58, 68, 249, 752, 1242, 1657, 2146, 2636, 3886, 8168, 14619, 54396,
         87294, 124454, 572807, 2597076},
        {2, 11, 13, 18, 23, 145, 700, 15674, 55251, 101180, 192995, 296153,
         565260, 1097973, 1399002, 2582803, 2750674},
        {17, 144, 310, 1047, 5879, 28690, 60957, 124400, 167623, 219958, 377997,
         591800, 830040, 1369876, 2010727, 2126975, 2214025}},
       {0.68, 0.56, 0.44, 1.24, 0.91, 1.33, 1.07, 1.47, 1.25, 1.46, 0.96, 0.46,
        1.28, 1.84, 2.62, 1.11, 0.96, 0.78, 0.57, 0.69, 0.51, 0.41, 0.39, 1.03},
       {0.75, 0.74, 1.14, 0.72, 1.4, 1.32, 0.93},
       {.495, .661, .811, .941, .956, .968, .98, .987, .994, .997, 1}},
      {"pai",
       {{.7353, 1, 0},
        {.7844, 2, 0},
        {.8251, 3, 0},
        {.8464, 4, 0},
        {.8798, 5, 0},
        {.8824, 6, 0},
        {.8935, 7, 0},
        {.9119, 8, 0},
        {.9318, 10, 0},
        {.9407, 13, 0},
        {.9466, 15, 0},
        {.9534, 16, 0},
        {.9693, 20, 0},
        {.9797, 25, 0},
        {.9827, 30, 0},
        {.9852, 40, 0},
        {.9903, 50, 0},
        {1, 64, 0}},
       {{301, 352, 425, 638, 969, 1492, 2392, 3818, 5959, 9963, 19930, 34330,
         59516, 86610, 129869, 185446, 256093}},
       {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
       {1, 1, 1, 1, 1, 1, 1},
       {1}},
  }};
  for (const Profile& profile : *profiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

SyntheticJobs::SyntheticJobs(const Profile* profile,
                             const SyntheticJobsOptions& options)
    : profile_(profile),
      options_(options),
      random_(options.seed),
      mean_gap_(options.days * 24 / static_cast<double>(options.jobs)) {}

absl::StatusOr<SyntheticJobs> SyntheticJobs::Create(
    const SyntheticJobsOptions& options) {
  const Profile* const profile = Find(options.profile);
  if (profile == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job profile \"", options.profile, "\" is not philly or pai"));
  }
  if (options.jobs == 0 || !(options.days > 0) || options.days > 36'500) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.jobs, " jobs in ", options.days,
                     " days: both have to be positive, days at most 36,500"));
  }
  return SyntheticJobs(profile, options);
}

bool SyntheticJobs::Next(TraceJob& job) {
  if (done_ == options_.jobs) return false;
  // The gap is drawn at the mean rate and stretched by the rate of each hour.
  double left = random_.Exponential(mean_gap_);
  for (;;) {
    const int64_t hour = static_cast<int64_t>(hours_);
    const double rate =
        profile_->hours[hour % 24] * profile_->weekdays[hour / 24 % 7];
    const double until = static_cast<double>(hour + 1) - hours_;
    if (left <= until * rate) {
      hours_ += left / rate;
      break;
    }
    left -= until * rate;
    hours_ = static_cast<double>(hour + 1);
  }
  job.submit_us = static_cast<int64_t>(hours_ * 3600) * 1'000'000;
  const double u = random_.Uniform();
  const Width* width = profile_->widths.data();
  while (u >= width->share && width->share < 1) ++width;
  job.count = width->count;
  const double seconds =
      Draw(profile_->runtimes[width->runtimes], random_.Uniform());
  job.duration_us = std::max<int64_t>(1, std::llround(seconds)) * 1'000'000;
  const double v = random_.Uniform();
  size_t project = 0;
  while (v >= profile_->projects[project] &&
         project + 1 < profile_->projects.size()) {
    ++project;
  }
  job.project.assign("vc");
  job.project += std::to_string(project);
  job.user.clear();
  job.name.clear();
  job.id.assign("gen-");
  job.id += std::to_string(done_++);
  return true;
}

namespace {

class Generated : public Workload {
 public:
  Generated(const Scenario& scenario, const SyntheticJobsOptions& options)
      : options_(options), start_us_(absl::ToUnixMicros(scenario.start)) {
    symbols_ = std::make_unique<SymbolTable>();
    max_delay_us_ = scenario.jobs.max_delay == absl::InfiniteDuration()
                        ? kForeverUs
                        : absl::ToInt64Microseconds(scenario.jobs.max_delay);
  }

  class Source : public JobSource {
   public:
    Source(SyntheticJobs jobs, int64_t start_us, int64_t max_delay_us,
           const SymbolTable& symbols)
        : jobs_(std::move(jobs)), start_us_(start_us), symbols_(symbols) {
      job_.max_delay_us = max_delay_us;
    }
    absl::StatusOr<const SimJob*> Next() override {
      if (!jobs_.Next(row_)) return nullptr;
      job_.id = row_.id;
      job_.submit_us = start_us_ + row_.submit_us;
      job_.duration_us = row_.duration_us;
      job_.count = row_.count;
      job_.project = symbols_.Find(row_.project);
      return &job_;
    }

   private:
    SyntheticJobs jobs_;
    const int64_t start_us_;
    const SymbolTable& symbols_;
    TraceJob row_;
    SimJob job_;
  };

  absl::StatusOr<std::unique_ptr<JobSource>> Open() const override {
    ASSIGN_OR_RETURN(SyntheticJobs jobs, SyntheticJobs::Create(options_));
    return std::make_unique<Source>(std::move(jobs), start_us_, max_delay_us_,
                                    *symbols_);
  }

  absl::Status Prepare() {
    for (int i = 0; i < 16; ++i) symbols_->Intern(absl::StrCat("vc", i));
    facts_.jobs = options_.jobs;
    facts_.first_submit_us = start_us_;
    facts_.class_mean_us = {0};
    return SyntheticJobs::Create(options_).status();
  }

 private:
  const SyntheticJobsOptions options_;
  const int64_t start_us_;
  int64_t max_delay_us_ = kForeverUs;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Workload>> SyntheticWorkload(
    const Scenario& scenario, const SyntheticJobsOptions& options) {
  auto workload = std::make_unique<Generated>(scenario, options);
  RETURN_IF_ERROR(workload->Prepare());
  return workload;
}

absl::StatusOr<StepSeries> SyntheticGrid(std::string_view name,
                                         absl::Time start, int64_t hours,
                                         uint64_t seed) {
  const GridProfile* grid = nullptr;
  for (const GridProfile& known : kGrids) {
    if (known.name == name) grid = &known;
  }
  if (grid == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("grid profile \"", ToAbsl(name),
                     "\" is not solar, wind, nuclear or gas"));
  }
  Random random(seed);
  const double innovation =
      grid->sigma * std::sqrt(1 - grid->lag1 * grid->lag1);
  double e = grid->sigma * random.Normal();
  const absl::Time new_year = absl::FromCivil(
      absl::CivilYear(absl::ToCivilYear(start, absl::UTCTimeZone())),
      absl::UTCTimeZone());
  const int64_t first = (start - new_year) / absl::Hours(1);
  std::vector<double> values;
  for (int64_t i = 0; i < hours; ++i) {
    const double angle = 2 * std::numbers::pi * (first + i) / 8766.0;
    const double wave =
        1 + grid->year_cos * std::cos(angle) + grid->year_sin * std::sin(angle);
    const double noise = std::exp(e - grid->sigma * grid->sigma / 2);
    const double value =
        grid->mean * grid->day[(first + i) % 24] * wave * noise;
    values.push_back(std::round(value * 100) / 100);
    e = grid->lag1 * e + innovation * random.Normal();
  }
  return StepSeries::Create(start, absl::Hours(1), std::move(values));
}

}  // namespace ccsched
