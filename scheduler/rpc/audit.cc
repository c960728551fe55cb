// The audit trail: who did what, in one shape.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/audit.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/job_view.h"
#include "scheduler/rpc/page.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

// What a caller may put on record of its own words.
constexpr size_t kWordsMax = 500;
constexpr size_t kRangesMax = 50;

std::string_view NameOf(JobActionKind kind) {
  switch (kind) {
    case JobActionKind::kCancel:
      return "cancel";
    case JobActionKind::kHold:
      return "hold";
    case JobActionKind::kRelease:
      return "release";
    case JobActionKind::kResize:
      return "resize";
  }
  return "";
}

// "7-9,12"
template <typename Ids>
std::string RangesOf(const Ids& ids) {
  std::vector<uint64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> ranges;
  for (size_t i = 0; i < sorted.size();) {
    size_t last = i;
    while (last + 1 < sorted.size() && sorted[last + 1] <= sorted[last] + 1) {
      ++last;
    }
    if (ranges.size() == kRangesMax) {
      ranges.push_back(absl::StrCat("and more up to ", sorted.back()));
      break;
    }
    ranges.push_back(sorted[i] == sorted[last]
                         ? absl::StrCat(sorted[i])
                         : absl::StrCat(sorted[i], "-", sorted[last]));
    i = last + 1;
  }
  return absl::StrJoin(ranges, ",");
}

std::string Words(std::string_view text) { return Printable(text, kWordsMax); }

AuditAct PolicyAct(std::string by, const char* what, const std::string& name,
                   const google::protobuf::Map<std::string, std::string>& set) {
  const std::map<std::string, std::string> sorted(set.begin(), set.end());
  return {
      .by = std::move(by),
      .what = what,
      .target = absl::StrCat("policy ", Words(name)),
      .detail = Words(absl::StrJoin(sorted, ",", absl::PairFormatter("=")))};
}

// "MICROSECONDS-NUMBER" of the last act of the page before.
absl::Status ReadToken(const std::string& token, ActFilter& filter) {
  if (token.empty()) return absl::OkStatus();
  const std::vector<std::string> parts = absl::StrSplit(token, '-');
  int64_t at_us = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &at_us) ||
      !absl::SimpleAtoi(parts[1], &filter.below)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_token: \"", Words(token), "\" was not given by Acts"));
  }
  filter.to = absl::FromUnixMicros(at_us);
  return absl::OkStatus();
}

}  // namespace

AuditAct ActOf(JobActionKind kind, const v1::JobActionRequest& request,
               std::string by) {
  AuditAct act;
  act.by = std::move(by);
  act.what = NameOf(kind);
  act.target = absl::StrCat("jobs ", RangesOf(request.job_ids()));
  act.detail = kind == JobActionKind::kResize
                   ? absl::StrCat("to ", request.count(), " accelerators")
                   : Words(request.reason());
  return act;
}

AuditAct ActOf(const v1::DrainRequest& request, std::string by) {
  return {.by = std::move(by),
          .what = request.undrain() ? "undrain" : "drain",
          .target = absl::StrCat("node ", Words(request.node())),
          .detail = Words(request.reason())};
}

AuditAct ActOf(const v1::SetPolicyRequest& request, std::string by) {
  return PolicyAct(std::move(by), "set-policy", request.name(),
                   request.parameters());
}

AuditAct ActOf(const v1::SetShadowRequest& request, std::string by) {
  return PolicyAct(std::move(by), "set-shadow", request.name(),
                   request.parameters());
}

AuditAct ActOf(const v1::PushForecastRequest& request, std::string by) {
  const v1::GridSeries& series = request.series();
  return {
      .by = std::move(by),
      .what = "push-forecast",
      .target = absl::StrCat("region ", Words(series.region())),
      .detail = absl::StrCat(
          series.actual() ? "actual" : "forecast", ", ",
          std::max(series.intensity_size(), series.cfe_pct_size()), " values",
          series.source().empty() ? "" : " of ", Words(series.source()))};
}

absl::Status ActsPage(LedgerReader& reader, const v1::ActsRequest& request,
                      v1::ActsResponse& response) {
  ActFilter filter;
  if (request.has_from()) filter.from = FromProto(request.from());
  if (request.has_to()) filter.to = FromProto(request.to());
  if (filter.from >= filter.to) {
    return absl::InvalidArgumentError("from: must be before to");
  }
  filter.by = request.by();
  filter.what.assign(request.what().begin(), request.what().end());
  RETURN_IF_ERROR(ReadToken(request.page_token(), filter));
  const uint32_t page = PageSize(request.page_size());
  filter.limit = page + 1;  // one more tells whether there is more
  ASSIGN_OR_RETURN(const std::vector<NumberedAct> acts, reader.Acts(filter));
  for (size_t i = 0; i < acts.size() && i < page; ++i) {
    *response.add_acts() = ActView(acts[i].act);
  }
  if (acts.size() > page) {
    const NumberedAct& last = acts[page - 1];
    response.set_next_page_token(
        absl::StrCat(absl::ToUnixMicros(last.act.at), "-", last.number));
  }
  return absl::OkStatus();
}

void LogAct(const AuditAct& act, const absl::Status& outcome) {
  if (act.by.empty()) return;
  Log(LogLevel::kInfo, "act",
      {{"by", act.by},
       {"act", act.what},
       {"target", act.target},
       {"detail", act.detail},
       {"outcome", outcome.ok() ? "done" : outcome.ToString()}});
}

}  // namespace ccsched
