// The driver: what would become of a job that is not submitted.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/expected_ends.h"

namespace ccsched {
namespace {

// Why a job would go where a preview's first offer says. `now`: at once, at the
// first allowed site.
ReasonCode CodeOf(const std::vector<Choice>& offers, const Choice& now,
                  absl::Time at, bool short_of_room) {
  if (!now.valid) return ReasonCode::kNoData;
  if (short_of_room) return ReasonCode::kCapacity;
  if (offers[0].start > at) return ReasonCode::kCleanerHour;
  // A policy that does not weigh emissions may choose a dirtier offer.
  const bool least =
      std::all_of(offers.begin(), offers.end(), [&offers](const Choice& offer) {
        return offer.carbon >= offers[0].carbon;
      });
  if (!least) return ReasonCode::kFirstFit;
  return offers[0].pool != now.pool ? ReasonCode::kCleanerSite
                                    : ReasonCode::kBestIsNow;
}

// Whether its project's carbon budget has no room for such a job, and holds it.
bool WouldBeHeld(const Engine& engine, Symbol project, GramsCo2e expected) {
  const ProjectStanding standing = engine.Projects({project}).front();
  return standing.budget && standing.budget->hold &&
         standing.used + standing.expected + expected > standing.budget->limit;
}

// "job 7, which it waits for, is expected to end at …".
std::string WaitText(const ExpectedEnd& end, size_t jobs) {
  std::string out = absl::StrCat(
      "; job ", end.job.value(), ", ",
      jobs == 1 ? "which it waits for"
                : absl::StrCat("the last of ", jobs, " that it waits for"),
      ", is expected to end at ", FormatUtc(end.p50), " (P90 ",
      FormatUtc(end.p90), ")");
  if (end.held) {
    absl::StrAppend(&out, " if job ", end.held->value(),
                    ", which is held, is released now");
  }
  return out;
}

}  // namespace

absl::StatusOr<v1::PreviewResponse> Driver::Preview(const v1::JobSpec& spec) {
  v1::PreviewResponse response;
  ASSIGN_OR_RETURN(const SubmitResult known, KnownKey(spec));
  if (known.existed) {
    response.add_notes(absl::StrCat("the key '", spec.key(),
                                    "' was given to job ", known.first.value(),
                                    ": submitting it makes nothing new"));
  }
  if (std::string note = ProjectNote(spec.project()); !note.empty()) {
    response.add_notes(std::move(note));
  }
  ASSIGN_OR_RETURN(const ModelJob job, Model(spec));
  if (!spec.array().empty()) RETURN_IF_ERROR(ParseArray(spec.array()).status());
  ASSIGN_OR_RETURN(const std::vector<JobId> after, Dependencies(spec));
  Job waiting;
  waiting.spec = job.spec;
  OfferContext context = ContextOf(waiting, job.shape);
  ExpectedEnd free = {.p50 = work_.now, .p90 = work_.now};
  if (!after.empty()) {
    free = ExpectedEnds(*engine_, work_.now, {slips_.p50(), slips_.p90()})
               .Last(after);
    context.free_p50 = free.p50;
    context.free_p90 = free.p90;
  }
  response.set_policy(policy_name_);
  const std::vector<Choice> offers =
      engine_->Offers(free.p50, job.spec, job.shape);
  for (const Choice& choice : offers) {
    *response.add_offers() = OfferOf(choice, context, job.shape);
  }
  if (offers.empty()) return response;
  response.mutable_offers(0)->set_chosen(true);
  *response.mutable_reason() =
      ReasonOf(job, offers, free.p50, response.offers(0), context);
  if (!after.empty()) {
    absl::StrAppend(response.mutable_reason()->mutable_text(),
                    WaitText(free, after.size()));
  }
  for (const ProjectTerms& terms : terms_) {
    if (terms.name != spec.project()) continue;
    const GramsCo2e expected = AtOnce(job, free.p50, context).carbon;
    if (!WouldBeHeld(*engine_, terms.symbol, expected)) break;
    absl::StrAppend(response.mutable_reason()->mutable_text(),
                    "; but it would be held by ", BudgetText(terms.symbol));
  }
  return response;
}

bool Driver::HasRoom(const Choice& choice, const JobShape& shape) const {
  const uint32_t count = choice.count > 0 ? choice.count : shape.count;
  return engine_->pools()[choice.pool.value()].free >= count;
}

// A start at once is what others are compared with; where it could not have
// been, that is said.
void Driver::NoteRoom(const Choice& now, const JobShape& shape,
                      v1::Reason& reason) const {
  if (!reason.has_now() || HasRoom(now, shape)) return;
  std::string& note = *reason.mutable_now()->mutable_note();
  absl::StrAppend(&note, note.empty() ? "" : "; ", "if it had room");
}

v1::Offer Driver::OfferOf(const Choice& choice, const OfferContext& context,
                          const JobShape& shape) const {
  v1::Offer offer = ToProto(choice, context);
  const Forecast* const forecast =
      engine_->grid().forecast(topology().region(choice.pool));
  offer.set_estimated(forecast != nullptr &&
                      forecast->Extended(choice.start + *context.runtime));
  if (choice.start <= work_.now && !HasRoom(choice, shape)) {
    offer.set_note("no room now");
  }
  return offer;
}

// Run at `at`, at the first allowed site.
Choice Driver::AtOnce(const ModelJob& job, absl::Time at,
                      const OfferContext& context) const {
  const PoolId first = job.placement.front();
  Choice now = {first, at, GramsCo2e(0), false};
  if (const Forecast* forecast =
          engine_->grid().forecast(topology().region(first))) {
    now.valid = true;
    now.carbon = forecast->PerKilowatt(at, at + *context.runtime) *
                 (topology().GridPower(first, job.shape.count).value() / 1000);
  }
  return now;
}

// Why it would go where the first offer says; `at`: when it can at the soonest.
v1::Reason Driver::ReasonOf(const ModelJob& job,
                            const std::vector<Choice>& offers, absl::Time at,
                            const v1::Offer& first,
                            const OfferContext& context) const {
  DecisionRecord decision;
  decision.reason.chosen = offers[0];
  decision.reason.now = AtOnce(job, at, context);
  // Where that is offered, as the policy weighs it: it may look at more than a
  // mean runtime, and what is compared should be alike.
  for (const Choice& offer : offers) {
    const bool own = offer.count == 0 || offer.count == job.shape.count;
    if (offer.valid && own && offer.start == at &&
        offer.pool == decision.reason.now.pool) {
      decision.reason.now.carbon = offer.carbon;
    }
  }
  decision.until = offers[0].start;
  const bool waits = at > work_.now;
  const bool later = offers[0].start > at;
  const bool late = later && !first.note().empty();
  // A policy that never defers offers no later start; the job waits then.
  const bool full = !later && !waits && !HasRoom(offers[0], job.shape);
  decision.kind = later || waits ? DecisionKind::kDefer
                  : full         ? DecisionKind::kWait
                                 : DecisionKind::kStart;
  decision.reason.code =
      waits && !later ? ReasonCode::kDependency
                      : CodeOf(offers, decision.reason.now, at, late || full);
  v1::Reason reason = ToProto(decision, policy_name_, work_.now, context);
  if (!waits) NoteRoom(decision.reason.now, job.shape, reason);
  return reason;
}

void Driver::Apply(PreviewCall& call) {
  work_.outbox.answers.push_back(
      [result = Preview(call.request.job()), reply = std::move(call.reply)] {
        reply(result);
      });
}

}  // namespace ccsched
