// The checker's own reading of scenarios, traces and schedules.
// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/sim/schedule_checker.h"

namespace ccsched::testing {
namespace {

// "2021-10-03T00:00:00Z", perhaps with a fraction.
int64_t Micros(const std::string& text) {
  std::tm tm = {};
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf", &tm.tm_year, &tm.tm_mon,
                  &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &seconds) != 6) {
    throw std::runtime_error("no time: " + text);
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return (timegm(&tm)) * 1'000'000 + std::llround(seconds * 1e6);
}

// "24h", "209w", "5s", "-1h".
int64_t Length(const std::string& text) {
  char unit = 0;
  double number = 0;
  if (std::sscanf(text.c_str(), "%lf%c", &number, &unit) != 2) {
    throw std::runtime_error("no duration: " + text);
  }
  const std::map<char, double> units = {
      {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
  return std::llround(number * units.at(unit) * 1e6);
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

// A CSV as rows of named values.
std::vector<std::map<std::string, std::string>> Table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no file " + path);
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> header = Fields(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = Fields(line);
    auto& row = rows.emplace_back();
    for (size_t i = 0; i < header.size(); ++i) row[header[i]] = fields.at(i);
  }
  return rows;
}

std::string Beside(const std::string& file, const std::string& path) {
  if (path.at(0) == '/') return path;
  return file.substr(0, file.rfind('/') + 1) + path;
}

// Under a cap, so many of each pool are left as may all work at once.
void SwitchOff(CheckedSite& site) {
  if (site.cap_watts == 0) return;
  double worst = site.pue, watts = 0;
  for (const double pue : site.hourly_pue) worst = std::max(worst, pue);
  for (const CheckedPool& pool : site.pools) {
    watts += pool.active_kw * 1000 * static_cast<double>(pool.count);
  }
  if (watts * worst <= site.cap_watts) return;
  for (CheckedPool& pool : site.pools) {
    const int64_t unit = std::max<int64_t>(1, pool.node_size);
    pool.count = static_cast<int64_t>(static_cast<double>(pool.count) *
                                      site.cap_watts / (watts * worst)) /
                 unit * unit;
  }
}

}  // namespace

ScheduleChecker::ScheduleChecker(const std::string& path) {
  const YAML::Node yaml = YAML::LoadFile(path);
  start_ = Micros(yaml["start"].as<std::string>());
  if (yaml["end"]) end_ = Micros(yaml["end"].as<std::string>());
  if (yaml["horizon"]) {
    horizon_ = start_ + Length(yaml["horizon"].as<std::string>());
    end_ = std::min(end_, horizon_);
  }
  for (const YAML::Node& region : yaml["regions"]) {
    const auto rows =
        Table(Beside(path, region["intensity"].as<std::string>()));
    auto& [start, values] = grids_[region["name"].as<std::string>()];
    start = Micros(rows.at(0).at("utc"));
    for (const auto& row : rows) {
      values.push_back(std::stod(row.at(region["column"].as<std::string>())));
    }
  }
  for (const YAML::Node& node : yaml["sites"]) {
    CheckedSite site;
    site.name = node["name"].as<std::string>();
    site.region = node["region"].as<std::string>();
    site.pue = node["pue"].as<double>(1);
    site.cap_watts = node["cap_watts"].as<double>(0);
    if (node["pue_csv"]) {
      const auto rows = Table(Beside(path, node["pue_csv"].as<std::string>()));
      site.pue_start = Micros(rows.at(0).at("utc"));
      for (const auto& row : rows) {
        site.hourly_pue.push_back(std::stod(row.at("pue")));
      }
    }
    for (const YAML::Node& p : node["pools"]) {
      const std::string count = p["count"].as<std::string>();
      site.pools.push_back({p["accelerator"].as<std::string>(),
                            count == "unlimited" ? 0 : std::stoll(count),
                            p["node_size"].as<int64_t>(0),
                            p["idle_watts"].as<double>(0) / 1000,
                            p["active_watts"].as<double>() / 1000});
    }
    SwitchOff(site);
    sites_.push_back(std::move(site));
  }
  const YAML::Node jobs = yaml["jobs"];
  const YAML::Node defaults = jobs["defaults"];
  const auto length = [](const YAML::Node& node, int64_t otherwise) {
    return node ? Length(node.as<std::string>()) : otherwise;
  };
  shift_ = length(jobs["shift"], 0);
  tick_ = length(jobs["tick"], 1);
  max_delay_ = length(defaults["max_delay"], INT64_MAX);
  checkpoint_ = length(defaults["checkpoint"], 0);
  restart_ = length(defaults["restart"], 0);
  suspendable_ = defaults["suspendable"].as<bool>(false);
  elastic_ = defaults["elastic"].IsDefined();
  ReadSpeeds(defaults);
  state_gb_ = defaults["state_gb"].as<double>(0);
  faults_ = yaml["faults"].IsDefined();
  if (yaml["network"]) {
    gbit_per_s_ = yaml["network"]["gbit_per_s"].as<double>(0);
    kwh_per_gb_ = yaml["network"]["kwh_per_gb"].as<double>(0);
  }
  accelerator_ = defaults["accelerator"].as<std::string>("");
  for (const YAML::Node& c : jobs["classes"]) {
    classes_.emplace_back(length(c["shorter_than"], INT64_MAX),
                          length(c["max_delay"], max_delay_));
  }
  ReadJobs(Beside(path, jobs["trace"].as<std::string>()),
           jobs["format"].as<std::string>());
}

void ScheduleChecker::ReadSpeeds(const YAML::Node& defaults) {
  exponent_ = defaults["elastic_exponent"].as<double>(1);
  if (elastic_ && std::sscanf(defaults["elastic"].as<std::string>().c_str(),
                              "%lf:%lf", &least_width_, &most_width_) != 2) {
    throw std::runtime_error("no widths");
  }
  for (const YAML::Node& point : defaults["elastic_speedup"]) {
    speeds_[point["width"].as<double>()] = point["speed"].as<double>();
  }
}

void ScheduleChecker::ReadJobs(const std::string& path,
                               const std::string& format) {
  int64_t number = -1;
  for (const auto& row : Table(path)) {
    ++number;
    CheckedJob job;
    std::string id = std::to_string(number);
    double duration = 0;
    if (format == "philly") {
      id = row.at("job_id");
      job.submit = Micros(row.at("submit_utc")) - start_;
      duration = std::stod(row.at("duration_s"));
      job.count = std::stoll(row.at("gpus"));
    } else if (format == "gaia") {
      job.submit = std::llround(std::stod(row.at("arrival_time")) * 1e6);
      duration = std::stod(row.at("length"));
      job.count = std::stoll(row.at("cpus"));
    } else if (format == "relative") {
      id = row.at("job_id");
      job.submit = std::llround(std::stod(row.at("submit_s")) * 1e6);
      duration = std::stod(row.at("duration_s"));
      job.count = std::stoll(row.at("slots"));
    } else {
      throw std::runtime_error("no format " + format);
    }
    job.submit += shift_;
    if (job.submit < 0) continue;
    job.submit = job.submit / tick_ * tick_ + start_;
    job.duration = std::llround(duration * 1e6) / tick_ * tick_;
    if (job.submit >= end_) continue;
    int64_t delay = max_delay_;
    for (const auto& [shorter_than, class_delay] : classes_) {
      delay = class_delay;
      if (job.duration < shorter_than) break;
    }
    if (delay != INT64_MAX) job.deadline = job.submit + job.duration + delay;
    jobs_[id] = job;
  }
}

std::vector<CheckedRow> ScheduleChecker::ReadSchedule(const std::string& path) {
  std::vector<CheckedRow> rows;
  for (const auto& row : Table(path)) {
    rows.push_back({row.at("job_id"), row.at("site"), row.at("accelerator"),
                    std::stoll(row.at("segment")), std::stoll(row.at("count")),
                    Micros(row.at("start")), Micros(row.at("end")),
                    std::llround(std::stod(row.at("overhead_s")) * 1e6),
                    std::llround(std::stod(row.at("lost_s")) * 1e6),
                    std::stod(row.at("co2e_g"))});
  }
  return rows;
}

}  // namespace ccsched::testing
