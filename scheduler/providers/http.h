// One HTTP GET, bounded in time and size.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_HTTP_H_
#define CCSCHED_SCHEDULER_PROVIDERS_HTTP_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ccsched {

struct HttpRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user_password;  // HTTP Basic, "user:password"; empty: none
  std::string etag;           // answer only if it has changed since
  std::string last_modified;  // the same, by the date that was given
  absl::Duration timeout = absl::Seconds(20);
  size_t max_bytes = 8 << 20;  // of the body, unpacked
  // Ends the transfer soon after it becomes true; may be null.
  const std::atomic<bool>* stop = nullptr;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::string etag, last_modified;
  // Retry-After: for so long, or until then.
  std::optional<absl::Duration> retry_after;
  std::optional<absl::Time> retry_at;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any answer is OK, whatever its status. No redirection is followed, so that
  // no key goes anywhere else. Errors: DeadlineExceeded; ResourceExhausted for
  // a body beyond max_bytes; Unavailable for everything about the network or an
  // answer cut off. No message holds a query, a header or a body.
  virtual absl::StatusOr<HttpResponse> Get(const HttpRequest& request) = 0;
};

// By libcurl; http and https only. One thread at a time.
std::unique_ptr<HttpClient> MakeCurlClient();

// The URL without its query and without user and password: what may be logged.
std::string Redacted(std::string_view url);

// `text` as part of a query (RFC 3986).
std::string UrlEscape(std::string_view text);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_HTTP_H_
