// The whole scheduler as one object: ledger, driver, server, and their order.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/daemon.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/daemon/driver.h"
#include "scheduler/daemon/grid_poller.h"
#include "scheduler/daemon/metrics.h"
#include "scheduler/rpc/server.h"

namespace ccsched {
namespace {

constexpr absl::Duration kShutdownGrace = absl::Milliseconds(500);

absl::Status MakeStateFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(
        "can't make the state folder ", path, ": ", error.message()));
  }
  // Jobs' commands and environments are nobody else's business.
  ::chmod(path.c_str(), 0700);
  return absl::OkStatus();
}

}  // namespace

struct Daemon::State {
  explicit State(size_t max_inbox) : inbox(max_inbox) {}

  // In the order in which they must go, last first.
  std::unique_ptr<Ledger> ledger;
  Inbox inbox;
  AgentDirectory directory;
  WatchHub hub;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<Server> server;
  MetricsBoard metrics;
  std::unique_ptr<MetricsServer> metrics_server;  // null: off
  RealClock real_clock;
  std::unique_ptr<Poller> poller;  // null: no region has a provider
  std::thread loop;
  absl::Status result;
  bool stopped = false;
};

Daemon::Daemon(std::unique_ptr<State> state) : state_(std::move(state)) {}

Daemon::~Daemon() { Stop().IgnoreError(); }

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(DaemonOptions options) {
  RETURN_IF_ERROR(MakeStateFolder(options.state));
  const v1::ListenConfig listen = options.listen.address().empty()
                                      ? options.cluster.config.listen()
                                      : options.listen;
  auto state = std::make_unique<State>(options.cluster.config.max_inbox());
  if (options.open_ledger) {
    ASSIGN_OR_RETURN(state->ledger, options.open_ledger());
  } else {
    ASSIGN_OR_RETURN(state->ledger,
                     OpenSqliteLedger(options.state + "/ledger.db"));
  }
  State* const s = state.get();
  ASSIGN_OR_RETURN(s->poller,
                   MakeGridPoller(options.cluster.config, &s->real_clock,
                                  *s->ledger, s->inbox));
  const v1::MetricsConfig metrics = options.cluster.config.metrics();
  DriverSetup setup;
  if (!metrics.address().empty()) setup.metrics = &s->metrics;
  setup.cluster = std::move(options.cluster);
  setup.config_file = options.config_file;
  setup.real_origin = options.real_origin;
  setup.ledger = s->ledger.get();
  setup.inbox = &s->inbox;
  setup.directory = &s->directory;
  setup.hub = &s->hub;
  if (s->poller != nullptr) {
    setup.providers = [s] { return s->poller->States(); };
  }
  setup.on_roles = [s](const v1::ListenConfig& listen) {
    s->server->SetRoles(listen);
  };
  setup.on_health = [s](bool ok) { s->server->SetServing(ok); };
  ASSIGN_OR_RETURN(s->driver, Driver::Create(std::move(setup)));
  ASSIGN_OR_RETURN(s->server,
                   Server::Start(listen, {&s->inbox, &s->ledger->reader(),
                                          &s->hub, &s->directory}));
  s->loop = std::thread([s, on_failure = std::move(options.on_failure)] {
    s->result = s->driver->Run();
    if (s->result.ok()) return;
    s->inbox.RefuseClients(s->result);
    s->server->SetServing(false);
    if (on_failure) on_failure();
  });
  if (s->poller != nullptr) s->poller->Start();
  if (!metrics.address().empty()) {
    auto served = MetricsServer::Start(metrics, s->metrics);
    if (!served.ok()) {
      auto daemon = std::unique_ptr<Daemon>(new Daemon(std::move(state)));
      daemon->Stop().IgnoreError();
      return served.status();
    }
    s->metrics_server = *std::move(served);
    Log(LogLevel::kInfo, "serving metrics",
        {{"address", metrics.address()}, {"port", s->metrics_server->port()}});
  }
  Log(LogLevel::kInfo, "serving", {{"address", s->server->address()}});
  return std::unique_ptr<Daemon>(new Daemon(std::move(state)));
}

const std::string& Daemon::address() const { return state_->server->address(); }
int Daemon::port() const { return state_->server->port(); }
int Daemon::metrics_port() const {
  return state_->metrics_server == nullptr ? 0 : state_->metrics_server->port();
}
LedgerReader& Daemon::reader() { return state_->ledger->reader(); }

void Daemon::Reload(std::string caller) {
  Input reload = ReloadConfig{std::move(caller)};
  state_->inbox.Push(reload, Lane::kAgent).IgnoreError();
}

absl::Status Daemon::Stop() {
  State& s = *state_;
  if (std::exchange(s.stopped, true)) return s.result;
  s.server->SetServing(false);
  if (s.poller != nullptr) s.poller->Stop();  // the driver still looks at it
  s.metrics_server.reset();
  s.driver->StopSoon();
  s.inbox.Close();
  s.loop.join();
  // After a failure inputs may be left that nobody will take.
  std::vector<Input> left;
  while (s.inbox.Pop(1, std::chrono::steady_clock::now(), left)) {
  }
  for (Input& input : left) {
    Refuse(input, absl::UnavailableError("the scheduler has stopped"));
  }
  s.driver.reset();  // delivers the last answers
  s.directory.CloseAll(absl::UnavailableError("the scheduler is stopping"));
  s.server->Shutdown(kShutdownGrace);
  return s.result;
}

}  // namespace ccsched
