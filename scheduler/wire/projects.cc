// Projects as configured: shares and budgets, checked and converted.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/projects.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

constexpr std::array<std::string_view, 4> kPeriods = {"day", "week", "month",
                                                      "year"};

absl::Status Bad(const std::string& field, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::StatusOr<CarbonBudget> ToBudget(const std::string& path,
                                      const v1::ProjectConfig& project) {
  const v1::BudgetConfig& from = project.budget();
  CarbonBudget budget;
  if (!from.has_co2e_kg() || !(from.co2e_kg() >= 0) ||
      !std::isfinite(from.co2e_kg())) {
    return Bad(path + ".budget.co2e_kg",
               from.has_co2e_kg()
                   ? absl::StrCat(from.co2e_kg(), " is not at least 0")
                   : "how many kilograms are needed");
  }
  budget.limit = GramsCo2e(from.co2e_kg() * 1000);
  const std::string period = from.period().empty() ? "month" : from.period();
  const auto found = std::find(kPeriods.begin(), kPeriods.end(), period);
  if (found == kPeriods.end()) {
    return Bad(path + ".budget.period",
               absl::StrCat("'", Printable(period),
                            "' must be day, week, month or year"));
  }
  budget.period = static_cast<BudgetPeriod>(found - kPeriods.begin());
  budget.hold = project.action() == "hold";
  return budget;
}

}  // namespace

std::string_view ToString(BudgetPeriod period) {
  return kPeriods[static_cast<size_t>(period)];
}

absl::StatusOr<std::vector<ProjectTerms>> ToTerms(
    const google::protobuf::RepeatedPtrField<v1::ProjectConfig>& projects) {
  std::vector<ProjectTerms> terms;
  absl::flat_hash_set<std::string> names;
  for (int i = 0; i < projects.size(); ++i) {
    const v1::ProjectConfig& from = projects[i];
    const std::string path = absl::StrCat("projects[", i, "]");
    ProjectTerms& t = terms.emplace_back();
    t.name = from.name();
    if (t.name.empty() || t.name.size() > kNameBytesMax) {
      return Bad(path + ".name", "a name of at most 256 bytes is needed");
    }
    if (!names.insert(t.name).second) {
      return Bad(path + ".name", absl::StrCat("there are two projects '",
                                              Printable(t.name), "'"));
    }
    if (from.has_share()) {
      if (!(from.share() > 0) || !std::isfinite(from.share())) {
        return Bad(path + ".share",
                   absl::StrCat(from.share(), " is not a positive number"));
      }
      t.share = from.share();
    }
    const std::string& action = from.action();
    if (!action.empty() && action != "warn" && action != "hold") {
      return Bad(path + ".action", absl::StrCat("'", Printable(action),
                                                "' must be warn or hold"));
    }
    if (from.has_budget()) {
      ASSIGN_OR_RETURN(t.budget, ToBudget(path, from));
    } else if (!action.empty()) {
      return Bad(path + ".action", "there is no budget for it to act on");
    }
  }
  return terms;
}

absl::StatusOr<std::optional<FairShareOptions>> ToShares(
    const std::vector<ProjectTerms>& terms, const v1::FairShareConfig& config) {
  FairShareOptions options;
  if (config.has_half_life()) {
    options.half_life = FromProto(config.half_life());
    if (options.half_life <= absl::ZeroDuration()) {
      return Bad("fair_share.half_life", "it is not positive");
    }
  }
  const bool any =
      std::any_of(terms.begin(), terms.end(),
                  [](const ProjectTerms& t) { return t.share.has_value(); });
  if (!any) return std::optional<FairShareOptions>();
  return std::optional<FairShareOptions>(options);
}

}  // namespace ccsched
