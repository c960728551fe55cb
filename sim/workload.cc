// The jobs of a scenario in the order of their submission.
// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "sim/readers/external_sort.h"
#include "sim/readers/sorted_trace.h"
#include "sim/trace.h"

namespace ccsched {
namespace {

constexpr size_t kBadRowSamples = 5;

bool Earlier(const SimJob& a, const SimJob& b) {
  return a.submit_us < b.submit_us;
}

// Turns rows of a trace into jobs of the scenario.
class Converter {
 public:
  explicit Converter(const Scenario& scenario) : scenario_(scenario) {
    const WorkloadSpec& spec = scenario.jobs;
    start_us_ = absl::ToUnixMicros(scenario.start);
    shift_us_ = absl::ToInt64Microseconds(spec.shift);
    origin_us_ = absl::ToInt64Microseconds(spec.origin);
    tick_us_ = spec.tick ? absl::ToInt64Microseconds(*spec.tick) : 1;
    end_us_ = scenario.end == absl::InfiniteFuture()
                  ? kForeverUs
                  : absl::ToUnixMicros(scenario.end);
    if (scenario.horizon) {
      end_us_ = std::min(end_us_, absl::ToUnixMicros(*scenario.horizon));
    }
    for (const JobClassSpec& c : spec.classes) {
      limits_.push_back(Us(c.shorter_than));
      delays_.push_back(Us(c.max_delay));
    }
  }

  // Fills `job` but for its symbols. Returns whether it takes part.
  bool Convert(const TraceJob& row, bool relative, uint64_t index,
               SimJob& job) const {
    // Ticks count from the start.
    int64_t since =
        row.submit_us + shift_us_ - (relative ? origin_us_ : start_us_);
    if (since >= 0) since = since / tick_us_ * tick_us_;
    const int64_t submit = start_us_ + since;
    job.submit_us = submit;
    job.duration_us = row.duration_us / tick_us_ * tick_us_;
    job.count = row.count;
    job.job_class = 0;
    while (job.job_class + 1 < limits_.size() &&
           job.duration_us >= limits_[job.job_class]) {
      ++job.job_class;
    }
    job.max_delay_us = delays_[job.job_class];
    if (submit < start_us_ || submit >= end_us_) return false;
    if (row.id.empty()) {
      job.id = std::to_string(index);
    } else {
      job.id = row.id;
    }
    return true;
  }

  absl::Status CheckFit(const SimJob& job, const std::string& where) const {
    uint32_t largest = 0;
    for (const PoolId pool : scenario_.jobs.placement) {
      const PoolSize& size = scenario_.pool_sizes[pool.value()];
      if (CouldHold(size, job.count)) return absl::OkStatus();
      largest = std::max(largest, size.count);
    }
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": job ", job.id, " can never run: it asks for ", job.count,
        " accelerators, and the largest pool that it may use has ", largest));
  }

 private:
  static int64_t Us(absl::Duration d) {
    return d == absl::InfiniteDuration() ? kForeverUs
                                         : absl::ToInt64Microseconds(d);
  }

  const Scenario& scenario_;
  int64_t start_us_ = 0, shift_us_ = 0, origin_us_ = 0, tick_us_ = 1;
  int64_t end_us_ = 0;
  std::vector<int64_t> limits_, delays_;
};

// All jobs in memory.
class StoredWorkload : public Workload {
 public:
  class Source : public JobSource {
   public:
    explicit Source(const std::vector<SimJob>& jobs) : jobs_(jobs) {}
    absl::StatusOr<const SimJob*> Next() override {
      return next_ == jobs_.size() ? nullptr : &jobs_[next_++];
    }

   private:
    const std::vector<SimJob>& jobs_;
    size_t next_ = 0;
  };
  absl::StatusOr<std::unique_ptr<JobSource>> Open() const override {
    return std::make_unique<Source>(jobs_);
  }

  std::vector<SimJob> jobs_;
  using Workload::facts_;
  using Workload::symbols_;
};

// The trace is read again by every run.
class StreamedWorkload : public Workload {
 public:
  explicit StreamedWorkload(const Scenario& scenario) : scenario_(scenario) {}

  class Source : public JobSource {
   public:
    Source(const Scenario& scenario, const SymbolTable& symbols,
           std::unique_ptr<TraceReader> reader, bool skip)
        : convert_(scenario),
          symbols_(symbols),
          reader_(std::move(reader)),
          skip_(skip) {}
    absl::StatusOr<const SimJob*> Next() override {
      for (;;) {
        const absl::StatusOr<bool> more = reader_->Next(row_);
        const uint64_t index = index_++;
        if (!more.ok()) {
          if (skip_ && absl::IsInvalidArgument(more.status())) continue;
          return more.status();
        }
        if (!*more) return nullptr;
        if (!convert_.Convert(row_, reader_->relative(), index, job_)) continue;
        job_.user = symbols_.Find(row_.user);
        job_.project = symbols_.Find(row_.project);
        job_.name = symbols_.Find(row_.name);
        return &job_;
      }
    }

   private:
    const Converter convert_;
    const SymbolTable& symbols_;
    std::unique_ptr<TraceReader> reader_;
    const bool skip_;
    uint64_t index_ = 0;
    TraceJob row_;
    SimJob job_;
  };
  absl::StatusOr<std::unique_ptr<JobSource>> Open() const override {
    ASSIGN_OR_RETURN(auto reader,
                     OpenTrace(scenario_.jobs.format, scenario_.jobs.trace));
    if (sort_) reader = SortBySubmission(std::move(reader));
    return std::make_unique<Source>(scenario_, *symbols_, std::move(reader),
                                    skip_);
  }

  using Workload::facts_;
  using Workload::symbols_;
  bool skip_ = false;
  bool sort_ = false;  // it is not in the order of submission

 private:
  const Scenario& scenario_;
};

void Account(const SimJob& job, WorkloadFacts& facts) {
  if (facts.jobs++ == 0) facts.first_submit_us = job.submit_us;
  facts.first_submit_us = std::min(facts.first_submit_us, job.submit_us);
  facts.last_submit_us = std::max(facts.last_submit_us, job.submit_us);
  facts.widest = std::max(facts.widest, job.count);
  facts.accelerator_hours += job.count * (job.duration_us / 3.6e9);
}

// Sums of runtimes by class, for their means.
class ClassMeans {
 public:
  explicit ClassMeans(size_t classes) : sums_(classes), counts_(classes) {}
  void Add(const SimJob& job) {
    sums_[job.job_class] += static_cast<double>(job.duration_us);
    ++counts_[job.job_class];
  }
  std::vector<double> Means() const {
    std::vector<double> means = sums_;
    for (size_t i = 0; i < means.size(); ++i) {
      if (counts_[i] > 0) means[i] /= static_cast<double>(counts_[i]);
    }
    return means;
  }

 private:
  std::vector<double> sums_;
  std::vector<uint64_t> counts_;
};

// Finds jobs that have one id. Where there are too many to be kept in memory,
// once all were seen: their ids are sorted on disk.
class IdBook {
 public:
  // Takes the id of the job that stands at `where` and is to be added to `jobs`
  // next, unless these are sorted. Errors: InvalidArgument if it was there.
  absl::Status Take(const std::string& id, const std::string& where,
                    const std::vector<SimJob>& jobs) {
    if (sort_) return sort_->Add(id, where);
    const auto [it, is_new] = index_.try_emplace(
        absl::HashOf(id), static_cast<uint32_t>(jobs.size()));
    if (is_new || jobs[it->second].id != id) return absl::OkStatus();
    return Twice(id, where);
  }
  // From here on they are sorted, those of `jobs` first.
  absl::Status Sort(const std::vector<SimJob>& jobs) {
    index_ = {};
    sort_.emplace(ExternalSortOptions{.memory_bytes = kSortBytes});
    for (const SimJob& job : jobs) RETURN_IF_ERROR(sort_->Add(job.id, ""));
    return absl::OkStatus();
  }
  // REQUIRES: all were taken. Errors: those of Take.
  absl::Status Check() {
    if (!sort_) return absl::OkStatus();
    RETURN_IF_ERROR(sort_->Finish());
    std::optional<std::string> last;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, sort_->Next());
      if (!more) return absl::OkStatus();
      if (last && sort_->key() == *last) {
        return Twice(*last, std::string(sort_->value()));
      }
      last = std::string(sort_->key());
    }
  }

 private:
  static constexpr size_t kSortBytes = size_t{32} << 20;

  static absl::Status Twice(const std::string& id, const std::string& where) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": job ", id, " is there twice; each id stands for one job"));
  }

  absl::flat_hash_map<size_t, uint32_t> index_;  // by the hash of an id
  std::optional<ExternalSort> sort_;
};

// The first pass: reads all, keeps what fits in memory.
class Loader {
 public:
  Loader(const Scenario& scenario, const WorkloadOptions& options)
      : scenario_(scenario),
        options_(options),
        convert_(scenario),
        means_(scenario.jobs.classes.size()),
        stored_(std::make_unique<StoredWorkload>()),
        streamed_(std::make_unique<StreamedWorkload>(scenario)) {}

  absl::StatusOr<std::unique_ptr<Workload>> Load() {
    auto opened = OpenTrace(scenario_.jobs.format, scenario_.jobs.trace);
    if (!opened.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          scenario_.jobs.at, ": ", std::string(opened.status().message())));
    }
    const std::unique_ptr<TraceReader> reader = *std::move(opened);
    TraceJob row;
    SimJob job;
    for (uint64_t index = 0;; ++index) {
      const absl::StatusOr<bool> more = reader->Next(row);
      if (!more.ok()) {
        RETURN_IF_ERROR(PassOver(more.status()));
        continue;
      }
      if (!*more) break;
      const bool in = convert_.Convert(row, reader->relative(), index, job);
      means_.Add(job);
      if (in) {
        RETURN_IF_ERROR(Take(row, *reader, job));
      } else {
        ++facts_.outside;
      }
    }
    facts_.left_out = reader->left_out();
    if (facts_.jobs == 0) return Nothing();
    RETURN_IF_ERROR(ids_.Check());
    return Finish();
  }

 private:
  absl::Status PassOver(const absl::Status& status) {
    if (!options_.skip_bad_rows || !absl::IsInvalidArgument(status)) {
      return status;
    }
    if (facts_.bad_rows++ < kBadRowSamples) {
      facts_.bad_row_samples.emplace_back(status.message());
    }
    return absl::OkStatus();
  }

  absl::Status Take(const TraceJob& row, const TraceReader& reader,
                    SimJob& job) {
    if (job.count > facts_.widest) {
      RETURN_IF_ERROR(convert_.CheckFit(job, reader.Where()));
    }
    // Who passes over bad rows takes jobs of one id as two.
    const bool checked = !options_.skip_bad_rows && !row.id.empty();
    if (checked) {
      RETURN_IF_ERROR(ids_.Take(job.id, reader.Where(), stored_->jobs_));
    }
    in_order_ = in_order_ && job.submit_us >= facts_.last_submit_us;
    Account(job, facts_);
    job.user = symbols().Intern(row.user);
    job.project = symbols().Intern(row.project);
    job.name = symbols().Intern(row.name);
    if (!in_memory_) return absl::OkStatus();
    stored_->jobs_.push_back(job);
    if (stored_->jobs_.size() <= options_.jobs_in_memory) {
      return absl::OkStatus();
    }
    in_memory_ = false;
    if (checked) RETURN_IF_ERROR(ids_.Sort(stored_->jobs_));
    stored_->jobs_ = {};
    return absl::OkStatus();
  }

  // One table for both kinds; only one of them is kept.
  SymbolTable& symbols() { return *symbols_; }

  absl::Status Nothing() const {
    return absl::InvalidArgumentError(
        absl::StrCat(scenario_.jobs.at, ": no job of ", scenario_.jobs.trace,
                     " is submitted within the scenario's start and end (",
                     facts_.outside, " are outside)"));
  }

  std::unique_ptr<Workload> Finish() {
    facts_.class_mean_us = means_.Means();
    if (in_memory_) {
      if (!in_order_) {
        std::stable_sort(stored_->jobs_.begin(), stored_->jobs_.end(), Earlier);
      }
      stored_->facts_ = std::move(facts_);
      stored_->symbols_ = std::move(symbols_);
      return std::move(stored_);
    }
    streamed_->facts_ = std::move(facts_);
    streamed_->symbols_ = std::move(symbols_);
    streamed_->skip_ = options_.skip_bad_rows;
    streamed_->sort_ = !in_order_;
    return std::move(streamed_);
  }

  const Scenario& scenario_;
  const WorkloadOptions options_;
  const Converter convert_;
  ClassMeans means_;
  WorkloadFacts facts_;
  std::unique_ptr<SymbolTable> symbols_ = std::make_unique<SymbolTable>();
  bool in_order_ = true;
  bool in_memory_ = true;
  IdBook ids_;
  std::unique_ptr<StoredWorkload> stored_;
  std::unique_ptr<StreamedWorkload> streamed_;
};

}  // namespace

bool CouldHold(const PoolSize& pool, uint32_t count) {
  if (pool.node_size == 0 || count <= pool.node_size) {
    return count <= pool.count;
  }
  const uint32_t nodes = (count + pool.node_size - 1) / pool.node_size;
  return nodes <= pool.count / pool.node_size;
}

absl::StatusOr<std::unique_ptr<Workload>> LoadWorkload(
    const Scenario& scenario, const WorkloadOptions& options) {
  return Loader(scenario, options).Load();
}

std::unique_ptr<Workload> MakeWorkload(
    std::vector<SimJob> jobs, const std::vector<JobClassSpec>& classes,
    const std::vector<std::string>& symbols) {
  auto workload = std::make_unique<StoredWorkload>();
  std::stable_sort(jobs.begin(), jobs.end(), Earlier);
  ClassMeans means(std::max<size_t>(1, classes.size()));
  for (const SimJob& job : jobs) {
    Account(job, workload->facts_);
    means.Add(job);
  }
  workload->facts_.class_mean_us = means.Means();
  workload->jobs_ = std::move(jobs);
  workload->symbols_ = std::make_unique<SymbolTable>();
  for (const std::string& symbol : symbols) workload->symbols_->Intern(symbol);
  return workload;
}

}  // namespace ccsched
