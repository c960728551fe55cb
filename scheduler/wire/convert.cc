// A job request becomes what the core decides on.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/convert.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kPromiseMax = absl::Hours(24 * 366);
constexpr absl::Duration kRuntimeMax = absl::Hours(24 * 3660);

absl::Status Unknown(std::string_view field, const std::string& name,
                     const std::vector<std::string>& known) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(field), ": there is no '", ToAbsl(Printable(name)),
                   "'", AmongKnown(name, known)));
}

// Which of `known` are named in `asked`; all if none is.
template <typename List>
absl::StatusOr<std::vector<bool>> Chosen(
    std::string_view field, const List& asked,
    const std::vector<std::string>& known) {
  std::vector<bool> chosen(known.size(), asked.empty());
  for (const std::string& name : asked) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) return Unknown(field, name, known);
    chosen[found - known.begin()] = true;
  }
  return chosen;
}

template <typename List>
std::vector<std::string> NamesOf(const List& things) {
  std::vector<std::string> names;
  names.reserve(things.size());
  for (const auto& thing : things) names.push_back(thing.name);
  return names;
}

std::string Listed(
    std::string_view field,
    const google::protobuf::RepeatedPtrField<std::string>& list) {
  return list.empty()
             ? ""
             : absl::StrCat(" ", ToAbsl(field), " ", absl::StrJoin(list, ","));
}

absl::StatusOr<Placement> ToPlacement(const v1::JobSpec& job,
                                      const Topology& topology) {
  ASSIGN_OR_RETURN(const std::vector<bool> sites,
                   Chosen("site", job.site(), NamesOf(topology.sites)));
  ASSIGN_OR_RETURN(const std::vector<bool> regions,
                   Chosen("region", job.region(), NamesOf(topology.regions)));
  RETURN_IF_ERROR(
      Chosen("accelerator", job.accelerator(), topology.accelerators).status());
  Placement placement;
  const auto add_pools = [&](const std::string* type) {
    for (size_t i = 0; i < topology.pools.size(); ++i) {
      const PoolId id(static_cast<uint16_t>(i));
      const Pool& pool = topology.pools[i];
      if (sites[pool.site.value()] && regions[topology.region(id).value()] &&
          (type == nullptr ||
           topology.accelerators[pool.accelerator.value()] == *type) &&
          std::find(placement.begin(), placement.end(), id) ==
              placement.end()) {
        placement.push_back(id);
      }
    }
  };
  for (const std::string& type : job.accelerator()) add_pools(&type);
  if (job.accelerator().empty()) add_pools(nullptr);
  if (placement.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no pool of the cluster has all that was asked for:",
        Listed("accelerator", job.accelerator()), Listed("site", job.site()),
        Listed("region", job.region())));
  }
  return placement;
}

absl::Status SetTimes(const v1::JobSpec& job, const v1::JobDefaults& defaults,
                      absl::Time now, JobSpec* spec) {
  spec->submitted = now;
  spec->held = job.hold();
  if (job.has_runtime()) {
    spec->runtime = FromProto(job.runtime());
  } else if (defaults.has_runtime()) {
    spec->runtime = FromProto(defaults.runtime());
  }
  if (job.has_time_limit()) {
    spec->time_limit = FromProto(job.time_limit());
  } else if (defaults.has_time_limit()) {
    spec->time_limit = FromProto(defaults.time_limit());
  }
  if (spec->runtime && *spec->runtime > spec->time_limit) {
    if (job.has_runtime()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "runtime: ", ShortDuration(*spec->runtime),
          " is longer than the cluster's default time limit, ",
          ShortDuration(spec->time_limit), "; ask for a time_limit too"));
    }
    spec->runtime = spec->time_limit;
  }
  if (job.has_max_delay()) {
    spec->max_delay = FromProto(job.max_delay());
  } else if (!job.has_finish_by() && defaults.has_max_delay()) {
    spec->max_delay = FromProto(defaults.max_delay());
  }
  if (!job.has_finish_by()) return absl::OkStatus();
  spec->finish_by = FromProto(job.finish_by());
  const std::string by = FormatRfc3339(spec->finish_by);
  if (spec->finish_by <= now) {
    return absl::InvalidArgumentError(absl::StrCat(
        "finish_by: ", by, " is in the past; now it is ", FormatRfc3339(now)));
  }
  if (job.has_runtime() && now + *spec->runtime > spec->finish_by) {
    return absl::InvalidArgumentError(
        absl::StrCat("finish_by: ", by, " can't be kept: a runtime of ",
                     ShortDuration(*spec->runtime), " from now ends at ",
                     FormatRfc3339(now + *spec->runtime)));
  }
  return absl::OkStatus();
}

// A promise for the year 9999 is kept by one for next year. A policy that plans
// as far as the furthest promise must not be made to plan for ever.
void BoundTimes(JobSpec* spec) {
  absl::Duration runtime;
  if (spec->runtime) {
    runtime = std::min<absl::Duration>(*spec->runtime, kRuntimeMax);
    spec->runtime = runtime;
  }
  if (spec->max_delay < absl::InfiniteDuration()) {
    spec->max_delay = std::min<absl::Duration>(spec->max_delay, kPromiseMax);
  }
  if (spec->finish_by < absl::InfiniteFuture()) {
    spec->finish_by = std::min<absl::Time>(
        spec->finish_by, spec->submitted + std::max(kPromiseMax, runtime));
  }
}

}  // namespace

absl::StatusOr<ModelJob> ToModel(const v1::JobSpec& job,
                                 const v1::JobDefaults& defaults,
                                 const Topology& topology, absl::Time now) {
  ASSIGN_OR_RETURN(JobWidths widths, CheckJob(job));
  ModelJob out;
  ASSIGN_OR_RETURN(out.placement, ToPlacement(job, topology));
  RETURN_IF_ERROR(SetTimes(job, defaults, now, &out.spec));
  BoundTimes(&out.spec);
  JobShape& shape = out.shape;
  shape.count = widths.count;
  shape.min_count = widths.min;
  shape.max_count = widths.max;
  shape.speedup = std::move(widths.speedup);
  shape.nodes = job.nodes();
  shape.priority = job.priority();
  shape.suspendable = job.suspendable();
  shape.container = !job.image().empty();
  if (job.has_checkpoint()) shape.checkpoint = FromProto(job.checkpoint());
  if (job.has_restart()) shape.restart = FromProto(job.restart());
  return out;
}

absl::Status CanNeverFit(const ModelJob& job, const Topology& topology,
                         const std::vector<uint32_t>& totals) {
  uint32_t most = 0;
  std::string where;
  for (const PoolId pool : job.placement) {
    if (pool.value() >= totals.size()) continue;
    if (where.empty() || totals[pool.value()] > most) {
      most = totals[pool.value()];
      where = absl::StrCat(
          topology.site(pool).name, " (",
          topology
              .accelerators[topology.pools[pool.value()].accelerator.value()],
          ")");
    }
  }
  if (job.shape.nodes > 0 && job.shape.count <= most) {
    return absl::InvalidArgumentError(
        absl::StrCat("nodes: ", job.shape.count, " accelerators on exactly ",
                     job.shape.nodes, " nodes fit at no allowed site"));
  }
  if (most == 0) {
    return absl::InvalidArgumentError(
        "accelerators: no allowed site has a node yet; is its agent running?");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "accelerators: ", job.shape.count,
      " fit at no allowed site; the largest, ", where, ", has ", most));
}

absl::StatusOr<std::vector<uint32_t>> ParseArray(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("array: '", ToAbsl(Printable(text)), "' ", ToAbsl(why)));
  };
  constexpr std::string_view kForm =
      "must be numbers and ranges, like 0-9, 1,3,5, 0-20:5 or 0-99%5";
  if (text.size() > 10'000) return bad("is too long");
  const size_t percent = text.find('%');
  if (percent != text.npos) {
    uint32_t at_most = 0;
    if (!absl::SimpleAtoi(ToAbsl(text.substr(percent + 1)), &at_most) ||
        at_most == 0) {
      return bad("must have a number of jobs, 1 or more, after its %");
    }
  }
  std::vector<uint32_t> indices;
  for (absl::string_view part :
       absl::StrSplit(ToAbsl(text.substr(0, percent)), ',')) {
    const std::vector<std::string> range_step = absl::StrSplit(part, ':');
    const std::vector<std::string> ends = absl::StrSplit(range_step[0], '-');
    uint32_t first, last, step = 1;
    if (ends.size() > 2 || range_step.size() > 2 ||
        !absl::SimpleAtoi(ends[0], &first) ||
        !absl::SimpleAtoi(ends.back(), &last) ||
        (range_step.size() == 2 &&
         (ends.size() != 2 || !absl::SimpleAtoi(range_step[1], &step)))) {
      return bad(kForm);
    }
    if (last < first || step == 0) return bad(kForm);
    if (uint64_t{last - first} / step + 1 + indices.size() > kArrayJobsMax) {
      return bad(absl::StrCat("makes more than ", kArrayJobsMax, " jobs"));
    }
    for (uint64_t i = first; i <= last; i += step) {
      indices.push_back(static_cast<uint32_t>(i));
    }
  }
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

uint32_t ArrayAtMost(std::string_view text) {
  const size_t percent = text.find('%');
  uint32_t at_most = 0;
  if (percent == text.npos ||
      !absl::SimpleAtoi(ToAbsl(text.substr(percent + 1)), &at_most)) {
    return 0;
  }
  return at_most;
}

}  // namespace ccsched
