// Asks the providers of all regions for what is new, again and again.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/poller.h"

#include <algorithm>
#include <chrono>

#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kPoll = absl::Minutes(15);
// Values older than this are not compared with any more.
constexpr absl::Duration kRemember = absl::Hours(24 * 14);

using Values = std::map<absl::Time, std::pair<double, bool>>;

}  // namespace

struct Poller::Source {
  ProviderState state;
  std::unique_ptr<Provider> provider;
  absl::Duration poll;
  int failures = 0;
  // What was delivered, by signal: actual values, and the newest forecast.
  std::map<GridSignal, Values> actual;
  std::map<std::pair<GridSignal, absl::Time>, std::vector<double>> forecasts;
};

Poller::Poller(const Clock* clock, Deliver deliver)
    : clock_(clock), deliver_(std::move(deliver)), http_(MakeCurlClient()) {}

absl::StatusOr<std::unique_ptr<Poller>> Poller::Make(
    const v1::ClusterConfig& config, const Clock* clock, Deliver deliver,
    absl::Duration first_pause) {
  std::unique_ptr<Poller> poller(new Poller(clock, std::move(deliver)));
  for (const v1::RegionConfig& region : config.regions()) {
    for (const v1::ProviderConfig& p : region.provider()) {
      ProviderDeps deps;
      deps.http = poller->http_.get();
      deps.clock = clock;
      deps.pause = [raw = poller.get()](absl::Duration d) {
        return raw->Wait(d);
      };
      deps.stop = &poller->stop_;
      deps.seed = poller->random_.Next();
      deps.first_pause = first_pause;
      auto source = std::make_unique<Source>();
      ASSIGN_OR_RETURN(source->provider, MakeProvider(region, p, deps));
      source->state.region = region.name();
      source->state.name = p.name();
      source->state.next = absl::InfinitePast();
      source->poll = p.has_poll() ? FromProto(p.poll()) : kPoll;
      if (source->poll < absl::Seconds(1)) {
        return absl::InvalidArgumentError("region " + region.name() +
                                          ": provider: poll is below 1 s");
      }
      poller->sources_.push_back(std::move(source));
    }
  }
  if (poller->sources_.empty()) return std::unique_ptr<Poller>();
  return poller;
}

Poller::~Poller() { Stop(); }

void Poller::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Poller::Resume(const v1::GridSeries& series, absl::Time received) {
  for (const auto& source : sources_) {
    if (source->state.region != series.region() ||
        source->state.name != series.source()) {
      continue;
    }
    const absl::Time start = FromProto(series.start());
    const absl::Duration step = FromProto(series.step());
    const auto take = [&](GridSignal signal, const auto& values) {
      if (values.empty()) return;
      if (!series.actual()) {
        source->forecasts[{signal, start}].assign(values.begin(), values.end());
      }
      for (int i = 0; series.actual() && i < values.size(); ++i) {
        const bool estimated =
            i < series.estimated_size() && series.estimated(i);
        source->actual[signal][start + step * i] = {values[i], estimated};
      }
    };
    take(GridSignal::kIntensity, series.intensity());
    take(GridSignal::kCarbonFree, series.cfe_pct());
    source->state.last_good =
        std::max(source->state.last_good.value_or(received), received);
    source->state.next = *source->state.last_good + source->poll;
  }
}

void Poller::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Poller::Run() {
  while (!stop_) {
    PollDue();
    absl::Time next = absl::InfiniteFuture();
    for (const auto& source : sources_) {
      next = std::min(next, source->state.next);
    }
    if (!Wait(std::max(next - clock_->Now(), absl::Milliseconds(10)))) return;
  }
}

void Poller::PollDue() {
  for (const auto& source : sources_) {
    if (stop_) return;
    if (source->state.next <= clock_->Now()) Poll(*source);
  }
}

bool Poller::Wait(absl::Duration d) {
  std::unique_lock lock(mutex_);
  const auto real = absl::ToChronoMilliseconds(clock_->ToReal(d));
  return !wake_.wait_for(lock, real, [this] { return stop_.load(); });
}

std::vector<ProviderState> Poller::States() const {
  const std::lock_guard lock(mutex_);
  std::vector<ProviderState> states;
  for (const auto& source : sources_) states.push_back(source->state);
  return states;
}

void Poller::Poll(Source& source) {
  const absl::Time now = clock_->Now();
  PollResult result = source.provider->Poll(now);
  if (absl::IsCancelled(result.status)) return;
  for (v1::GridSeries& s : ToGridSeries(
           source.state.region, News(source, std::move(result.updates)))) {
    deliver_(std::move(s));
  }
  if (!result.status.ok()) {
    Log(LogLevel::kWarning, "a provider of grid data failed",
        {{"region", source.state.region},
         {"provider", source.state.name},
         {"error", result.status}});
  }
  // Near its time, so that many schedulers don't ask at the same instant; after
  // a failure sooner, less and less so.
  absl::Duration wait = source.poll * (0.95 + 0.1 * random_.Uniform());
  const std::lock_guard lock(mutex_);
  source.state.last_status = result.status;
  if (result.status.ok()) {
    source.failures = 0;
    source.state.last_good = now;
  } else {
    constexpr int kMostDoublings = 10;
    wait = std::min(wait, absl::Minutes(1) * (1 << std::min(source.failures++,
                                                            kMostDoublings)));
  }
  source.state.next = now + wait;
}

std::vector<GridUpdate> Poller::News(Source& source,
                                     std::vector<GridUpdate> updates) {
  std::vector<GridUpdate> news;
  for (GridUpdate& u : updates) {
    const std::vector<double>& values = u.series.values();
    if (!u.actual) {
      std::vector<double>& last =
          source.forecasts[{u.signal, u.series.start()}];
      if (last == values) continue;
      last = values;
      news.push_back(std::move(u));
      continue;
    }
    Values& known = source.actual[u.signal];
    for (size_t from = 0; from < values.size();) {
      const auto is_new = [&](size_t i) {
        const auto it = known.find(u.series.start() + u.series.step() * i);
        return it == known.end() ||
               it->second != std::pair(values[i], bool{u.estimated[i]});
      };
      size_t to = from;
      while (to < values.size() && is_new(to)) ++to;
      if (to > from) {
        GridUpdate part = u;
        part.series = *StepSeries::Create(
            u.series.start() + u.series.step() * from, u.series.step(),
            std::vector<double>(values.begin() + from, values.begin() + to));
        part.estimated.assign(u.estimated.begin() + from,
                              u.estimated.begin() + to);
        news.push_back(std::move(part));
      }
      from = to + 1;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      known[u.series.start() + u.series.step() * i] = {values[i],
                                                       u.estimated[i]};
    }
    known.erase(known.begin(), known.lower_bound(clock_->Now() - kRemember));
  }
  const absl::Time old = clock_->Now() - kRemember;
  std::erase_if(source.forecasts,
                [old](const auto& f) { return f.first.second < old; });
  return news;
}

}  // namespace ccsched
