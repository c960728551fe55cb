// Power of the whole node, by what its board says: hwmon, IPMI or Redfish.
// SPDX-License-Identifier: Apache-2.0
#include "agent/node_power.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/boot_clock.h"
#include "agent/spawn.h"
#include "scheduler/base/status.h"

extern char** environ;

namespace ccsched {
namespace {

constexpr std::chrono::seconds kEvery{5};
constexpr int64_t kStaleNs = 30 * kNanosPerSecond;
constexpr int kAnswerMsMax = 10'000;
constexpr size_t kAnswerBytesMax = 1 << 20;
// No node takes more; a board that says so is wrong.
constexpr double kWattsMax = 1e6;

std::optional<Watts> Plausible(double watts) {
  if (!std::isfinite(watts) || watts <= 0 || watts > kWattsMax) {
    return std::nullopt;
  }
  return Watts(watts);
}

// The files of ACPI power meters, in microwatts.
std::vector<std::string> HwmonFiles(const std::string& sys) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(sys + "/class/hwmon", error)) {
    std::string name;
    std::ifstream(entry.path() / "name") >> name;
    const std::string file = entry.path() / "power1_average";
    if (name == "power_meter" && access(file.c_str(), R_OK) == 0) {
      files.push_back(file);
    }
  }
  return files;
}

std::optional<Watts> ReadHwmon(const std::vector<std::string>& files) {
  double watts = 0;
  for (const std::string& file : files) {
    double microwatts = 0;
    if (!(std::ifstream(file) >> microwatts)) return std::nullopt;
    watts += microwatts / 1e6;
  }
  return Plausible(watts);
}

// What a program prints, or as much as comes within the time it is given.
std::string OutputOf(std::vector<std::string> words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  const Fd in(ends[0]);
  Fd out(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  out = Fd();
  if (error != 0) return "";
  std::string text;
  const int64_t until = BootNanos() + kAnswerMsMax * int64_t{1'000'000};
  for (;;) {
    const int64_t left_ms = (until - BootNanos()) / 1'000'000;
    pollfd readable{in.get(), POLLIN, 0};
    char bytes[4096];
    if (left_ms <= 0 || poll(&readable, 1, static_cast<int>(left_ms)) <= 0) {
      break;
    }
    const ssize_t n = read(in.get(), bytes, sizeof(bytes));
    if (n <= 0 || text.size() > kAnswerBytesMax) break;
    text.append(bytes, n);
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return text;
}

size_t TakeBytes(char* bytes, size_t size, size_t count, void* text) {
  auto& all = *static_cast<std::string*>(text);
  if (all.size() + size * count > kAnswerBytesMax) return 0;
  all.append(bytes, size * count);
  return size * count;
}

std::string Fetch(const std::string& url, const std::string& login) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(),
                                                    curl_easy_cleanup);
  if (curl == nullptr) return "";
  std::string who;
  if (!login.empty()) std::getline(std::ifstream(login), who);
  std::string text;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  if (!who.empty()) curl_easy_setopt(curl.get(), CURLOPT_USERPWD, who.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, long{kAnswerMsMax});
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &TakeBytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  return curl_easy_perform(curl.get()) == CURLE_OK ? text : "";
}

}  // namespace

std::optional<Watts> ParseDcmiPower(std::string_view text) {
  constexpr std::string_view kLabel = "Instantaneous power reading:";
  const size_t at = text.find(kLabel);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + kLabel.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  double watts = 0;
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), watts);
  if (error != std::errc()) return std::nullopt;
  return Plausible(watts);
}

std::optional<Watts> ParseRedfishPower(const std::string& json) {
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  if (const auto reading = answer.find("Reading");
      reading != answer.end() && reading->is_number()) {
    return Plausible(reading->get<double>());
  }
  // A chassis of several nodes or supplies has one entry each.
  const auto controls = answer.find("PowerControl");
  if (controls == answer.end() || !controls->is_array()) return std::nullopt;
  double watts = 0;
  for (const auto& control : *controls) {
    const auto value = control.is_object() ? control.find("PowerConsumedWatts")
                                           : control.end();
    if (value == control.end() || !value->is_number()) return std::nullopt;
    watts += value->get<double>();
  }
  return Plausible(watts);
}

absl::StatusOr<std::unique_ptr<NodePower>> NodePower::Open(
    const std::string& meter, const std::string& sys,
    const std::string& login) {
  const size_t colon = meter.find(':');
  const std::string kind = meter.substr(0, colon);
  const std::string where =
      colon == std::string::npos ? "" : meter.substr(colon + 1);
  if (kind == "off") return nullptr;
  Read read;
  if (kind == "auto" || kind == "hwmon") {
    const std::vector<std::string> files = HwmonFiles(sys);
    if (files.empty() && kind == "auto") return nullptr;
    if (!files.empty()) read = [files] { return ReadHwmon(files); };
  } else if (kind == "ipmi") {
    const std::string program = where.empty() ? "ipmitool" : where;
    read = [program] {
      return ParseDcmiPower(OutputOf({program, "dcmi", "power", "reading"}));
    };
  } else if (kind == "redfish" && !where.empty()) {
    read = [where, login] { return ParseRedfishPower(Fetch(where, login)); };
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--node-meter ", meter,
                     ": known are auto, off, hwmon, ipmi[:PROGRAM], "
                     "redfish:URL"));
  }
  if (!read || !read()) {
    return absl::NotFoundError(absl::StrCat(
        "--node-meter ", meter, ": no power can be read there now"));
  }
  return std::make_unique<NodePower>(kind == "auto" ? "hwmon" : kind,
                                     std::move(read));
}

NodePower::NodePower(std::string name, Read read)
    : name_(std::move(name)), read_(std::move(read)) {
  thread_ = std::thread([this] { Run(); });
}

NodePower::~NodePower() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::optional<Watts> NodePower::Latest() const {
  const std::lock_guard lock(mutex_);
  if (BootNanos() - read_at_ns_ > kStaleNs) return std::nullopt;
  return latest_;
}

void NodePower::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const std::optional<Watts> now = read_();
    lock.lock();
    if (now) {
      latest_ = now;
      read_at_ns_ = BootNanos();
    }
    wake_.wait_for(lock, kEvery, [this] { return stop_; });
  }
}

}  // namespace ccsched
