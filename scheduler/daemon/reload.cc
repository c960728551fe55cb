// What of the configuration may change while the scheduler runs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/reload.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/access.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

using google::protobuf::util::MessageDifferencer;

// Heartbeats that may be missed before a node counts as silent.
constexpr int kMissedMax = 3;
// The scheduler waits so much longer than the agent's own lease.
constexpr absl::Duration kLeaseMargin = absl::Seconds(5);

absl::Status NeedsRestart(const std::string& what) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " can't change while the scheduler runs: restart it"));
}

absl::Status SameSite(const v1::SiteConfig& a, const v1::SiteConfig& b) {
  if (a.name() != b.name()) {
    return NeedsRestart(
        absl::StrCat("the list of sites (", a.name(), ", ", b.name(), ")"));
  }
  if (a.region() != b.region()) {
    return NeedsRestart(absl::StrCat("the region of site ", a.name()));
  }
  if (a.pue() != b.pue()) {
    return NeedsRestart(absl::StrCat("the PUE of site ", a.name()));
  }
  // Contracts may change: reports match them anew.
  v1::SiteConfig x = a, y = b;
  x.clear_clean_energy();
  y.clear_clean_energy();
  if (!MessageDifferencer::Equals(x, y)) {
    return NeedsRestart(absl::StrCat("the pools of site ", a.name()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckReload(const Cluster& current, const Cluster& next) {
  const v1::ClusterConfig& a = current.config;
  const v1::ClusterConfig& b = next.config;
  if (a.regions_size() != b.regions_size()) {
    return NeedsRestart("the number of regions");
  }
  for (int i = 0; i < a.regions_size(); ++i) {
    if (a.regions(i).name() != b.regions(i).name()) {
      return NeedsRestart(absl::StrCat("the list of regions (",
                                       a.regions(i).name(), ", ",
                                       b.regions(i).name(), ")"));
    }
    if (a.regions(i).basis() != b.regions(i).basis()) {
      return NeedsRestart(
          absl::StrCat("the basis of region ", a.regions(i).name()));
    }
  }
  if (a.sites_size() != b.sites_size()) {
    return NeedsRestart("the number of sites");
  }
  for (int i = 0; i < a.sites_size(); ++i) {
    RETURN_IF_ERROR(SameSite(a.sites(i), b.sites(i)));
  }
  if (current.shares.has_value() != next.shares.has_value() ||
      (current.shares && current.shares->half_life != next.shares->half_life)) {
    return NeedsRestart("whether projects have shares, or their half-life,");
  }
  if (a.money().currency() != b.money().currency()) {
    return NeedsRestart("money.currency");
  }
  if (!MessageDifferencer::Equals(a.clock(), b.clock())) {
    return NeedsRestart("the clock");
  }
  v1::ListenConfig here = a.listen(), there = b.listen();
  for (v1::ListenConfig* const listen : {&here, &there}) {
    listen->clear_operators();
    listen->clear_agents();
  }
  if (!MessageDifferencer::Equals(here, there)) {
    return NeedsRestart("what the scheduler listens on");
  }
  if (absl::Status roles = CheckRoles(b.listen()); !roles.ok()) return roles;
  if (!MessageDifferencer::Equals(a.metrics(), b.metrics())) {
    return NeedsRestart("where metrics are served");
  }
  if (a.max_inbox() != b.max_inbox()) return NeedsRestart("max_inbox");
  return absl::OkStatus();
}

LeaseTimes LeaseTimesOf(const v1::ClusterConfig& config) {
  const absl::Duration heartbeat = FromProto(config.heartbeat());
  const absl::Duration lease = FromProto(config.lease());
  return {absl::ToChronoNanoseconds(
              std::max(heartbeat * kMissedMax, absl::Milliseconds(500))),
          absl::ToChronoNanoseconds(lease + std::min(kLeaseMargin, lease / 2))};
}

}  // namespace ccsched
