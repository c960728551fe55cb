// Power of the whole node, by what its board says: hwmon, IPMI or Redfish.
// SPDX-License-Identifier: Apache-2.0
#include "agent/node_power.h"

#include <curl/curl.h>
#include <unistd.h>

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
#include "absl/time/time.h"
#include "agent/boot_clock.h"
#include "agent/program_output.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

constexpr std::chrono::seconds kEvery{5};
constexpr int64_t kStaleNs = 30 * kNanosPerSecond;
constexpr absl::Duration kPatience = absl::Seconds(10);
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
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(kPatience)));
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
      return ParseDcmiPower(
          OutputOf({.program = program,
                    .words = {program, "dcmi", "power", "reading"},
                    .patience = kPatience,
                    .bytes_max = kAnswerBytesMax}));
    };
  } else if (kind == "redfish" && !where.empty()) {
    read = [where, login] { return ParseRedfishPower(Fetch(where, login)); };
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--node-meter ", meter,
                     ": known are auto, off, hwmon, ipmi[:PROGRAM], "
                     "redfish:URL"));
  }
  const std::optional<Watts> first = read ? read() : std::nullopt;
  if (!first) {
    // A board may list a meter that says nothing: not what was asked for.
    if (kind == "auto") return nullptr;
    return absl::NotFoundError(absl::StrCat(
        "--node-meter ", meter, ": no power can be read there now"));
  }
  return std::make_unique<NodePower>(kind == "auto" ? "hwmon" : kind,
                                     std::move(read), first);
}

NodePower::NodePower(std::string name, Read read, std::optional<Watts> first)
    : name_(std::move(name)),
      read_(std::move(read)),
      latest_(first),
      read_at_ns_(BootNanos()) {
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
  const auto pause = [&] {
    wake_.wait_for(lock, kEvery, [this] { return stop_; });
  };
  if (latest_) pause();  // it was read by who made this
  while (!stop_) {
    lock.unlock();
    const std::optional<Watts> now = read_();
    lock.lock();
    if (now) {
      latest_ = now;
      read_at_ns_ = BootNanos();
    }
    pause();
  }
}

}  // namespace ccsched
