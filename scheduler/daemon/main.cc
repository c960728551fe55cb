// ccschedd: the scheduler.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/daemon.h"
#include "scheduler/daemon/policy_setting.h"
#include "scheduler/rpc/listen_address.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

struct Options {
  std::string config, state, listen, real_origin;
};

// Signals come to one thread, by sigwait; all others block them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, s);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

// Waits for signals until one asks to stop, or the driver has ended by itself
// (SIGUSR1).
void ServeSignals(const sigset_t& set, Daemon& daemon) {
  for (;;) {
    siginfo_t info{};
    const int caught = sigwaitinfo(&set, &info);
    if (caught < 0) continue;  // EINTR: it was stopped for a while
    if (caught != SIGHUP) {
      Log(LogLevel::kInfo, "stopping", {{"signal", caught}});
      return;
    }
    daemon.Reload("uid " + std::to_string(info.si_uid));
  }
}

// Each agent and client is an open file; the usual soft limit is a thousand.
void RaiseFileLimit() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

absl::StatusOr<DaemonOptions> ReadOptions(const Options& options) {
  DaemonOptions daemon;
  ASSIGN_OR_RETURN(daemon.cluster, ReadCluster(options.config));
  RETURN_IF_ERROR(CheckPolicyConfig(daemon.cluster));
  daemon.config_file = options.config;
  daemon.state = options.state;
  v1::ListenConfig& listen = daemon.listen;
  listen = daemon.cluster.config.listen();
  if (!options.listen.empty()) listen.set_address(options.listen);
  if (listen.address().empty()) listen.set_address(kDefaultListenAddress);
  RETURN_IF_ERROR(CheckListenConfig(listen));
  if (!options.real_origin.empty()) {
    ASSIGN_OR_RETURN(daemon.real_origin, ParseRfc3339(options.real_origin));
  }
  return daemon;
}

absl::Status Serve(const Options& options) {
  const sigset_t signals = BlockSignals();
  RaiseFileLimit();
  ASSIGN_OR_RETURN(DaemonOptions daemon_options, ReadOptions(options));
  daemon_options.on_failure = [main = pthread_self()] {
    pthread_kill(main, SIGUSR1);
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<Daemon> daemon,
                   Daemon::Start(std::move(daemon_options)));
  ServeSignals(signals, *daemon);
  absl::Status result = daemon->Stop();
  if (result.ok()) Log(LogLevel::kInfo, "stopped");
  return result;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  ccsched::Options options;
  CLI::App app{
      "The carbon-aware cluster scheduler. Takes jobs over gRPC, decides where "
      "and when they run, starts them through its agents, and keeps the ledger "
      "of their energy and CO2e.\n\n"
      "SIGTERM stops it cleanly; jobs run on. SIGHUP reads the configuration "
      "again: policy, defaults, grid data, leases, roles. Logs are JSON lines "
      "on "
      "standard error."};
  app.name("ccschedd");
  app.set_version_flag("--version", "ccschedd " CCSCHED_VERSION);
  app.add_option("--config", options.config,
                 "The cluster: regions, sites, policy, clock (cluster.yaml)")
      ->required();
  app.add_option("--state", options.state,
                 "Folder of the ledger; made if it is not there")
      ->required();
  app.add_option("--listen", options.listen,
                 "HOST:PORT or unix:PATH, instead of the configuration's; "
                 "beyond this machine only with TLS configured "
                 "[127.0.0.1:7390]");
  app.add_option("--real-origin", options.real_origin,
                 "Real time, RFC 3339, at which a new cluster's clock shows "
                 "its start [now]");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  const absl::Status status = ccsched::Serve(options);
  if (status.ok()) return 0;
  ccsched::Log(ccsched::LogLevel::kError, "ccschedd can't go on",
               {{"error", status}});
  std::cerr << "ccschedd: " << status.message() << "\n";
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}
