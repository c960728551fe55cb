// `ccsched audit`: who did what, over a period.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/time_options.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

struct AuditOptions {
  std::optional<std::string> since, from, to;
  std::string by;
  std::vector<std::string> acts;
  std::optional<int64_t> limit;
  std::string format = "table";
};

constexpr char kSinceDefault[] = "24h";

const std::vector<std::string>& KnownActs() {
  static const auto* const kActs = new std::vector<std::string>{
      "cancel",  "hold",       "release",    "resize",        "drain",
      "undrain", "set-policy", "set-shadow", "push-forecast", "reload"};
  return *kActs;
}

absl::Status CheckActs(const std::vector<std::string>& acts) {
  const std::vector<std::string>& known = KnownActs();
  for (const std::string& act : acts) {
    if (std::find(known.begin(), known.end(), act) != known.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat("--act: there is no act '",
                                                   Printable(act), "'",
                                                   AmongKnown(act, known)));
  }
  return absl::OkStatus();
}

Record ActRecordOf(const v1::Act& act) {
  Record r;
  r.AddTime("at", act.has_at(), act.at());
  r.Add("by", act.by());
  r.Add("act", act.what());
  r.Add("target", act.target());
  r.Add("job_id",
        act.job_id() > 0 ? std::optional(act.job_id()) : std::nullopt);
  r.Add("detail", act.detail());
  return r;
}

absl::StatusOr<v1::ActsRequest> MakeRequest(const AuditOptions& o,
                                            Context& context) {
  if (o.since && o.from) {
    return absl::InvalidArgumentError(
        "--since and --from: both say where it begins; give one");
  }
  RETURN_IF_ERROR(CheckActs(o.acts));
  v1::ActsRequest request;
  TimeOptions times(context);
  if (o.from) {
    ASSIGN_OR_RETURN(const absl::Time from, times.Read("--from", *o.from));
    *request.mutable_from() = ToProto(from);
  } else if (o.since || !o.to) {
    ASSIGN_OR_RETURN(const absl::Time from,
                     times.ReadAgo("--since", o.since.value_or(kSinceDefault)));
    *request.mutable_from() = ToProto(from);
  }
  if (o.to) {
    ASSIGN_OR_RETURN(const absl::Time to, times.Read("--to", *o.to));
    *request.mutable_to() = ToProto(to);
    if (request.has_from() && FromProto(request.from()) >= to) {
      return absl::InvalidArgumentError(
          absl::StrCat(o.from ? "--from" : "--since", ": must be before --to"));
    }
  }
  request.set_by(o.by);
  request.mutable_what()->Assign(o.acts.begin(), o.acts.end());
  return request;
}

// The oldest first, as it happened; of more than `limit` the newest.
absl::StatusOr<std::vector<v1::Act>> ListActs(Context& context,
                                              v1::ActsRequest request,
                                              size_t limit) {
  request.set_page_size(static_cast<uint32_t>(std::min<size_t>(limit, 1000)));
  std::vector<v1::Act> acts;
  do {
    ASSIGN_OR_RETURN(const v1::ActsResponse page,
                     context.client().Acts(request));
    acts.insert(acts.end(), page.acts().begin(), page.acts().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && acts.size() < limit);
  if (acts.size() > limit) acts.resize(limit);
  std::reverse(acts.begin(), acts.end());
  return acts;
}

void PrintTable(const std::vector<v1::Act>& acts, Context& context) {
  Table table({{"TIME", Align::kLeft, 0, Excess::kKeep},
               {"BY", Align::kLeft, 0, Excess::kWrap},
               {"ACT", Align::kLeft, 0, Excess::kKeep},
               {"TARGET", Align::kLeft, 0, Excess::kWrap},
               {"DETAIL", Align::kLeft, 0, Excess::kWrap}});
  for (const v1::Act& act : acts) {
    table.Add({ShortTime(act.has_at(), act.at(), true),
               act.by(),
               act.what(),
               act.target(),
               {act.detail(), Style::kDim}});
  }
  ShowTable(table, context);
}

int RunAudit(Context& context, const AuditOptions& o) {
  if (o.limit && *o.limit < 1) return context.Wrong("--limit must be above 0");
  const auto request = MakeRequest(o, context);
  if (!request.ok()) return context.Fail(request.status());
  const auto acts = ListActs(context, *request, o.limit.value_or(1'000'000));
  if (!acts.ok()) return context.Fail(acts.status());
  if (o.format == "table") {
    if (acts->empty()) {
      context.err << "Nobody did anything"
                  << (o.by.empty() && o.acts.empty() ? "" : " like that")
                  << " in that time.\n";
      return kExitDone;
    }
    PrintTable(*acts, context);
    return kExitDone;
  }
  std::vector<Record> records;
  records.reserve(acts->size());
  for (const v1::Act& act : *acts) records.push_back(ActRecordOf(act));
  if (o.format == "csv") {
    PrintCsv(context, ActRecordOf({}), records);
    return kExitDone;
  }
  Record head;
  head.AddTime("from", request->has_from(), request->from());
  head.AddTime("to", request->has_to(), request->to());
  PrintJson(context.out, "acts", head, "acts", records);
  return kExitDone;
}

}  // namespace

void AddAudit(Command& root, Context& context) {
  auto o = std::make_shared<AuditOptions>();
  Command& c = root.Sub(
      "audit", "list who did what with jobs, nodes, policies and grid data",
      "  ccsched audit\n"
      "  ccsched audit --since 7d --by olga --act drain,undrain\n"
      "  ccsched audit --from 2026-01-01 --to 2026-02-01 -o csv > january.csv\n"
      "\nThe oldest first. What was refused is in the scheduler's log only. BY "
      "is the common\nname of the caller's certificate, 'local' for who has "
      "none and calls from the\nscheduler's machine, else the address. Where "
      "the scheduler knows operators\n(listen.operators), only they may see "
      "it; `ccsched show JOB` shows anybody what\nwas done with a job.");
  c.Text("--since", "AGO", &o->since,
         "the last so long, as 90m, 24h or 7d; default 24h");
  c.Text("--from", "TIME", &o->from, "from then on");
  c.Text("--to", "TIME", &o->to, "before then");
  c.Text("--by", "NAME", &o->by, "only by this caller");
  c.List("--act", "ACT[,ACT]", &o->acts,
         absl::StrCat("only these: ", absl::StrJoin(KnownActs(), ", ")));
  c.Number("-n,--limit", "N", &o->limit, "at most so many: the newest");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunAudit(context, *o); });
}

}  // namespace ccsched
