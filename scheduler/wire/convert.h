// Job requests and decisions, between the wire's messages and the model.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(ModelJob job, ToModel(request.job(), defaults, topology,
//                                          now));
//   job.shape.placement = engine.InternPlacement(job.placement);
//   job.spec.user = symbols.Intern(request.job().user());
#ifndef CCSCHED_SCHEDULER_WIRE_CONVERT_H_
#define CCSCHED_SCHEDULER_WIRE_CONVERT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "ccsched/v1/config.pb.h"
#include "ccsched/v1/forecasts.pb.h"
#include "ccsched/v1/jobs.pb.h"
#include "scheduler/base/step_series.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/price_series.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/effect.h"
#include "scheduler/model/intern.h"
#include "scheduler/model/job.h"
#include "scheduler/model/reason.h"
#include "scheduler/model/speedup.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {

// The longest of each kind of text in a job, in bytes; and other bounds.
inline constexpr size_t kNameBytesMax = 256;   // name, project, user, key
inline constexpr size_t kPathBytesMax = 4096;  // workdir, output
inline constexpr int kSpeedupPointsMax = 64;
inline constexpr size_t kArgumentBytesMax = 131'072;  // as Linux's exec
inline constexpr size_t kPayloadBytesMax = 1 << 20;   // the whole job
inline constexpr int kListMax = 1000;  // env, after, types, sites, regions
inline constexpr uint32_t kArrayJobsMax = 100'000;
inline constexpr uint32_t kAcceleratorsMax = 1'000'000;

// What the core needs of a job. Not filled, since they belong to the caller's
// tables: spec.id, spec.user, spec.project, spec.name, shape.placement.
struct ModelJob {
  JobSpec spec;
  JobShape shape;
  Placement placement;  // the pools that it may use, in order of preference
};

// On how many accelerators a job runs, and on how few and how many it may.
struct JobWidths {
  uint32_t count = 1, min = 1, max = 1;
  std::shared_ptr<const Speedup> speedup{};  // null: linear
};

// Checks a job by itself: sizes, texts, counts and durations, options that
// contradict each other. What the CLI can do before it asks anybody. Returns
// what had to be read to be checked.
// Errors: InvalidArgument naming field and value.
absl::StatusOr<JobWidths> CheckJob(const v1::JobSpec& job);

// Checks and converts. Defaults fill what the job leaves out: max_delay only
// if it has no finish_by either. Errors: InvalidArgument naming field and
// value, also for unknown sites, regions and accelerators (with the nearest
// name), for a finish_by in the past or too early for the job's own runtime.
absl::StatusOr<ModelJob> ToModel(const v1::JobSpec& job,
                                 const v1::JobDefaults& defaults,
                                 const Topology& topology, absl::Time now);

// What is answered if no pool of its placement could ever hold the job: names
// the count and what the largest pool has. `totals` are accelerators by pool.
absl::Status CanNeverFit(const ModelJob& job, const Topology& topology,
                         const std::vector<uint32_t>& totals);

// An array's indices: "0-9", "1,3,5", "0-20:5", each with or without a limit,
// "%N". In increasing order, no repeats. Errors: InvalidArgument, also for more
// than kArrayJobsMax.
absl::StatusOr<std::vector<uint32_t>> ParseArray(std::string_view text);
// How many of its jobs may be under way at once, by "%N"; 0: no limit.
// REQUIRES: ParseArray takes it.
uint32_t ArrayAtMost(std::string_view text);

// How a choice turns into an offer: what it takes and for how long.
struct OfferContext {
  const Topology& topology;
  uint32_t count = 1;
  // Expected time left to run, its median and its 90th percentile, where known.
  std::optional<absl::Duration> runtime{};
  std::optional<absl::Duration> runtime_p50{};
  std::optional<absl::Duration> runtime_p90{};
  // How late planned starts have come of late; a start at once comes in time.
  absl::Duration slip_p50{}, slip_p90{};
  absl::Time decided = absl::InfinitePast();
  // When what it waits for is expected to have ended: no start comes before.
  absl::Time free_p50 = absl::InfinitePast(), free_p90 = absl::InfinitePast();
  // Electricity prices by region, null where unknown (GridView::prices).
  absl::Span<const std::shared_ptr<const PriceSeries>> prices = {};
  // Forecasts by region, null where unknown (GridView::forecasts): whatever a
  // policy assumes there, a choice's carbon is then unknown. Empty: all known.
  absl::Span<const std::shared_ptr<const Forecast>> forecasts = {};
  // When the job has to have ended to keep its promise, as far as its expected
  // time to run says.
  absl::Time promised_end = absl::InfiniteFuture();
};
// What ends later than promised says so in its note.
v1::Offer ToProto(const Choice& choice, const OfferContext& context);
// With `text` as ReasonText gives it. Choices that are not valid are absent.
v1::Reason ToProto(const DecisionRecord& decision, std::string_view policy,
                   absl::Time decided, const OfferContext& context);
// One sentence for people: what was decided, when, where, and what it saves.
std::string ReasonText(const DecisionRecord& decision, absl::Time decided,
                       const OfferContext& context);
// "12.30 USD".
std::string MoneyText(double amount, std::string_view currency);
// "1.23 kg", "0.45 g", "2.1 t": three significant digits.
std::string GramsText(double grams);

// The intensity of a pushed or stored series, in gCO2e/kWh. A share of
// carbon-free energy alone becomes an intensity by `residual`, that of what is
// not carbon-free. Errors: InvalidArgument naming the field and the value:
// negative or not finite values, a share beyond 100, lists of unequal length,
// no step, more than 100,000 values; a share alone without a residual.
absl::StatusOr<StepSeries> ToIntensity(const v1::GridSeries& series,
                                       std::optional<GramsPerKwh> residual);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_CONVERT_H_
