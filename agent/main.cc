// ccsched-agent: runs a node's jobs for the scheduler.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/attempt_meter.h"
#include "agent/attempt_store.h"
#include "agent/boot_clock.h"
#include "agent/cgroup.h"
#include "agent/container.h"
#include "agent/event_loop.h"
#include "agent/grpc_link.h"
#include "agent/lease_file.h"
#include "agent/patient_calls.h"
#include "agent/session.h"
#include "agent/state_folder.h"
#include "agent/supervisor_program.h"
#include "agent/users.h"
#include "scheduler/base/log.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

// A supervisor told to end kills after five seconds.
constexpr int64_t kEndJobsNsMax = 8 * kNanosPerSecond;
constexpr std::chrono::seconds kFindSelf{5};

struct Flags {
  std::string scheduler = "127.0.0.1:7390";
  std::string node;
  std::string site;
  std::string accelerator;
  uint32_t count = 0;
  std::string state;
  std::string tmp;
  std::string supervisor;
  double sample_s = 5;
  uint64_t log_mib = 64;
  std::string meter = "auto";
  std::string sys = "/sys";
  std::string node_meter = "auto";
  std::string redfish_login;
  bool share_host = false;
  std::string cgroup = "auto";
  uint64_t memory_mib = 0;
  TlsFiles tls;
  bool as_agent = false;
  bool end_jobs = false;
};

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

// The supervisor's program stands beside the agent's.
std::string BesideThis(const std::string& name) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error)
      .replace_filename(name);
}

std::string HexOf(const std::string& bytes, size_t count) {
  return absl::BytesToHexString(ToAbsl(bytes).substr(0, count));
}

void AddMeterFlags(CLI::App& app, Flags& flags) {
  app.add_option("--meter", flags.meter,
                 "what measures the accelerators: auto, model, nvml[:LIBRARY], "
                 "dcgm[:HOST:PORT], amd, intel")
      ->capture_default_str();
  app.add_option("--node-meter", flags.node_meter,
                 "what measures the whole node: auto, off, hwmon, "
                 "ipmi[:PROGRAM], redfish:URL (of a chassis's Power)")
      ->capture_default_str();
  app.add_option("--redfish-login", flags.redfish_login,
                 "file with USER:PASSWORD for it");
  app.add_flag("--share-host", flags.share_host,
               "charge jobs for processors and memory too, by RAPL: idle power "
               "by accelerators held, the rest by CPU time");
}

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("--scheduler", flags.scheduler,
                 "the scheduler's address, host:port or unix:/path")
      ->capture_default_str();
  app.add_option("--tls-ca", flags.tls.ca,
                 "use TLS; PEM file of who signed the scheduler's certificate")
      ->envname("CCSCHED_TLS_CA");
  app.add_option("--tls-certificate", flags.tls.certificate,
                 "PEM file of this node's own certificate")
      ->envname("CCSCHED_TLS_CERTIFICATE");
  app.add_option("--tls-key", flags.tls.key, "PEM file of its key")
      ->envname("CCSCHED_TLS_KEY");
  flags.node = HostName();
  app.add_option("--node", flags.node, "name of this node")
      ->default_str("the host's");
  app.add_option("--site", flags.site, "the site that it belongs to")
      ->required();
  app.add_option("--accelerator", flags.accelerator,
                 "type of its accelerators, as the site's configuration says")
      ->required();
  app.add_option("--count", flags.count, "how many accelerators it has")
      ->required()
      ->check(CLI::Range(1u, 4096u));
  app.add_option("--state", flags.state,
                 "folder for its records and the jobs' output")
      ->required();
  app.add_option("--tmp", flags.tmp,
                 "folder in which each job has a temporary one of its own, its "
                 "TMPDIR, until it has ended")
      ->default_str("tmp below --state")
      ->check(CLI::ExistingDirectory);
  flags.supervisor = BesideThis("ccsched-supervise");
  app.add_option("--supervisor", flags.supervisor, "program that runs one job")
      ->default_str("ccsched-supervise beside this program");
  app.add_option("--sample-interval", flags.sample_s,
                 "seconds between energy samples of a job")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--log-limit", flags.log_mib,
                 "MiB of a job's output kept on disk; the oldest goes first")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1u << 20));
  AddMeterFlags(app, flags);
  app.add_option("--cgroup", flags.cgroup,
                 "folder for the jobs' control groups (v2); auto: below the "
                 "agent's own where it may, off: none")
      ->capture_default_str();
  app.add_option("--memory-per-accelerator", flags.memory_mib,
                 "MiB that a job may use for each accelerator it holds; needs "
                 "the memory controller in --cgroup; 0: no limit")
      ->capture_default_str();
  app.add_flag("--run-as-agent", flags.as_agent,
               "run jobs as the agent's own user, even if that is root; "
               "otherwise root's agent runs each as who submitted it");
  app.add_flag("--end-jobs", flags.end_jobs,
               "on SIGTERM end the jobs too; they run again later");
  app.add_option("--sys", flags.sys, "where sysfs is")->capture_default_str();
  app.footer(
      "Jobs go on when the agent ends, and the next agent with the same "
      "--state "
      "takes them up.\nWithout either they end when the node's lease is over.");
}

// Each job has two files open here; the usual soft limit is a thousand. Returns
// what it was, which is the jobs'; 0 if it could not be read.
uint64_t RaiseFileLimit() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  const uint64_t before = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return before;
}

// A user database or a home that is far away is not waited for: meanwhile the
// lease of jobs that run may end.
Self FindSelfPatiently() {
  const auto self = CallPatiently<Self>(&FindSelf, kFindSelf);
  if (self) return *self;
  const char* const name = std::getenv("USER");
  Log(LogLevel::kWarning,
      "the user database, or the agent's home, does not answer: jobs without "
      "a workdir run in /",
      {{"uid", getuid()}});
  return {.user = name != nullptr ? name : "", .home = "/"};
}

SessionOptions MakeOptions(const Flags& flags, const StateFolder& folder) {
  SessionOptions options;
  options.identity.set_node(flags.node);
  options.identity.set_site(flags.site);
  options.identity.set_accelerator(flags.accelerator);
  options.identity.set_count(flags.count);
  options.identity.set_incarnation(RandomId());
  options.identity.set_state_id(folder.id);
  options.identity.set_version(CCSCHED_VERSION);
  options.sample_interval = absl::Seconds(flags.sample_s);
  const std::string seed = RandomId();
  std::memcpy(&options.seed, seed.data(), sizeof(options.seed));
  LaunchSettings& launch = options.runner.launch;
  launch.node = flags.node;
  launch.site = flags.site;
  launch.accelerator = flags.accelerator;
  launch.state = folder.path;
  launch.id = HexOf(folder.id, 8);
  launch.tmp = flags.tmp.empty()
                   ? folder.path + "/tmp"
                   : std::filesystem::absolute(flags.tmp).string();
  launch.output_limit = flags.log_mib << 20;
  launch.open_files = RaiseFileLimit();
  const char* path = std::getenv("PATH");
  launch.path = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  const Self self = FindSelfPatiently();
  launch.user = self.user;
  launch.home = self.home;
  launch.container_runtime = FindContainerRuntime(launch.path);
  options.identity.set_container_runtime(
      std::filesystem::path(launch.container_runtime).filename());
  launch.as_submitter = geteuid() == 0 && !flags.as_agent;
  launch.memory_per_accelerator = flags.memory_mib << 20;
  if (flags.cgroup == "auto") {
    launch.cgroup_root =
        FindCgroupRoot("ccsched-" + HexOf(folder.id, 4), flags.memory_mib > 0);
  } else if (flags.cgroup != "off") {
    launch.cgroup_root = flags.cgroup;
  }
  return options;
}

int Fail(const absl::Status& status) {
  std::cerr << "ccsched-agent: " << status.message() << "\n";
  return 1;
}

absl::StatusOr<NodeMeters> OpenMeters(const Flags& flags) {
  NodeMeters meters;
  ASSIGN_OR_RETURN(std::unique_ptr<Meter> meter,
                   OpenMeter(flags.meter, flags.sys, flags.count));
  if (meter != nullptr) {
    meters.accelerators =
        std::make_unique<MeterBank>(std::move(meter), flags.count);
  }
  meters.host = Rapl::Open(flags.sys + "/class/powercap");
  ASSIGN_OR_RETURN(meters.node, NodePower::Open(flags.node_meter, flags.sys,
                                                flags.redfish_login));
  meters.share_host = flags.share_host;
  if (meters.share_host && meters.host == nullptr) {
    return absl::NotFoundError(
        "--share-host: no RAPL counter that this process may read");
  }
  return meters;
}

sigset_t SignalsToStop() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  return signals;
}

int RunAgent(const Flags& flags) {
  const auto supervisor = SupervisorProgram::Open(flags.supervisor);
  if (!supervisor.ok()) {
    return Fail(absl::NotFoundError(
        absl::StrCat("--supervisor ", supervisor.status().message())));
  }
  auto folder = OpenStateFolder(flags.state);
  if (!folder.ok()) return Fail(folder.status());
  auto store = AttemptStore::Open(folder->path + "/journal", flags.count);
  if (!store.ok()) return Fail(store.status());
  LeaseFile lease;
  if (const std::string path = folder->path + "/lease";
      !lease.Open(path, true)) {
    return Fail(absl::UnavailableError(path + ": " + strerror(errno)));
  }
  const sigset_t signals = SignalsToStop();
  // Before any thread is made: all inherit it.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  auto meters = OpenMeters(flags);
  if (!meters.ok()) return Fail(meters.status());
  AttemptMeter meter(*std::move(meters), flags.count);
  const Fd stop(signalfd(-1, &signals, SFD_CLOEXEC));
  EventLoop loop;
  absl::StatusOr<Dial> dial = GrpcDial(loop, flags.scheduler, flags.tls);
  if (!dial.ok()) return Fail(dial.status());
  {
    SessionOptions options = MakeOptions(flags, *folder);
    options.runner.supervisor = supervisor->exec_path();
#ifndef CCSCHED_SHARED_SUPERVISOR  // such a program runs in no image
    options.runner.launch.container_init =
        std::filesystem::absolute(flags.supervisor);
#endif
    // Only what FindCgroupRoot made is this agent's to remove.
    const Cgroup made(flags.cgroup == "auto" ? options.runner.launch.cgroup_root
                                             : "");
    options.check = [&] { return supervisor->Check(); };
    if (flags.memory_mib > 0 &&
        !CanLimitMemory(options.runner.launch.cgroup_root)) {
      return Fail(absl::FailedPreconditionError(
          "--memory-per-accelerator: no control group with a memory "
          "controller; see --cgroup"));
    }
    options.identity.set_meter(meter.name());
    options.runner.launch.nvidia = meter.name().substr(0, 4) == "nvml";
    Session session(loop, **store, meter, lease, *std::move(dial),
                    std::move(options));
    Log(LogLevel::kInfo, "agent started",
        {{"node", flags.node},
         {"site", flags.site},
         {"meter", meter.name()},
         {"scheduler", flags.scheduler}});
    loop.Watch(stop.get(), [&] {
      signalfd_siginfo info;
      [[maybe_unused]] const ssize_t n = read(stop.get(), &info, sizeof(info));
      if (!flags.end_jobs) return loop.Stop();
      session.EndJobs([&] { loop.Stop(); });
      loop.At(BootNanos() + kEndJobsNsMax, [&] { loop.Stop(); });
    });
    session.Begin();
    loop.Run();
    session.runner().Leave();
    loop.Forget(stop.get());
    // Else a job may be about to make its group in it.
    if (session.runner().running_count() == 0) made.Remove();
  }
  Log(LogLevel::kInfo, "agent stopped", {{"node", flags.node}});
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  CLI::App app("ccsched-agent runs the jobs of one node for the scheduler.",
               "ccsched-agent");
  app.set_version_flag("--version", "ccsched-agent " CCSCHED_VERSION);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  ccsched::Flags flags;
  ccsched::AddFlags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return ccsched::RunAgent(flags);
}
