// What the regions' providers bring, put into the scheduler's inbox.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/grid_poller.h"

#include <string>
#include <utility>

#include "ccsched/v1/forecasts.pb.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/input.h"

namespace ccsched {
namespace {

bool AnyProvider(const v1::ClusterConfig& config) {
  for (const v1::RegionConfig& region : config.regions()) {
    if (!region.provider().empty()) return true;
  }
  return false;
}

void LogRefusal(const std::string& region, const std::string& source,
                const absl::Status& status) {
  Log(LogLevel::kWarning, "grid data of a provider was refused",
      {{"region", region}, {"provider", source}, {"error", status}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> MakeGridPoller(
    const v1::ClusterConfig& config, const Clock* clock, Ledger& ledger,
    Inbox& inbox) {
  if (!AnyProvider(config)) return std::unique_ptr<Poller>();
  if (config.clock().rate() != 0 && config.clock().rate() != 1) {
    return absl::FailedPreconditionError(
        "regions: a provider needs a clock that runs at rate 1");
  }
  const auto deliver = [&inbox](v1::GridSeries series) {
    PushForecastCall call;
    call.reply = [region = series.region(), source = series.source()](
                     const absl::StatusOr<v1::PushForecastResponse>& reply) {
      if (!reply.ok()) LogRefusal(region, source, reply.status());
    };
    *call.request.mutable_series() = std::move(series);
    const std::string region = call.request.series().region();
    const std::string source = call.request.series().source();
    Input input = std::move(call);
    const absl::Status pushed = inbox.Push(input);
    if (!pushed.ok()) LogRefusal(region, source, pushed);
  };
  ASSIGN_OR_RETURN(std::unique_ptr<Poller> poller,
                   Poller::Make(config, clock, deliver));
  ASSIGN_OR_RETURN(const std::vector<GridRow> rows,
                   ledger.reader().GridsInForce());
  for (const GridRow& row : rows) {
    v1::GridSeries series;
    if (series.ParseFromString(row.payload)) {
      poller->Resume(series, row.received);
    }
  }
  return poller;
}

}  // namespace ccsched
