// A whole cluster of real binaries in a temporary directory.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/cluster.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/failpoint.h"
#include "tests/fault/namespace_wire.h"
#include "tests/fault/proxy.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<grpc::ClientContext> Context(absl::Duration patience) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + patience));
  return context;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

// A port that nobody has now. It could be taken before it is used; then the
// scheduler says so and the test fails.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

// agent/job_ends.cc
constexpr char kDiedMessage[] = "a supervisor died";

// Of a line of a log; 0 if it is not there.
int NumberIn(const std::string& line, const std::string& field) {
  const size_t at = line.find("\"" + field + "\":");
  return at == std::string::npos
             ? 0
             : std::atoi(line.c_str() + at + field.size() + 3);
}

std::string TailOf(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  return text.size() < 4000 ? text : text.substr(text.size() - 4000);
}

}  // namespace

TestCluster::TestCluster(ClusterOptions options) : options_(options) {
  std::string pattern = (fs::temp_directory_path() / "ccsched-fault-XXXXXX");
  dir_ = mkdtemp(pattern.data());
  socket_ = dir_ + "/s.sock";
  fs::create_directory(dir_ + "/jobs");
  if (options_.namespaces) {
    port_ = FreePort();
    MakeCertificate();
  }
  WriteConfig();
  MakeShims();
  agents_.resize(options_.agents);
  StartScheduler();
  WaitUntilServing();
  MakeWires();
  for (int i = 0; i < options_.agents; ++i) StartAgent(i);
}

TestCluster::~TestCluster() {
  for (Process& agent : agents_) {
    agent.Signal(SIGCONT);
    agent.Kill();
  }
  // Their agents are dead: they are this process's children now.
  for (int i = 0; i < options_.agents; ++i) {
    for (const pid_t pid : SupervisorsOf(i)) {
      kill(pid, SIGKILL);
      Eventually(absl::Seconds(10),
                 [&] { return waitpid(pid, nullptr, WNOHANG) != 0; });
    }
  }
  scheduler_.Signal(SIGCONT);
  scheduler_.Kill();
  wires_.clear();
  manglers_.clear();
  for (ShimState* shim : shims_) munmap(shim, sizeof(ShimState));
  if (keep_) return;
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

void TestCluster::WriteConfig() const {
  std::ofstream out(dir_ + "/cluster.yaml");
  if (options_.namespaces) {
    out << "version: 1\nlisten: {address: \"0.0.0.0:" << port_
        << "\", tls_certificate: " << dir_ << "/cert.pem, tls_key: " << dir_
        << "/key.pem}\n";
  } else {
    out << "version: 1\nlisten: {address: \"unix:" << socket_ << "\"}\n";
  }
  out << "regions: [{name: GRID, forecast: push}]\n"
      << "sites:\n  - {name: here, region: GRID, pue: " << kPue
      << ", pools: [{accelerator: v100, idle_watts: " << kIdleWatts
      << ", active_watts: " << kActiveWatts << "}]}\n"
      << "policy: {name: " << options_.policy << "}\n"
      << (options_.clock.empty() ? "" : "clock: " + options_.clock + "\n")
      << "lease: " << options_.lease << "\nheartbeat: " << options_.heartbeat
      << "\n";
}

// One for the scheduler, by its own authority, for all of its addresses.
void TestCluster::MakeCertificate() const {
  std::string names = "subjectAltName=IP:127.0.0.1";
  for (int i = 0; i < options_.agents; ++i) {
    absl::StrAppend(&names, ",IP:", NamespaceWire::NearAddress(i));
  }
  Process openssl =
      Process::Start({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec",
                      "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-days", "2", "-subj", "/CN=ccschedd", "-addext", names,
                      "-keyout", dir_ + "/key.pem", "-out", dir_ + "/cert.pem"},
                     dir_ + "/openssl.log");
  openssl.Wait(absl::Minutes(1));
}

std::string TestCluster::ShimPath(int i) const {
  return absl::StrCat(dir_, "/shim", i);
}

void TestCluster::MakeShims() {
  for (int i = 0; i <= options_.agents; ++i) {
    const int fd =
        open(ShimPath(i).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(ShimState)) != 0) std::abort();
    void* at = mmap(nullptr, sizeof(ShimState), PROT_READ | PROT_WRITE,
                    MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED) std::abort();
    shims_.push_back(static_cast<ShimState*>(at));
  }
}

void TestCluster::MakeWires() {
  for (int i = 0; i < options_.agents; ++i) {
    if (options_.namespaces) {
      wires_.push_back(std::make_unique<NamespaceWire>(i));
      continue;
    }
    const std::string behind = absl::StrCat(dir_, "/m", i, ".sock");
    manglers_.push_back(
        std::make_unique<Mangler>(behind, socket_, options_.seed * 100 + i));
    wires_.push_back(
        std::make_unique<Proxy>(absl::StrCat(dir_, "/a", i, ".sock"), behind));
  }
}

std::vector<std::string> TestCluster::Environment(
    int shim, const std::string& failpoints) const {
  std::vector<std::string> env = {
      absl::StrCat("LD_PRELOAD=", CCSCHED_FAULT_SHIM),
      absl::StrCat(kShimVariable, "=", ShimPath(shim))};
  if (!failpoints.empty()) {
    env.push_back(absl::StrCat(kFailpointsVariable, "=", failpoints));
  }
  return env;
}

void TestCluster::StartScheduler(const std::string& failpoints) {
  scheduler_ =
      Process::Start({CCSCHEDD, "--config", dir_ + "/cluster.yaml", "--state",
                      dir_ + "/state"},
                     dir_ + "/ccschedd.log",
                     Environment(options_.agents, failpoints), &deaths_);
  ExpectDeaths(scheduler_, failpoints);
}

std::vector<std::string> TestCluster::AgentCommand(
    int i, const std::string& state) const {
  std::vector<std::string> command = wires_[i]->Prefix();
  const std::string address =
      options_.namespaces
          ? absl::StrCat(NamespaceWire::NearAddress(i), ":", port_)
          : absl::StrCat("unix:", dir_, "/a", i, ".sock");
  for (const std::string& word : std::vector<std::string>{
           CCSCHED_AGENT, "--scheduler", address, "--node",
           absl::StrCat("node", i), "--site", "here", "--accelerator", "v100",
           "--count", absl::StrCat(options_.accelerators), "--state", state,
           "--sample-interval", "0.5", "--cgroup", "off"}) {
    command.push_back(word);
  }
  if (options_.namespaces) {
    command.insert(command.end(), {"--tls-ca", dir_ + "/cert.pem"});
  }
  return command;
}

void TestCluster::StartAgent(int i, const std::string& failpoints) {
  const std::string home = absl::StrCat(dir_, "/node", i);
  agents_[i] = Process::Start(AgentCommand(i, home), home + ".log",
                              Environment(i, failpoints), &deaths_);
  ExpectDeaths(agents_[i], failpoints);
}

// A failpoint is armed in all supervisors of an agent, too.
void TestCluster::ExpectDeaths(const Process& process,
                               const std::string& failpoints) {
  for (const auto& [how, signal] :
       {std::pair{"=kill", SIGKILL}, std::pair{"=crash", SIGSEGV}}) {
    if (!absl::StrContains(failpoints, how)) continue;
    deaths_.Sent(process.pid(), signal);
    if (absl::StrContains(failpoints, "supervisor.")) {
      deaths_.Expect("ccsched-supervise", signal);
    }
  }
}

void TestCluster::KillMeant(pid_t pid) {
  deaths_.Sent(pid, SIGKILL);
  kill(pid, SIGKILL);
}

// What an agent was told of its supervisors' ends stands in its log.
void TestCluster::ReadAgentsLogs() {
  for (const auto& entry : fs::directory_iterator(dir_)) {
    if (entry.path().extension() != ".log") continue;
    std::streamoff& at = logs_read_[entry.path()];
    std::ifstream in(entry.path());
    in.seekg(at);
    for (std::string line; std::getline(in, line) && !in.eof();) {
      at = in.tellg();
      if (!absl::StrContains(line, kDiedMessage)) continue;
      const int signal = NumberIn(line, "signal");
      if (signal == 0) continue;  // it ended by itself
      deaths_.Killed("ccsched-supervise", NumberIn(line, "pid"), signal);
    }
  }
}

std::vector<std::string> TestCluster::UnexplainedDeaths() {
  scheduler_.running();
  for (Process& agent : agents_) agent.running();
  deaths_.ReapOrphans();
  ReadAgentsLogs();
  return deaths_.unexplained();
}

Process TestCluster::StartCloneOf(int i) {
  const std::string copy = absl::StrCat(dir_, "/clone", i);
  std::error_code ignored;  // files come and go while they are copied
  fs::remove_all(copy, ignored);
  fs::create_directory(copy, ignored);
  for (const char* part : {"id", "journal"}) {
    fs::copy_file(absl::StrCat(dir_, "/node", i, "/", part),
                  absl::StrCat(copy, "/", part), ignored);
  }
  fs::copy(absl::StrCat(dir_, "/node", i, "/run"), copy + "/run",
           fs::copy_options::recursive, ignored);
  return Process::Start(AgentCommand(i, copy), copy + ".log",
                        Environment(i, ""), &deaths_);
}

std::vector<pid_t> TestCluster::SupervisorsOf(int i) const {
  std::vector<pid_t> pids;
  const std::string runs = absl::StrCat(dir_, "/node", i, "/run/");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    // Its run file is its fourth descriptor.
    const std::string run = fs::read_symlink(entry.path() / "fd/4", ignored);
    if (absl::StartsWith(run, runs)) pids.push_back(pid);
  }
  return pids;
}

std::vector<pid_t> TestCluster::JobsOf(int i) const {
  std::vector<pid_t> pids;
  for (const pid_t supervisor : SupervisorsOf(i)) {
    std::ifstream in(
        absl::StrCat("/proc/", supervisor, "/task/", supervisor, "/children"));
    pid_t pid = 0;
    while (in >> pid) pids.push_back(pid);
  }
  return pids;
}

void TestCluster::Connect() {
  // A channel that has failed waits for seconds before it tries again: here
  // each new scheduler gets a new one.
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (options_.namespaces) {
    std::stringstream certificate;
    certificate << std::ifstream(dir_ + "/cert.pem").rdbuf();
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = certificate.str();
    channel_ = grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_),
                                         grpc::SslCredentials(tls), args);
  } else {
    channel_ = grpc::CreateCustomChannel(
        "unix:" + socket_, grpc::InsecureChannelCredentials(), args);
  }
  jobs_ = v1::Jobs::NewStub(channel_);
  admin_ = v1::Admin::NewStub(channel_);
}

bool TestCluster::WaitUntilServing(absl::Duration patience) {
  return Eventually(patience, [this] {
    Connect();
    v1::StatusResponse response;
    return admin_->Status(Context(absl::Seconds(2)).get(), {}, &response).ok();
  });
}

bool TestCluster::WaitForAccelerators(uint32_t count) {
  return Eventually(absl::Minutes(1), [this, count] {
    v1::SitesResponse response;
    if (!admin_->Sites(Context(absl::Seconds(2)).get(), {}, &response).ok()) {
      return false;
    }
    uint32_t total = 0;
    for (const auto& site : response.sites()) {
      for (const auto& pool : site.pools()) total += pool.total();
    }
    return total >= count;
  });
}

absl::StatusOr<uint64_t> TestCluster::Submit(const std::string& script,
                                             const std::string& key,
                                             uint32_t accelerators,
                                             const std::string& elastic) {
  v1::SubmitRequest request;
  v1::JobSpec& job = *request.mutable_job();
  job.set_name(key);
  job.set_key(key);
  job.set_accelerators(accelerators);
  job.set_elastic(elastic);
  job.set_suspendable(!elastic.empty());
  job.mutable_grace()->set_seconds(1);
  for (const char* arg : {"/bin/sh", "-c", script.c_str()}) {
    job.add_command(arg);
  }
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(
      Context(absl::Milliseconds(1500)).get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response.job_id();
}

absl::StatusOr<v1::Job> TestCluster::Get(uint64_t job) {
  v1::GetJobRequest request;
  request.set_job_id(job);
  v1::Job response;
  const grpc::Status status =
      jobs_->Get(Context(absl::Milliseconds(1500)).get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<double> TestCluster::MeteredKwh(
    const google::protobuf::Timestamp* to) {
  v1::ReportRequest request;
  if (to != nullptr) *request.mutable_to() = *to;
  v1::ReportResponse response;
  const grpc::Status status =
      admin_->Report(Context(absl::Seconds(5)).get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response.metered_kwh();
}

absl::StatusOr<google::protobuf::Timestamp> TestCluster::Now() {
  v1::StatusResponse response;
  const grpc::Status status =
      admin_->Status(Context(absl::Seconds(5)).get(), {}, &response);
  if (!status.ok()) return FromGrpc(status);
  return response.now();
}

std::optional<uint64_t> TestCluster::LiveJobs() {
  v1::StatusResponse response;
  const grpc::Status status =
      admin_->Status(Context(absl::Milliseconds(500)).get(), {}, &response);
  if (!status.ok()) return std::nullopt;
  return response.jobs_live();
}

absl::Status TestCluster::Cancel(uint64_t job) {
  v1::JobActionRequest request;
  request.add_job_ids(job);
  v1::JobActionResponse response;
  return FromGrpc(
      jobs_->Cancel(Context(absl::Seconds(5)).get(), request, &response));
}

absl::Status TestCluster::Resize(uint64_t job, uint32_t accelerators) {
  v1::JobActionRequest request;
  request.add_job_ids(job);
  request.set_count(accelerators);
  v1::JobActionResponse response;
  return FromGrpc(
      jobs_->Resize(Context(absl::Seconds(5)).get(), request, &response));
}

absl::StatusOr<std::vector<v1::NodeStatus>> TestCluster::Nodes() {
  v1::NodesResponse response;
  const grpc::Status status =
      admin_->Nodes(Context(absl::Seconds(5)).get(), {}, &response);
  if (!status.ok()) return FromGrpc(status);
  return std::vector<v1::NodeStatus>(response.nodes().begin(),
                                     response.nodes().end());
}

std::string TestCluster::Logs() const {
  std::string logs;
  for (const auto& entry : fs::directory_iterator(dir_)) {
    if (entry.path().extension() != ".log") continue;
    absl::StrAppend(&logs, "--- ", entry.path().filename().string(), "\n",
                    TailOf(entry.path()));
  }
  return logs;
}

}  // namespace ccsched::testing
