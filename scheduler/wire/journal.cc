// Steps of the engine as the ledger keeps them, for replay.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/journal.h"

#include <memory>
#include <utility>

#include "scheduler/base/status.h"
#include "scheduler/carbon/forecast.h"
#include "scheduler/carbon/price_series.h"

namespace ccsched {
namespace {

int64_t Us(absl::Time t) { return absl::ToUnixMicros(t); }

struct Writer {
  v1::JournalEvent& out;

  void operator()(const JobSubmitted& e) const {
    out.mutable_submitted()->set_job(e.spec.id.value());
    for (const JobId id : e.after) {
      out.mutable_submitted()->add_after(id.value());
    }
    out.mutable_submitted()->set_array(e.limit.array.value());
    out.mutable_submitted()->set_at_most(e.limit.at_most);
  }
  void operator()(const AttemptEnded& e) const {
    v1::JournalEnded& ended = *out.mutable_ended();
    ended.set_job(e.job.value());
    ended.set_epoch(e.epoch.value());
    ended.set_at(Us(e.at));
    ended.set_outcome(static_cast<uint32_t>(e.outcome));
    ended.set_work(absl::ToInt64Microseconds(e.work));
    ended.set_checkpoint(absl::ToInt64Microseconds(e.checkpoint));
  }
  void operator()(const AttemptStarted& e) const {
    v1::JournalStarted& started = *out.mutable_started();
    started.set_job(e.job.value());
    started.set_epoch(e.epoch.value());
    started.set_at(Us(e.at));
  }
  void operator()(const SuspendDeclined& e) const {
    out.mutable_declined()->set_job(e.job.value());
    out.mutable_declined()->set_epoch(e.epoch.value());
  }
  void operator()(const ResizeAsked& e) const {
    out.mutable_resized()->set_job(e.job.value());
    out.mutable_resized()->set_count(e.count);
  }
  void operator()(const Tick&) const { out.mutable_tick(); }
  void operator()(const JobCancelled& e) const {
    out.set_cancelled(e.job.value());
  }
  void operator()(const JobHeld& e) const { out.set_held(e.job.value()); }
  void operator()(const JobReleased& e) const {
    out.set_released(e.job.value());
  }
  void operator()(const NodeJoined& e) const {
    v1::JournalNode& node = *out.mutable_joined();
    node.set_node(e.node.value());
    node.set_pool(e.pool.value());
    node.set_count(e.count);
    node.set_containers(e.containers);
  }
  void operator()(const NodeSilent& e) const { out.set_silent(e.node.value()); }
  void operator()(const NodeLost& e) const { out.set_lost(e.node.value()); }
  void operator()(const NodeDrained& e) const {
    out.mutable_drained()->set_node(e.node.value());
    out.mutable_drained()->set_drained(e.drained);
  }
  void operator()(const ForecastIssued& e) const {
    v1::JournalForecast& forecast = *out.mutable_forecast();
    const StepSeries& series = e.forecast->series();
    forecast.set_region(e.region.value());
    forecast.set_issued(Us(e.forecast->issued()));
    forecast.set_start(Us(series.start()));
    forecast.set_step(series.step_us());
    forecast.mutable_values()->Add(series.values().begin(),
                                   series.values().end());
  }
  void operator()(const IntensityObserved& e) const {
    v1::JournalForecast& observed = *out.mutable_observed();
    const StepSeries& series = *e.series;
    observed.set_region(e.region.value());
    observed.set_start(Us(series.start()));
    observed.set_step(series.step_us());
    observed.mutable_values()->Add(series.values().begin(),
                                   series.values().end());
  }
  void operator()(const PricesPublished& e) const {
    v1::JournalPrices& prices = *out.mutable_prices();
    const StepSeries& series = e.prices->series();
    prices.set_region(e.region.value());
    prices.set_currency(e.prices->currency());
    prices.set_start(Us(series.start()));
    prices.set_step(series.step_us());
    prices.mutable_values()->Add(series.values().begin(),
                                 series.values().end());
    for (uint32_t i = 0; i < e.prices->known().size(); ++i) {
      if (!e.prices->known()[i]) prices.add_unknown(i);
    }
  }
  void operator()(const ProjectsAgreed& e) const {
    out.mutable_projects();
    for (const ProjectTerms& t : e.terms) {
      v1::JournalTerms& terms = *out.mutable_projects()->add_terms();
      terms.set_name(t.name);
      if (t.share) terms.set_share(*t.share);
      if (t.budget) {
        terms.set_limit_g(t.budget->limit.value());
        terms.set_period(static_cast<uint32_t>(t.budget->period));
        terms.set_hold(t.budget->hold);
      }
      terms.set_used_g(t.used.value());
      terms.set_charged(t.charged);
    }
  }
  void operator()(const EmissionsBooked& e) const {
    v1::JournalBooked& booked = *out.mutable_booked();
    booked.set_job(e.job.value());
    booked.set_project(e.project);
    booked.set_at(Us(e.at));
    booked.set_co2e_g(e.co2e.value());
  }
  void operator()(const PolicyChanged& e) const {
    out.mutable_policy()->set_name(e.name);
    for (const auto& [name, value] : e.parameters) {
      (*out.mutable_policy()->mutable_parameters())[name] = value;
    }
  }
};

absl::StatusOr<StepSeries> ReadSeries(const v1::JournalForecast& in) {
  ASSIGN_OR_RETURN(
      StepSeries series,
      StepSeries::Create(absl::FromUnixMicros(in.start()),
                         absl::Microseconds(in.step()),
                         {in.values().begin(), in.values().end()}));
  if (series.empty()) return absl::DataLossError("an empty series");
  return series;
}

absl::StatusOr<Event> ReadObserved(const v1::JournalForecast& in) {
  ASSIGN_OR_RETURN(StepSeries series, ReadSeries(in));
  return IntensityObserved{
      RegionId(static_cast<uint16_t>(in.region())),
      std::make_shared<const StepSeries>(std::move(series))};
}

absl::StatusOr<Event> ReadForecast(const v1::JournalForecast& in) {
  ASSIGN_OR_RETURN(StepSeries series, ReadSeries(in));
  return ForecastIssued{
      RegionId(static_cast<uint16_t>(in.region())),
      std::make_shared<const Forecast>(absl::FromUnixMicros(in.issued()),
                                       std::move(series))};
}

absl::StatusOr<Event> ReadPrices(const v1::JournalPrices& in) {
  ASSIGN_OR_RETURN(
      StepSeries series,
      StepSeries::Create(absl::FromUnixMicros(in.start()),
                         absl::Microseconds(in.step()),
                         {in.values().begin(), in.values().end()}));
  if (series.empty()) return absl::DataLossError("empty prices");
  std::vector<bool> known(series.values().size(), true);
  for (const uint32_t i : in.unknown()) {
    if (i >= known.size()) return absl::DataLossError("a price beyond them");
    known[i] = false;
  }
  return PricesPublished{
      RegionId(static_cast<uint16_t>(in.region())),
      std::make_shared<const PriceSeries>(in.currency(), std::move(series),
                                          std::move(known))};
}

absl::StatusOr<Event> ReadProjects(const v1::JournalProjects& in) {
  ProjectsAgreed e;
  for (const v1::JournalTerms& from : in.terms()) {
    ProjectTerms& t = e.terms.emplace_back();
    t.name = from.name();
    if (from.has_share()) t.share = from.share();
    if (from.has_limit_g()) {
      if (from.period() > static_cast<uint32_t>(BudgetPeriod::kYear)) {
        return absl::DataLossError("a budget of an unknown period");
      }
      t.budget =
          CarbonBudget{GramsCo2e(from.limit_g()),
                       static_cast<BudgetPeriod>(from.period()), from.hold()};
    }
    t.used = GramsCo2e(from.used_g());
    t.charged = from.charged();
  }
  return e;
}

absl::StatusOr<Event> Read(const v1::JournalEvent& in,
                           const SubmissionSource& submission) {
  switch (in.kind_case()) {
    case v1::JournalEvent::kSubmitted: {
      std::vector<JobId> after;
      for (const uint64_t id : in.submitted().after()) after.emplace_back(id);
      ASSIGN_OR_RETURN(Event event, submission(JobId(in.submitted().job()),
                                               std::move(after)));
      if (auto* const submitted = std::get_if<JobSubmitted>(&event)) {
        submitted->limit = {JobId(in.submitted().array()),
                            in.submitted().at_most()};
      }
      return event;
    }
    case v1::JournalEvent::kEnded:
      return AttemptEnded{JobId(in.ended().job()),
                          Epoch(in.ended().epoch()),
                          absl::FromUnixMicros(in.ended().at()),
                          static_cast<Outcome>(in.ended().outcome()),
                          absl::Microseconds(in.ended().work()),
                          absl::Microseconds(in.ended().checkpoint())};
    case v1::JournalEvent::kStarted:
      return AttemptStarted{JobId(in.started().job()),
                            Epoch(in.started().epoch()),
                            absl::FromUnixMicros(in.started().at())};
    case v1::JournalEvent::kDeclined:
      return SuspendDeclined{JobId(in.declined().job()),
                             Epoch(in.declined().epoch())};
    case v1::JournalEvent::kResized:
      return ResizeAsked{JobId(in.resized().job()), in.resized().count()};
    case v1::JournalEvent::kTick:
      return Tick{};
    case v1::JournalEvent::kCancelled:
      return JobCancelled{JobId(in.cancelled())};
    case v1::JournalEvent::kHeld:
      return JobHeld{JobId(in.held())};
    case v1::JournalEvent::kReleased:
      return JobReleased{JobId(in.released())};
    case v1::JournalEvent::kJoined:
      return NodeJoined{NodeId(in.joined().node()),
                        PoolId(static_cast<uint16_t>(in.joined().pool())),
                        in.joined().count(), in.joined().containers()};
    case v1::JournalEvent::kSilent:
      return NodeSilent{NodeId(in.silent())};
    case v1::JournalEvent::kLost:
      return NodeLost{NodeId(in.lost())};
    case v1::JournalEvent::kDrained:
      return NodeDrained{NodeId(in.drained().node()), in.drained().drained()};
    case v1::JournalEvent::kForecast:
      return ReadForecast(in.forecast());
    case v1::JournalEvent::kObserved:
      return ReadObserved(in.observed());
    case v1::JournalEvent::kPolicy:
      return PolicyChanged{
          in.policy().name(),
          {in.policy().parameters().begin(), in.policy().parameters().end()}};
    case v1::JournalEvent::kPrices:
      return ReadPrices(in.prices());
    case v1::JournalEvent::kProjects:
      return ReadProjects(in.projects());
    case v1::JournalEvent::kBooked:
      return EmissionsBooked{JobId(in.booked().job()), in.booked().project(),
                             absl::FromUnixMicros(in.booked().at()),
                             GramsCo2e(in.booked().co2e_g())};
    case v1::JournalEvent::kBoot:
    case v1::JournalEvent::KIND_NOT_SET:
      break;
  }
  return absl::DataLossError("a journalled event of an unknown kind");
}

}  // namespace

v1::JournalEvents JournalOf(absl::Span<const Event> events,
                            absl::Span<const Refusal> refusals) {
  v1::JournalEvents out;
  out.mutable_events()->Reserve(static_cast<int>(events.size()));
  size_t refused = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    if (refused < refusals.size() && refusals[refused].event == i) {
      ++refused;
      continue;
    }
    std::visit(Writer{*out.add_events()}, events[i]);
  }
  return out;
}

v1::JournalDecisions JournalOf(const Effects& effects) {
  v1::JournalDecisions out;
  for (const StartAttempt& start : effects.starts) {
    v1::JournalStart& s = *out.add_starts();
    s.set_job(start.job.value());
    s.set_epoch(start.epoch.value());
    s.set_pool(start.pool.value());
    s.set_count(start.count);
    for (const NodeShare& share : start.nodes) {
      s.add_nodes(share.node.value());
    }
  }
  for (const StopAttempt& stop : effects.stops) {
    v1::JournalStop& s = *out.add_stops();
    s.set_job(stop.job.value());
    s.set_epoch(stop.epoch.value());
    s.set_why(static_cast<uint32_t>(stop.why));
  }
  for (const DecisionRecord& decision : effects.decisions) {
    v1::JournalDecision& d = *out.add_decisions();
    d.set_job(decision.job.value());
    d.set_kind(static_cast<uint32_t>(decision.kind));
    d.set_code(static_cast<uint32_t>(decision.reason.code));
    if (decision.reason.chosen.valid) {
      d.set_pool(decision.reason.chosen.pool.value());
    }
    if (decision.kind == DecisionKind::kDefer) d.set_until(Us(decision.until));
  }
  return out;
}

absl::StatusOr<std::vector<Event>> EventsOf(
    const v1::JournalEvents& journal, const SubmissionSource& submission) {
  std::vector<Event> events;
  for (const v1::JournalEvent& in : journal.events()) {
    if (in.has_boot()) continue;
    ASSIGN_OR_RETURN(Event event, Read(in, submission));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace ccsched
