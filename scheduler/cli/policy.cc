// `ccsched policy list|show|set|shadow`.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/policy_shadow.h"
#include "scheduler/wire/table.h"

namespace ccsched {
namespace {

struct PolicyOptions {
  std::string name;
  std::vector<std::string> parameters;
  std::string format = "table";
};

Record PolicyRecord(const v1::PolicyInfo& policy) {
  Record r;
  r.Add("policy", policy.name());
  r.Add("current", policy.current());
  r.Add("summary", policy.summary());
  return r;
}

Record ParameterRecord(const v1::PolicyParameter& p) {
  Record r;
  r.Add("parameter", p.name());
  r.Add("unit", p.unit());
  r.Add("value", p.value());
  r.Add("default", p.default_value());
  r.Add("doc", p.doc());
  return r;
}

int RunList(Context& context, const std::string& format) {
  const auto response = context.client().Policies();
  if (!response.ok()) return context.Fail(response.status());
  std::vector<Record> records;
  Table table({{"POLICY", Align::kLeft, 0, Excess::kKeep},
               {"CURRENT"},
               {"WHAT IT DOES", Align::kLeft, 0, Excess::kWrap}});
  for (const v1::PolicyInfo& policy : response->policies()) {
    records.push_back(PolicyRecord(policy));
    const Style style = policy.current() ? Style::kGreen : Style::kPlain;
    table.Add({{policy.name(), style},
               {policy.current() ? "*" : "", style},
               policy.summary()});
  }
  if (format == "csv") {
    PrintCsv(context, PolicyRecord({}), records);
  } else if (format == "json") {
    PrintJson(context.out, "policies", {}, "policies", records);
  } else {
    ShowTable(table, context);
  }
  return kExitDone;
}

int RunShow(Context& context, const PolicyOptions& o) {
  const auto response = context.client().Policies();
  if (!response.ok()) return context.Fail(response.status());
  std::vector<std::string> names;
  const v1::PolicyInfo* found = nullptr;
  for (const v1::PolicyInfo& policy : response->policies()) {
    names.push_back(policy.name());
    if (o.name.empty() ? policy.current() : policy.name() == o.name) {
      found = &policy;
    }
  }
  if (found == nullptr) {
    return context.Wrong(absl::StrCat("there is no policy '", o.name, "'",
                                      AmongKnown(o.name, names)));
  }
  // The current policy is shown with what another would have done beside it.
  absl::StatusOr<v1::ShadowResponse> shadow = v1::ShadowResponse();
  if (found->current() && o.format != "csv") {
    shadow = context.client().Shadow();
    if (!shadow.ok()) return context.Fail(shadow.status());
  }
  const bool shadowed = !shadow->policy().empty();
  std::vector<Record> records;
  Table table({{"PARAMETER", Align::kLeft, 0, Excess::kKeep},
               {"VALUE", Align::kLeft, 0, Excess::kKeep},
               {"DEFAULT", Align::kLeft, 1, Excess::kKeep},
               {"UNIT", Align::kLeft, 2, Excess::kKeep},
               {"WHAT", Align::kLeft, 0, Excess::kWrap}});
  for (const v1::PolicyParameter& p : found->parameters()) {
    records.push_back(ParameterRecord(p));
    table.Add({p.name(), p.value(), p.default_value(), p.unit(), p.doc()});
  }
  if (o.format == "csv") {
    PrintCsv(context, ParameterRecord({}), records);
  } else if (o.format == "json") {
    Record head = PolicyRecord(*found);
    head.Add("doc", found->doc());
    if (shadowed) {
      head.AddRecord("shadow", ShadowRecord(*shadow));
    } else {
      head.AddNull("shadow");
    }
    PrintJson(context.out, "policy", head, "parameters", records);
  } else {
    context.out << Styled(found->name(), Style::kBold, context.out_colour)
                << (found->current() ? " (current)" : "") << ": "
                << found->summary() << "\n\n"
                << absl::StrJoin(
                       WrapToWidth(found->doc(), context.out_terminal
                                                     ? context.out_width
                                                     : SIZE_MAX),
                       "\n")
                << "\n";
    if (!table.empty()) {
      context.out << "\n";
      ShowTable(table, context);
    }
    if (shadowed) PrintShadow(*shadow, context);
  }
  return kExitDone;
}

int RunSet(Context& context, const PolicyOptions& o) {
  v1::SetPolicyRequest request;
  request.set_name(o.name);
  const absl::Status given =
      SetParameters(o.parameters, *request.mutable_parameters());
  if (!given.ok()) {
    return context.Wrong(absl::StrCat("policy set: ", given.message()));
  }
  const absl::Status status = context.client().SetPolicy(request);
  if (!status.ok()) return context.Fail(status);
  context.out << "Policy is " << o.name << "\n";
  return kExitDone;
}

}  // namespace

void AddPolicy(Command& root, Context& context) {
  Command& c = root.Sub("policy", "list, show or set the scheduling policy",
                        "  ccsched policy list\n"
                        "  ccsched policy show lowest-window\n"
                        "  ccsched policy set planner replan_minutes=30\n"
                        "  ccsched policy shadow lowest-window");
  auto list_format = std::make_shared<std::string>("table");
  AddFormat(c, list_format.get());
  c.OnRun([list_format, &context] { return RunList(context, *list_format); });
  Command& list = c.Sub("list", "list the policies that there are");
  AddFormat(list, list_format.get());
  list.OnRun(
      [list_format, &context] { return RunList(context, *list_format); });

  auto show_options = std::make_shared<PolicyOptions>();
  Command& show = c.Sub("show", "explain a policy and its parameters");
  show.Argument("NAME", &show_options->name, false,
                "the current one if absent");
  AddFormat(show, &show_options->format);
  show.OnRun(
      [show_options, &context] { return RunShow(context, *show_options); });

  auto set_options = std::make_shared<PolicyOptions>();
  Command& set = c.Sub("set", "schedule by another policy from now on",
                       "  ccsched policy set planner replan_minutes=30\n"
                       "  ccsched policy set planner money_g_per_unit=500 "
                       "wait_g_per_h=20");
  set.Argument("NAME", &set_options->name, true, "the policy");
  set.Arguments("PARAMETER", &set_options->parameters, false,
                "PARAMETER=VALUE; the others get their defaults");
  set.OnRun([set_options, &context] { return RunSet(context, *set_options); });

  auto shadow_options = std::make_shared<PolicyOptions>();
  Command& shadow =
      c.Sub("shadow", "run another policy beside the live one, on paper",
            "  ccsched policy shadow lowest-window\n"
            "  ccsched policy shadow planner --set wait_g_per_h=20\n"
            "  ccsched policy show          # what it would have done\n"
            "  ccsched policy shadow off\n"
            "\nIt sees the same jobs, nodes and forecasts and starts nothing. "
            "How long a job\nruns it learns when that has ended in the live "
            "cluster.");
  shadow.Argument("NAME", &shadow_options->name, true, "the policy, or off");
  shadow.Repeated("--set", "PARAMETER=VALUE", &shadow_options->parameters,
                  "the others get their defaults");
  shadow.OnRun([shadow_options, &context] {
    return RunShadow(context, shadow_options->name, shadow_options->parameters);
  });
}

}  // namespace ccsched
