// What `ccsched policy` says of a shadow policy.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/policy_shadow.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

std::string WaitText(const v1::ShadowSide& side) {
  if (!side.has_wait_mean_s()) return "-";
  return ShortDuration(absl::Seconds(side.wait_mean_s()));
}

std::string StartText(const std::string& site, bool given,
                      const google::protobuf::Timestamp& start) {
  if (site.empty()) return "not started";
  return absl::StrCat(site, " ", ShortTime(given, start));
}

Record SideRecord(const v1::ShadowSide& side) {
  Record r;
  r.Add("co2e_g", CCSCHED_OPTIONAL(side, co2e_g));
  r.Add("wait_mean_s", CCSCHED_OPTIONAL(side, wait_mean_s));
  return r;
}

}  // namespace

absl::Status SetParameters(
    const std::vector<std::string>& words,
    google::protobuf::Map<std::string, std::string>& parameters) {
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "' must be PARAMETER=VALUE"));
    }
    const std::string name = word.substr(0, equals);
    if (!parameters.insert({name, word.substr(equals + 1)}).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "': ", name, " is given twice"));
    }
  }
  return absl::OkStatus();
}

int RunShadow(Context& context, const std::string& name,
              const std::vector<std::string>& parameters) {
  v1::SetShadowRequest request;
  if (name != "off") request.set_name(name);
  const absl::Status given =
      SetParameters(parameters, *request.mutable_parameters());
  if (!given.ok()) {
    return context.Wrong(absl::StrCat("policy shadow: ", given.message()));
  }
  const absl::Status status = context.client().SetShadow(request);
  if (!status.ok()) return context.Fail(status);
  if (name == "off") {
    context.out << "No policy runs in shadow\n";
  } else {
    context.out << "Policy " << name
                << " runs in shadow; `ccsched policy show` compares it\n";
  }
  return kExitDone;
}

void PrintShadow(const v1::ShadowResponse& s, Context& context) {
  if (s.policy().empty()) return;
  context.out << "\nIn shadow: "
              << Styled(s.policy(), Style::kBold, context.out_colour);
  const std::map<std::string, std::string> parameters(s.parameters().begin(),
                                                      s.parameters().end());
  for (const auto& [name, value] : parameters) {
    context.out << " " << name << "=" << Printable(value);
  }
  context.out << ", since " << ShortTime(s.has_since(), s.since()) << "\n";
  if (!s.stopped().empty()) {
    context.out << Styled(
        absl::StrCat("It has stopped: ", Printable(s.stopped(), 1000), "\n"),
        Style::kRed, context.out_colour);
  }
  if (s.steps_behind() > 100) {
    context.out << "It is " << s.steps_behind() << " steps behind.\n";
  }
  if (s.compared() == 0) {
    context.out << "No job that was submitted since has ended on both sides "
                   "yet; in the shadow "
                << s.running() << " run and " << s.waiting() << " wait.\n";
  } else {
    context.out << "Of " << s.compared() << " jobs that ended on both sides, "
                << s.agreed()
                << absl::StrFormat(" (%.1f %%)",
                                   100.0 * static_cast<double>(s.agreed()) /
                                       static_cast<double>(s.compared()))
                << " started at the same site within a minute. In the shadow "
                << s.running() << " run and " << s.waiting() << " wait.\n\n";
    Table table({{""},
                 {"CO2E (PREDICTED)", Align::kRight},
                 {"MEAN WAIT", Align::kRight}});
    table.Add({absl::StrCat("live, ", s.live_policy()),
               CarbonText(CCSCHED_OPTIONAL(s.live(), co2e_g)),
               WaitText(s.live())});
    table.Add({absl::StrCat("shadow, ", s.policy()),
               CarbonText(CCSCHED_OPTIONAL(s.shadow(), co2e_g)),
               WaitText(s.shadow())});
    ShowTable(table, context);
    if (s.unknown() > 0) {
      context.out << "The CO2e of " << s.unknown()
                  << " of them is not known on both sides, and left out.\n";
    }
  }
  if (s.latest().empty()) return;
  context.out << "\n";
  Table latest({{"JOB", Align::kRight},
                {"LIVE", Align::kLeft, 0, Excess::kWrap},
                {"SHADOW", Align::kLeft, 0, Excess::kWrap}});
  constexpr int kShown = 10;
  for (int i = 0; i < std::min(s.latest_size(), kShown); ++i) {
    const v1::ShadowPlacement& p = s.latest(i);
    latest.Add(
        {std::to_string(p.job_id()),
         StartText(p.live_site(), p.has_live_start(), p.live_start()),
         StartText(p.shadow_site(), p.has_shadow_start(), p.shadow_start())});
  }
  ShowTable(latest, context);
}

Record ShadowRecord(const v1::ShadowResponse& s) {
  Record r;
  r.Add("policy", s.policy());
  r.AddTime("since", s.has_since(), s.since());
  r.Add("stopped", s.stopped());
  r.Add("steps_behind", s.steps_behind());
  r.Add("compared", s.compared());
  r.Add("agreed", s.agreed());
  r.Add("agreement", s.compared() == 0
                         ? std::nullopt
                         : std::optional(static_cast<double>(s.agreed()) /
                                         static_cast<double>(s.compared())));
  r.Add("co2e_unknown", s.unknown());
  r.Add("waiting", s.waiting());
  r.Add("running", s.running());
  r.AddRecord("live", SideRecord(s.live()));
  r.AddRecord("shadow", SideRecord(s.shadow()));
  std::vector<Record> latest;
  for (const v1::ShadowPlacement& p : s.latest()) {
    Record& one = latest.emplace_back();
    one.Add("job_id", p.job_id());
    one.Add("live_site", p.live_site());
    one.AddTime("live_start", p.has_live_start(), p.live_start());
    one.Add("shadow_site", p.shadow_site());
    one.AddTime("shadow_start", p.has_shadow_start(), p.shadow_start());
  }
  r.AddRecords("latest", latest);
  return r;
}

}  // namespace ccsched
