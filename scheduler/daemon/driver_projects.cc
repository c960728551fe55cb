// The driver: projects, their budgets on record, and their shares.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccsched/v1/journal.pb.h"
#include "scheduler/base/log.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/wire/projects.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

constexpr char kCharged[] = "fair_share.charged";
// Shares on record are at most so old, real time.
constexpr std::chrono::seconds kSaveSharesEvery{30};

double Grams(int64_t milligrams) {
  return static_cast<double>(milligrams) / 1000;
}

}  // namespace

// What the projects have emitted in their current periods, by the ledger.
absl::StatusOr<std::vector<ProjectTerms>> Driver::TermsOnRecord(
    const Cluster& cluster, absl::Time now) {
  std::vector<ProjectTerms> terms = cluster.projects;
  std::map<BudgetPeriod, std::map<std::string, int64_t>> used;
  for (ProjectTerms& t : terms) {
    t.symbol = InternProject(t.name);
    if (!t.budget) continue;
    const auto [it, is_new] = used.try_emplace(t.budget->period);
    if (is_new) {
      ASSIGN_OR_RETURN(it->second, setup_.ledger->reader().EmittedByProject(
                                       PeriodStart(t.budget->period, now)));
    }
    t.used = GramsCo2e(Grams(it->second[t.name]));
  }
  return terms;
}

absl::Status Driver::RestoreProjects(const Snapshot& snapshot) {
  ASSIGN_OR_RETURN(terms_, TermsOnRecord(setup_.cluster, ReadClock()));
  for (const auto& [name, value] : snapshot.settings) {
    v1::ChargedShares shares;
    if (!setup_.cluster.shares || name != kCharged ||
        !shares.ParseFromString(value)) {
      continue;
    }
    // What was charged fades while the scheduler is away, too.
    const absl::Duration away =
        ReadClock() - absl::FromUnixMicros(shares.as_of());
    const double kept =
        std::exp2(-absl::FDivDuration(std::max(away, absl::ZeroDuration()),
                                      setup_.cluster.shares->half_life));
    const std::map<std::string, double> all(shares.charged().begin(),
                                            shares.charged().end());
    for (const auto& [project, charged] : all) {
      const auto known =
          std::find_if(terms_.begin(), terms_.end(),
                       [&project = project](const ProjectTerms& t) {
                         return t.name == project;
                       });
      ProjectTerms& terms =
          known != terms_.end() ? *known : terms_.emplace_back();
      terms.name = project;
      terms.symbol = InternProject(project);
      if (!terms.share) terms.share = 1;
      terms.charged = charged * kept;
    }
  }
  agree_ = !terms_.empty();
  return absl::OkStatus();
}

void Driver::Agree() {
  if (!std::exchange(agree_, false)) return;
  work_.events.emplace_back(ProjectsAgreed{terms_});
  // Told once: afterwards the engine counts.
  for (ProjectTerms& terms : terms_) {
    terms.used = GramsCo2e();
    terms.charged = 0;
  }
}

std::string Driver::ProjectOf(JobId id) const {
  const Job* const job = engine_->job(id);
  return job == nullptr ? "" : symbols_.Name(job->spec.project);
}

void Driver::BookEmission(JobId id, const std::string& project, absl::Time at,
                          std::optional<int64_t> milligrams) {
  if (!milligrams || *milligrams == 0) return;
  const auto known = std::find_if(
      terms_.begin(), terms_.end(), [&project](const ProjectTerms& t) {
        return t.budget.has_value() && t.name == project;
      });
  if (known == terms_.end()) return;
  work_.events.emplace_back(
      EmissionsBooked{id, project, at, GramsCo2e(Grams(*milligrams))});
}

// "9.8 kg of 10 kg CO2e of this month are used or expected".
std::string Driver::BudgetText(Symbol project) const {
  const ProjectStanding standing = engine_->Projects({project}).front();
  if (!standing.budget) return "";
  return absl::StrCat(
      "the carbon budget of project ", symbols_.Name(project), ": ",
      GramsText(standing.used.value()), " used and ",
      GramsText(standing.expected.value()), " expected of ",
      GramsText(standing.budget->limit.value()), " CO2e a ",
      ToAbsl(ToString(standing.budget->period)), ", until ",
      absl::FormatTime("%Y-%m-%d", standing.period_end, absl::UTCTimeZone()));
}

// Where the job stands alone against a budget that nobody has used, what it
// would emit is the reason.
std::string Driver::HeldText(const Job& job) const {
  return absl::StrCat("held by ", BudgetText(job.spec.project),
                      "; it is expected to emit ",
                      GramsText(engine_->ExpectedAtOnce(job).value()));
}

// What a submitter is told: held, or beyond a budget that only warns.
std::string Driver::BudgetWarning(const Intake& intake) const {
  const Job* const job = terms_.empty() ? nullptr : engine_->job(intake.first);
  if (job == nullptr) return "";
  const ProjectStanding standing =
      engine_->Projects({job->spec.project}).front();
  if (!standing.budget) return "";
  uint32_t held = 0;
  for (uint32_t i = 0; i < intake.count; ++i) {
    const Job* const one = engine_->job(JobId(intake.first.value() + i));
    held += one != nullptr && one->budget_held;
  }
  if (held > 0 && intake.count == 1) {
    return absl::StrCat("it is ", HeldText(*job));
  }
  if (held > 0) {
    return absl::StrCat(held, " of ", intake.count, " jobs are held by ",
                        BudgetText(job->spec.project));
  }
  if (standing.used + standing.expected <= standing.budget->limit) return "";
  return absl::StrCat("it goes beyond ", BudgetText(job->spec.project));
}

// What a submitter is told of a project that is none of those agreed with: its
// name is mistyped, most often.
std::string Driver::ProjectNote(const std::string& project) const {
  const std::vector<ProjectTerms>& agreed = setup_.cluster.projects;
  if (agreed.empty() || project.empty() ||
      std::any_of(agreed.begin(), agreed.end(), [&](const ProjectTerms& terms) {
        return terms.name == project;
      })) {
    return "";
  }
  std::vector<std::string> names;
  names.reserve(agreed.size());
  for (const ProjectTerms& terms : agreed) names.push_back(terms.name);
  return absl::StrCat("project '", ToAbsl(Printable(project)),
                      "' is not configured: no carbon budget counts for it",
                      setup_.cluster.shares ? ", and its share is 1" : "",
                      DidYouMean(project, names));
}

Symbol Driver::InternProject(const std::string& name) {
  const auto [it, is_new] = projects_.try_emplace(name);
  if (is_new) it->second = symbols_.Intern(name);
  return it->second;
}

// All projects that stand somewhere: those configured first, then those that
// were charged for what they used.
std::vector<ProjectTerms> Driver::KnownProjects() const {
  std::vector<ProjectTerms> known = terms_;
  if (!setup_.cluster.shares) return known;
  std::set<std::string> agreed;
  for (const ProjectTerms& terms : terms_) agreed.insert(terms.name);
  for (const auto& [name, symbol] : projects_) {
    if (agreed.contains(name)) continue;
    const ProjectStanding standing = engine_->Projects({symbol}).front();
    if (standing.charged <= 0 && standing.held == 0) continue;
    ProjectTerms& terms = known.emplace_back();
    terms.name = name;
    terms.symbol = symbol;
    terms.share = 1;
  }
  return known;
}

void Driver::SaveShares(bool now) {
  if (!setup_.cluster.shares) return;
  const RealTime real = std::chrono::steady_clock::now();
  if (!now && real < next_shares_) return;
  next_shares_ = real + kSaveSharesEvery;
  v1::ChargedShares shares;
  shares.set_as_of(absl::ToUnixMicros(work_.now));
  for (const auto& [name, symbol] : projects_) {
    const ProjectStanding standing = engine_->Projects({symbol}).front();
    if (standing.charged <= 0) continue;
    (*shares.mutable_charged())[name] = standing.charged;
  }
  work_.batch.settings.emplace_back(kCharged, shares.SerializeAsString());
}

void Driver::Apply(ProjectsCall& call) {
  v1::ProjectsResponse response;
  *response.mutable_now() = ToProto(work_.now);
  for (const ProjectTerms& terms : KnownProjects()) {
    const ProjectStanding standing = engine_->Projects({terms.symbol}).front();
    v1::ProjectStatus& out = *response.add_projects();
    out.set_name(terms.name);
    if (standing.share) {
      out.set_share(*standing.share);
      out.set_charged_accelerator_hours(standing.charged / 3600);
      out.set_load(standing.load);
      out.set_accelerators(standing.held);
    }
    if (!standing.budget) continue;
    v1::BudgetStatus& budget = *out.mutable_budget();
    budget.set_limit_g(standing.budget->limit.value());
    budget.set_period(std::string(ToString(standing.budget->period)));
    budget.set_action(standing.budget->hold ? "hold" : "warn");
    budget.set_used_g(standing.used.value());
    budget.set_expected_g(standing.expected.value());
    *budget.mutable_period_start() = ToProto(standing.period_start);
    *budget.mutable_period_end() = ToProto(standing.period_end);
    budget.set_jobs_held(standing.jobs_held);
  }
  work_.outbox.answers.push_back(
      [response, reply = std::move(call.reply)] { reply(response); });
}

}  // namespace ccsched
