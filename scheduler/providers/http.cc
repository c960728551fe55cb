// One HTTP GET, bounded in time and size, by libcurl.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/http.h"

#include <curl/curl.h>

#include <charconv>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

struct Answer {
  HttpResponse response;
  size_t max_bytes;
  bool too_large = false;
};

size_t TakeBody(char* data, size_t size, size_t count, void* user) {
  auto* answer = static_cast<Answer*>(user);
  const size_t bytes = size * count;
  if (answer->response.body.size() + bytes > answer->max_bytes) {
    answer->too_large = true;
    return 0;  // stops the transfer
  }
  answer->response.body.append(data, bytes);
  return bytes;
}

size_t TakeHeader(char* data, size_t size, size_t count, void* user) {
  auto* answer = static_cast<Answer*>(user);
  const std::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  const std::string name = absl::AsciiStrToLower(ToAbsl(line.substr(0, colon)));
  const absl::string_view value =
      absl::StripAsciiWhitespace(ToAbsl(line.substr(colon + 1)));
  if (name == "etag") {
    answer->response.etag = std::string(value);
  } else if (name == "last-modified") {
    answer->response.last_modified = std::string(value);
  } else if (name == "retry-after") {
    int seconds = 0;
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc() && seconds >= 0) {
      answer->response.retry_after = absl::Seconds(seconds);
    } else {
      const time_t at = curl_getdate(std::string(value).c_str(), nullptr);
      if (at >= 0) answer->response.retry_at = absl::FromTimeT(at);
    }
  }
  return line.size();
}

int CheckStop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(user)->load() ? 1 : 0;
}

absl::Status ToStatus(CURLcode code, const Answer& answer,
                      const HttpRequest& request) {
  const std::string url = Redacted(request.url);
  if (answer.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "%s: the answer is larger than %d bytes", url, request.max_bytes));
  }
  switch (code) {
    case CURLE_OK:
      return absl::OkStatus();
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError("stopped");
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(
          absl::StrFormat("%s: no answer within %s", url,
                          absl::FormatDuration(request.timeout)));
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return absl::UnavailableError(
          absl::StrCat(url, ": the answer was cut off"));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(
          absl::StrCat(url, ": not a URL of http or https"));
    default:
      return absl::UnavailableError(
          absl::StrCat(url, ": ", curl_easy_strerror(code)));
  }
}

class CurlClient : public HttpClient {
 public:
  CurlClient() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
  }
  ~CurlClient() override { curl_easy_cleanup(curl_); }

  absl::StatusOr<HttpResponse> Get(const HttpRequest& request) override {
    if (curl_ == nullptr) return absl::InternalError("libcurl does not start");
    curl_easy_reset(curl_);  // keeps connections
    Answer answer{{}, request.max_bytes};
    curl_slist* headers = nullptr;
    for (const auto& [name, value] : request.headers) {
      headers =
          curl_slist_append(headers, absl::StrCat(name, ": ", value).c_str());
    }
    if (!request.etag.empty()) {
      headers = curl_slist_append(headers,
                                  ("If-None-Match: " + request.etag).c_str());
    }
    if (!request.last_modified.empty()) {
      headers = curl_slist_append(
          headers, ("If-Modified-Since: " + request.last_modified).c_str());
    }
    Set(request, &answer);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    absl::Status status = ToStatus(code, answer, request);
    if (!status.ok()) return status;
    long http_status = 0;  // NOLINT(google-runtime-int): libcurl's type
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &http_status);
    answer.response.status = static_cast<int>(http_status);
    return std::move(answer.response);
  }

 private:
  void Set(const HttpRequest& request, Answer* answer) {
    const auto ms = static_cast<long>(  // NOLINT(google-runtime-int)
        absl::ToInt64Milliseconds(request.timeout));
    curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, ms);
    curl_easy_setopt(curl_, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, "ccsched");
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, TakeHeader);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, answer);
    if (request.stop != nullptr) {
      curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
      curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, CheckStop);
      curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, request.stop);
    }
    if (!request.user_password.empty()) {
      curl_easy_setopt(curl_, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(curl_, CURLOPT_USERPWD, request.user_password.c_str());
    }
  }

  CURL* curl_ = nullptr;
};

}  // namespace

std::unique_ptr<HttpClient> MakeCurlClient() {
  return std::make_unique<CurlClient>();
}

std::string Redacted(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::string_view rest = url.substr(scheme + 3);
  const size_t at = rest.substr(0, rest.find('/')).rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, scheme + 3)) +
         std::string(rest.substr(at + 1));
}

std::string UrlEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' ||
        c == '~') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace ccsched
