// The daemon's metrics for Prometheus, by HTTP, without holding up the driver.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "scheduler/rpc/listen_address.h"

namespace ccsched {
namespace {

// The driver looks at the board every half second.
constexpr std::chrono::milliseconds kPatience{1500};

class Collector : public prometheus::Collectable {
 public:
  explicit Collector(MetricsBoard* board) : board_(board) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    return board_->Collect(kPatience);
  }

 private:
  MetricsBoard* const board_;
};

}  // namespace

void MetricsBoard::Publish(MetricFamilies families) {
  {
    const std::lock_guard lock(mutex_);
    families_ = std::move(families);
    at_ = std::chrono::steady_clock::now();
    ++count_;
    wanted_ = false;
  }
  published_.notify_all();
}

MetricFamilies MetricsBoard::Collect(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const uint64_t before = count_;
  wanted_ = true;
  published_.wait_for(lock, patience, [&] { return count_ != before; });
  MetricFamilies families = families_;
  if (count_ == 0) return families;
  FamilyBuilder age("ccsched_metrics_age_seconds",
                    "How old these figures are; more than a moment only while "
                    "the scheduler is held up",
                    prometheus::MetricType::Gauge);
  age.Add(std::chrono::duration<double>(std::chrono::steady_clock::now() - at_)
              .count());
  age.MoveTo(families);
  return families;
}

absl::Status CheckMetricsConfig(const v1::MetricsConfig& config) {
  const std::string& address = config.address();
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (absl::StartsWith(address, "unix:") || colon == std::string::npos ||
      colon == 0 || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("metrics.address: \"", address, "\": give HOST:PORT"));
  }
  if (IsLocalAddress(address) || config.allow_remote()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "metrics.address: \"", address,
      "\" can be read from other machines: say metrics.allow_remote: true if "
      "that is meant, or listen on 127.0.0.1"));
}

struct MetricsServer::State {
  std::shared_ptr<Collector> collector;
  std::unique_ptr<prometheus::Exposer> exposer;
};

MetricsServer::MetricsServer(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
MetricsServer::~MetricsServer() = default;

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const v1::MetricsConfig& config, MetricsBoard& board) {
  if (absl::Status s = CheckMetricsConfig(config); !s.ok()) return s;
  std::string address = config.address();
  if (absl::StartsWith(address, "localhost:")) {
    address.replace(0, 9, "127.0.0.1");
  }
  auto state = std::make_unique<State>();
  state->collector = std::make_shared<Collector>(&board);
  try {
    state->exposer = std::make_unique<prometheus::Exposer>(address);
  } catch (const std::exception& e) {
    return absl::UnavailableError(absl::StrCat(
        "metrics.address: \"", address, "\" can't be bound: ", e.what()));
  }
  state->exposer->RegisterCollectable(state->collector);
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(state)));
}

int MetricsServer::port() const {
  const std::vector<int> ports = state_->exposer->GetListeningPorts();
  return ports.empty() ? 0 : ports[0];
}

FamilyBuilder::FamilyBuilder(std::string name, std::string help,
                             prometheus::MetricType type) {
  family_.name = std::move(name);
  family_.help = std::move(help);
  family_.type = type;
}

prometheus::ClientMetric& FamilyBuilder::AddRaw(const MetricLabels& labels) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [name, value] : labels) {
    metric.label.push_back({name, value});
  }
  return metric;
}

void FamilyBuilder::Add(double value, const MetricLabels& labels) {
  prometheus::ClientMetric& metric = AddRaw(labels);
  switch (family_.type) {
    case prometheus::MetricType::Counter:
      metric.counter.value = value;
      break;
    case prometheus::MetricType::Gauge:
      metric.gauge.value = value;
      break;
    default:
      metric.untyped.value = value;
  }
}

void FamilyBuilder::MoveTo(MetricFamilies& families) {
  if (!family_.metric.empty()) families.push_back(std::move(family_));
}

}  // namespace ccsched
