// `ccsched dev up` and `ccsched dev down`.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/dev_cluster.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

struct DevOptions {
  std::string dir, start, config;
  std::optional<double> clock_rate;
};

int RunUp(Context& context, const DevOptions& o) {
  DevUpOptions up;
  up.dir = o.dir.empty() ? context.DevDir() : o.dir;
  up.config = o.config;
  if (o.clock_rate && !(*o.clock_rate > 0 && *o.clock_rate <= 1'000'000)) {
    return context.Wrong("--clock-rate must be above 0, at most 1000000");
  }
  up.clock_rate = o.clock_rate;
  if (!o.start.empty()) {
    const auto start =
        ParseTimeSpec(o.start, absl::Now(), absl::LocalTimeZone());
    if (!start.ok()) {
      return context.Wrong(absl::StrCat(
          "--start: ", absl::string_view(start.status().message())));
    }
    up.start = *start;
  }
  auto cluster = DevCluster::Open(up.dir);
  if (!cluster.ok()) return context.Fail(cluster.status());
  if (absl::Status s = cluster->Up(up, context.err); !s.ok()) {
    return context.Fail(s);
  }
  const auto status = Client::Connect({cluster->address()})->Status();
  if (!status.ok()) return context.Fail(status.status());
  context.out << "The cluster is up: " << cluster->nodes().size()
              << " nodes, policy " << status->policy() << ", "
              << ShortTime(status->has_now(), status->now(), true);
  if (status->clock_rate() != 1) {
    context.out << ", a clock " << status->clock_rate() << " times as fast";
  }
  context.out << "\n";
  if (cluster->dir() != context.DevDir()) {
    context.out << "Commands find it by: export CCSCHED_DEV_DIR="
                << cluster->dir() << "\n";
  }
  context.out << "Stop it by: ccsched dev down"
              << (o.dir.empty() ? "" : " --dir " + o.dir) << "\n";
  return kExitDone;
}

int RunDown(Context& context, const DevOptions& o) {
  const std::string dir = o.dir.empty() ? context.DevDir() : o.dir;
  std::error_code error;
  if (!std::filesystem::exists(dir + "/run", error)) {
    context.out << "There is no cluster in " << dir << "\n";
    return kExitDone;
  }
  auto cluster = DevCluster::Open(dir);
  if (!cluster.ok()) return context.Fail(cluster.status());
  const int stopped = cluster->Down(context.err);
  if (stopped == 0) {
    context.out << "Nothing was running in " << cluster->dir() << "\n";
  } else {
    context.out << "Stopped " << stopped << " processes; the state is kept in "
                << cluster->dir() << "\n";
  }
  return kExitDone;
}

}  // namespace

void AddDev(Command& root, Context& context) {
  Command& dev = root.Sub("dev", "run a whole cluster on this machine");
  auto up = std::make_shared<DevOptions>();
  Command& u = dev.Sub(
      "up", "start it in the background, or what of it does not run",
      "  ccsched dev up --clock-rate 1800\n"
      "  ccsched dev up --config cluster.yaml --dir ./dev\n"
      "\nWithout --config: three sites on three synthetic grids, one agent "
      "each. A pool\nruns count / node_size agents, one without a node_size. "
      "The state is kept: the\nnext 'dev up' goes on with it.");
  u.Text("--dir", "DIR", &up->dir,
         "its folder (CCSCHED_DEV_DIR, else ~/.local/share/ccsched/dev)");
  u.Real("--clock-rate", "R", &up->clock_rate,
         "a clock R times as fast as yours (1)");
  u.Text("--start", "TIME", &up->start, "the time it begins at (now)");
  u.Text("--config", "FILE", &up->config, "a cluster.yaml of yours");
  u.OnRun([up, &context] { return RunUp(context, *up); });

  auto down = std::make_shared<DevOptions>();
  Command& d = dev.Sub("down", "stop it; its state is kept",
                       "  ccsched dev down\n"
                       "\nJobs that still run go on, and are found again by "
                       "the next 'dev up', or end\nwhen the lease of their "
                       "node does.");
  d.Text("--dir", "DIR", &down->dir, "its folder");
  d.OnRun([down, &context] { return RunDown(context, *down); });
}

}  // namespace ccsched
