// The daemon's metrics for Prometheus, by HTTP, without holding up the driver.
// SPDX-License-Identifier: Apache-2.0
//
//   MetricsBoard board;
//   ASSIGN_OR_RETURN(auto server, MetricsServer::Start(config, board));
//   // The driver, at least twice a second:
//   if (board.wanted()) board.Publish(MakeFamilies());
#ifndef CCSCHED_SCHEDULER_DAEMON_METRICS_H_
#define CCSCHED_SCHEDULER_DAEMON_METRICS_H_

#include <prometheus/metric_family.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ccsched/v1/config.pb.h"

namespace ccsched {

using MetricFamilies = std::vector<prometheus::MetricFamily>;
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Where the driver puts its figures when somebody has asked for them. A driver
// that is busy, or waits for a disk, is never waited for: then the last figures
// are given again. Any thread.
class MetricsBoard {
 public:
  bool wanted() const { return wanted_; }
  void Publish(MetricFamilies families);
  // The figures of now, or after `patience` the last ones that there are; with
  // how old they are as one more metric.
  MetricFamilies Collect(std::chrono::milliseconds patience);

 private:
  std::atomic<bool> wanted_ = false;
  std::mutex mutex_;
  std::condition_variable published_;
  MetricFamilies families_;
  std::chrono::steady_clock::time_point at_;
  uint64_t count_ = 0;  // of publications
};

// Whether metrics may be served there: "HOST:PORT", loopback unless remote
// readers are allowed. Errors: InvalidArgument; FailedPrecondition.
absl::Status CheckMetricsConfig(const v1::MetricsConfig& config);

class MetricsServer {
 public:
  // Serves GET /metrics on config.address. `board` must outlive the server.
  // Errors: as CheckMetricsConfig; Unavailable if the address can't be bound.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(
      const v1::MetricsConfig& config, MetricsBoard& board);
  ~MetricsServer();
  int port() const;

 private:
  struct State;
  explicit MetricsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Adds one value to a family that is made on its first value.
class FamilyBuilder {
 public:
  FamilyBuilder(std::string name, std::string help,
                prometheus::MetricType type);
  void Add(double value, const MetricLabels& labels = {});
  prometheus::ClientMetric& AddRaw(const MetricLabels& labels);
  void MoveTo(MetricFamilies& families);  // unless it is empty

 private:
  prometheus::MetricFamily family_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_METRICS_H_
