// GETs with retries, backoff with jitter, a quota, and keys that stay secret.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_FETCHER_H_
#define CCSCHED_SCHEDULER_PROVIDERS_FETCHER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/random.h"
#include "scheduler/providers/http.h"

namespace ccsched {

struct FetchOptions {
  int attempts = 4;
  absl::Duration first_pause = absl::Seconds(1);  // doubles, each ± a half
  absl::Duration longest_pause = absl::Minutes(1);
  absl::Duration timeout = absl::Seconds(20);
  size_t max_bytes = 8 << 20;
  int requests_per_hour = 60;
  const std::atomic<bool>* stop = nullptr;  // see HttpRequest
};

// Not thread safe.
class Fetcher {
 public:
  // Waits for so long; returns false if it was told to stop meanwhile.
  using Pause = std::function<bool(absl::Duration)>;

  // REQUIRES: `http` and `clock` outlive the fetcher.
  Fetcher(HttpClient* http, const Clock* clock, Pause pause,
          FetchOptions options, uint64_t seed);

  // The body of an answer of status 200. A server that has asked for a longer
  // rest than we'd wait is not asked again before its time. What may pass is
  // tried again: no connection, an answer cut off or late, 408, 429 (after what
  // the server asks for), 5xx. Errors: Unauthenticated for 401 and
  // PermissionDenied for 403, NotFound for 404, InvalidArgument for other 4xx,
  // ResourceExhausted where the quota is used up or the body is too large,
  // AlreadyExists for 304 (nothing has changed), Cancelled when told to stop.
  absl::StatusOr<std::string> Get(HttpRequest request);

  const FetchOptions& options() const { return options_; }

 private:
  absl::Status TakeFromQuota();
  absl::Duration PauseBefore(int attempt, const HttpResponse* last);
  absl::Status CheckQuiet(const std::string& url) const;

  HttpClient* const http_;
  const Clock* const clock_;
  const Pause pause_;
  const FetchOptions options_;
  Random random_;
  // What an answer was known by: its ETag, its Last-Modified.
  struct Version {
    std::string etag, last_modified;
  };

  std::deque<absl::Time> asked_;             // within the last hour
  std::map<std::string, Version> versions_;  // by URL
  absl::Time quiet_until_ = absl::InfinitePast();
};

// The key that a configuration points at: the value of the environment variable
// `env`, else the first line of `file`. Errors: FailedPrecondition naming the
// variable or the file, never the key; also for a file that others may read.
absl::StatusOr<std::string> ReadKey(const std::string& env,
                                    const std::string& file);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_FETCHER_H_
