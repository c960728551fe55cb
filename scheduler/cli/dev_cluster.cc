// Starts, finds again and stops the embedded cluster.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/dev_cluster.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/context.h"
#include "scheduler/cli/process.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {
namespace {

namespace fs = std::filesystem;

constexpr char kScheduler[] = "ccschedd";
// sockaddr_un holds 108 bytes, one of them the end.
constexpr size_t kSocketPathMax = 107;

bool SameConfig(v1::ClusterConfig a, v1::ClusterConfig b) {
  a.clear_clock();
  b.clear_clock();
  a.clear_listen();
  b.clear_listen();
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

absl::StatusOr<DevCluster> DevCluster::Open(const std::string& dir) {
  std::error_code error;
  const std::string absolute = fs::absolute(dir, error).lexically_normal();
  for (const char* part : {"", "/run", "/log", "/agents", "/state"}) {
    fs::create_directories(absolute + part, error);
    if (error) {
      return absl::InternalError(
          absl::StrCat(absolute, part, ": can't be made: ", error.message()));
    }
  }
  fs::permissions(absolute, fs::perms::owner_all, error);
  const int lock =
      open((absolute + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return absl::InternalError(
        absl::StrCat(absolute, "/lock: ", std::strerror(errno)));
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return absl::FailedPreconditionError(absl::StrCat(
        absolute, ": another 'ccsched dev' is at work there; try again"));
  }
  return DevCluster(absolute, lock);
}

DevCluster::~DevCluster() {
  if (lock_ >= 0) close(lock_);
}

DevCluster::DevCluster(DevCluster&& other) noexcept
    : dir_(std::move(other.dir_)),
      lock_(std::exchange(other.lock_, -1)),
      address_(std::move(other.address_)),
      nodes_(std::move(other.nodes_)),
      started_(std::move(other.started_)) {}

std::string DevCluster::Pid(const std::string& name) const {
  return absl::StrCat(dir_, "/run/", name, ".pid");
}
std::string DevCluster::Log(const std::string& name) const {
  return absl::StrCat(dir_, "/log/", name, ".log");
}

std::string DevCluster::address() const {
  if (!address_.empty()) return address_;
  std::ifstream in(dir_ + "/address");
  std::string line;
  std::getline(in, line);
  return line;
}

// A unix socket in the folder; where its path is too long, one below /tmp.
absl::Status DevCluster::ChooseAddress() {
  address_ = address();
  if (!address_.empty() && ReadPidFile(Pid(kScheduler))) {
    return absl::OkStatus();
  }
  std::string path = dir_ + "/ccschedd.sock";
  if (path.size() > kSocketPathMax) {
    std::string folder = "/tmp/ccsched-dev-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) {
      return absl::InternalError(
          absl::StrCat(folder, ": ", std::strerror(errno)));
    }
    path = folder + "/s";
  }
  address_ = "unix:" + path;
  std::ofstream out(dir_ + "/address", std::ios::trunc);
  out << address_ << "\n";
  out.close();
  return out ? absl::OkStatus()
             : absl::InternalError(dir_ + "/address: can't be written");
}

absl::Status DevCluster::Prepare(const DevUpOptions& o) {
  const std::string path = dir_ + "/cluster.yaml";
  std::error_code error;
  const bool kept = fs::exists(path, error);
  const bool used = fs::exists(dir_ + "/state/ledger.db", error);
  v1::ClusterConfig before, config;
  if (kept) RETURN_IF_ERROR(ReadYamlFile(path, before));
  const absl::Time start = o.start.value_or(absl::Now());
  if (!o.config.empty()) {
    ASSIGN_OR_RETURN(config, ReadDevConfig(o.config));
  } else if (kept) {
    config = before;
  } else {
    ASSIGN_OR_RETURN(config, DefaultDevConfig(dir_, start));
  }
  if (kept && o.config.empty()) *config.mutable_clock() = before.clock();
  if (o.clock_rate) config.mutable_clock()->set_rate(*o.clock_rate);
  if (o.start) *config.mutable_clock()->mutable_start() = ToProto(*o.start);
  const bool clock_differs =
      before.clock().SerializeAsString() != config.clock().SerializeAsString();
  if (used && kept && clock_differs && (o.clock_rate || o.start)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dev up: the cluster kept in ", dir_,
        " has a clock of its own, which can't be set again; leave --start and "
        "--clock-rate out, or give another --dir"));
  }
  ASSIGN_OR_RETURN(nodes_, DevNodes(config));
  if (kept && !clock_differs && SameConfig(before, config)) {
    return absl::OkStatus();
  }
  if (ReadPidFile(Pid(kScheduler))) {
    return absl::InvalidArgumentError(
        absl::StrCat("dev up: the cluster in ", dir_,
                     " already runs, by another "
                     "configuration; 'ccsched dev down' first"));
  }
  return WriteDevConfig(path, config);
}

absl::Status DevCluster::Died(const std::string& name) const {
  return absl::InternalError(
      absl::StrCat("dev up: ", name, " did not come up; the end of ", Log(name),
                   ":\n", Tail(Log(name), 8)));
}

absl::Status DevCluster::Start(const std::string& name,
                               const std::vector<std::string>& command) {
  if (ReadPidFile(Pid(name))) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ProcessKey process, SpawnDetached(command, Log(name)));
  started_[name] = process;
  return WritePidFile(Pid(name), process);
}

absl::Status DevCluster::CheckRuns(const std::string& name) {
  const auto ours = started_.find(name);
  if (ours == started_.end()) {
    return ReadPidFile(Pid(name)) ? absl::OkStatus() : Died(name);
  }
  const std::optional<int> code = TakeExitStatus(ours->second);
  if (!code) return absl::OkStatus();
  if (name != kScheduler || *code != kExitWrong) return Died(name);
  // The configuration is wrong: its last line says how.
  std::string why = Tail(Log(name), 1);
  absl::StripTrailingAsciiWhitespace(&why);
  return absl::InvalidArgumentError(absl::StrCat(
      "dev up: ", absl::StripPrefix(why, absl::StrCat(kScheduler, ": "))));
}

absl::Status DevCluster::StartScheduler(const DevUpOptions& o) {
  ASSIGN_OR_RETURN(const std::string program,
                   FindProgram(kScheduler, "../daemon/ccschedd"));
  RETURN_IF_ERROR(
      Start(kScheduler, {program, "--config", dir_ + "/cluster.yaml", "--state",
                         dir_ + "/state", "--listen", address_}));
  const absl::Time end = absl::Now() + o.patience;
  while (absl::Now() < end) {
    // A new client each time: a channel that was refused waits before it
    // connects again.
    if (Client::Connect({address_})->Status(absl::Seconds(2)).ok()) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(CheckRuns(kScheduler));
    absl::SleepFor(absl::Milliseconds(20));
  }
  return Died(kScheduler);
}

absl::Status DevCluster::StartAgents(const DevUpOptions& o) {
  ASSIGN_OR_RETURN(const std::string program,
                   FindProgram("ccsched-agent", "../../agent/ccsched-agent"));
  for (const DevNode& node : nodes_) {
    RETURN_IF_ERROR(Start(
        node.name,
        {program, "--scheduler", address_, "--node", node.name, "--site",
         node.site, "--accelerator", node.accelerator, "--count",
         absl::StrCat(node.count), "--state", dir_ + "/agents/" + node.name}));
  }
  const auto client = Client::Connect({address_});
  std::set<std::string> missing;
  const absl::Time end = absl::Now() + o.patience;
  while (absl::Now() < end) {
    missing.clear();
    for (const DevNode& node : nodes_) missing.insert(node.name);
    ASSIGN_OR_RETURN(const v1::NodesResponse response, client->Nodes(""));
    for (const v1::NodeStatus& node : response.nodes()) {
      if (node.state() != "silent" && node.state() != "lost") {
        missing.erase(node.name());
      }
    }
    if (missing.empty()) return absl::OkStatus();
    for (const std::string& name : missing) RETURN_IF_ERROR(CheckRuns(name));
    absl::SleepFor(absl::Milliseconds(20));
  }
  return Died(*missing.begin());
}

absl::Status DevCluster::Up(const DevUpOptions& o, std::ostream& progress) {
  RETURN_IF_ERROR(Prepare(o));
  RETURN_IF_ERROR(ChooseAddress());
  const bool up = ReadPidFile(Pid(kScheduler)).has_value();
  const auto down = std::count_if(
      nodes_.begin(), nodes_.end(),
      [&](const DevNode& node) { return !ReadPidFile(Pid(node.name)); });
  if (up && down == 0) {
    progress << "All of it runs already, in " << dir_ << "\n";
  } else {
    progress << "Starting " << (up ? "" : "the scheduler and ") << down
             << " agents in " << dir_ << "\n";
  }
  RETURN_IF_ERROR(StartScheduler(o));
  return StartAgents(o);
}

int DevCluster::Down(std::ostream& progress) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir_ + "/run", error)) {
    if (entry.path().extension() == ".pid") {
      names.push_back(entry.path().stem());
    }
  }
  // The agents first, so that none of them finds its scheduler gone.
  std::sort(names.begin(), names.end(),
            [](const std::string& a, const std::string& b) {
              return std::pair(a == kScheduler, a) <
                     std::pair(b == kScheduler, b);
            });
  int stopped = 0;
  for (const std::string& name : names) {
    if (const auto process = ReadPidFile(Pid(name))) {
      if (!Terminate(*process, absl::Seconds(15))) {
        progress << name << " did not stop within 15 s and was killed\n";
      }
      ++stopped;
    }
    fs::remove(Pid(name), error);
  }
  return stopped;
}

}  // namespace ccsched
