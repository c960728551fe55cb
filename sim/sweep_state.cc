// The finished runs of a sweep, on disk, so that it can be taken up again.
// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/fnv1a.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Unreadable(const std::string& path, const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": can't be ", what));
}

bool AddFile(const std::string& path, Fnv1a& fnv) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::array<char, size_t{1} << 16> block;
  do {
    file.read(block.data(), block.size());
    fnv.Add(block.data(), static_cast<size_t>(file.gcount()));
  } while (file);
  return !file.bad();
}

Json PointJson(const SweepPoint& p) {
  Json j;
  j["policy"] = p.policy;
  j["values"] = {p.co2e_g,      p.idle_co2e_g, p.energy_kwh,
                 p.wait_mean_s, p.wait_p95_s,  p.slowdown,
                 p.late,        p.unfinished,  p.suspensions};
  j["saved"] =
      std::isnan(p.saved_vs_fcfs) ? Json(nullptr) : Json(p.saved_vs_fcfs);
  j["gap"] = std::isnan(p.gap) ? Json(nullptr) : Json(p.gap);
  j["cost"] = std::isnan(p.cost) ? Json(nullptr) : Json(p.cost);
  j["currency"] = p.currency;
  return j;
}

bool ReadPoint(const Json& j, SweepPoint& p) {
  if (!j.is_object() || !j.contains("values") || !j["values"].is_array() ||
      j["values"].size() != 9 || !j.contains("saved") || !j.contains("gap") ||
      !j.contains("policy") || !j["policy"].is_string() ||
      !j.contains("cost") || !j.contains("currency") ||
      !j["currency"].is_string()) {
    return false;
  }
  p.policy = j["policy"];
  double* const fields[] = {&p.co2e_g,      &p.idle_co2e_g, &p.energy_kwh,
                            &p.wait_mean_s, &p.wait_p95_s,  &p.slowdown,
                            &p.late,        &p.unfinished,  &p.suspensions};
  for (size_t i = 0; i < 9; ++i) {
    if (!j["values"][i].is_number()) return false;
    *fields[i] = j["values"][i];
  }
  p.saved_vs_fcfs = j["saved"].is_number() ? double(j["saved"]) : std::nan("");
  p.gap = j["gap"].is_number() ? double(j["gap"]) : std::nan("");
  p.cost = j["cost"].is_number() ? double(j["cost"]) : std::nan("");
  p.currency = j["currency"];
  return true;
}

bool ReadPoints(const Json& line, std::vector<SweepPoint>& points) {
  if (!line["points"].is_array()) return false;
  for (const Json& point : line["points"]) {
    points.emplace_back();
    if (!ReadPoint(point, points.back())) return false;
  }
  return !points.empty();
}

// A torn line may be short. Nothing is to be appended to what is no state:
// whoever mistypes a name may mean a scenario.
bool BeginsLikeState(const std::string& line) {
  static constexpr char kBegin[] = R"({"key":)";
  const size_t length = std::min(line.size(), sizeof(kBegin) - 1);
  return line.compare(0, length, kBegin, length) == 0;
}

}  // namespace

absl::StatusOr<std::string> DigestOf(const std::string& path) {
  std::error_code ignored;
  std::vector<std::string> files;
  if (std::filesystem::is_directory(path, ignored)) {
    for (const auto& entry :
         std::filesystem::directory_iterator(path, ignored)) {
      if (entry.is_regular_file(ignored))
        files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  Fnv1a fnv;
  for (const std::string& file : files) {
    if (files.size() > 1) fnv.Add(file.data(), file.size() + 1);
    if (!AddFile(file, fnv)) return Unreadable(file, "read");
  }
  return absl::StrCat(absl::Hex(fnv.digest(), absl::kZeroPad16));
}

absl::StatusOr<std::string> SweepState::Digest(const std::string& path) {
  const auto known = digests_.find(path);
  if (known != digests_.end()) return known->second;
  ASSIGN_OR_RETURN(std::string digest, DigestOf(path));
  return digests_[path] = std::move(digest);
}

absl::Status SweepState::Open(
    const std::string& path,
    const std::function<void(const std::string& key,
                             std::vector<SweepPoint> points)>& take) {
  path_ = path;
  std::ifstream file(path);
  bool torn = false, first = true;
  for (std::string line; std::getline(file, line); first = false) {
    if (first && !BeginsLikeState(line)) {
      return absl::FailedPreconditionError(absl::StrCat(
          path,
          ": is not the state of a sweep; name a new file, or remove it"));
    }
    torn = file.eof();
    const Json j = Json::parse(line, nullptr, false);
    if (!j.is_object() || !j.contains("key") || !j.contains("points") ||
        !j.contains("files") || !j["files"].is_object()) {
      continue;
    }
    const auto unchanged = [this](const auto& named) {
      const absl::StatusOr<std::string> digest = Digest(named.key());
      return digest.ok() && named.value() == *digest;
    };
    bool same = true;
    for (const auto& named : j["files"].items()) same &= unchanged(named);
    std::vector<SweepPoint> points;
    if (same && ReadPoints(j, points)) take(j["key"].dump(), std::move(points));
  }
  file.close();
  out_.open(path, std::ios::app);
  if (!out_) return Unreadable(path, "written");
  if (torn) out_ << '\n';
  return absl::OkStatus();
}

absl::Status SweepState::Save(const std::string& key,
                              const std::vector<std::string>& files,
                              const std::vector<SweepPoint>& points) {
  if (!out_.is_open()) return absl::OkStatus();
  Json j;
  j["key"] = Json::parse(key);
  j["files"] = Json::object();
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(j["files"][file], Digest(file));
  }
  j["points"] = Json::array();
  for (const SweepPoint& p : points) j["points"].push_back(PointJson(p));
  out_ << j.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n'
       << std::flush;
  return out_ ? absl::OkStatus() : Unreadable(path_, "written");
}

}  // namespace ccsched
