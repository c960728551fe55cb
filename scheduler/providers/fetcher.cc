// GETs with retries, backoff with jitter, a quota, and keys that stay secret.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/fetcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

// Whatever a server says, a day later it is asked again.
constexpr absl::Duration kQuietMost = absl::Hours(24);

bool MayPass(const absl::StatusOr<HttpResponse>& answer) {
  if (!answer.ok()) {
    return absl::IsUnavailable(answer.status()) ||
           absl::IsDeadlineExceeded(answer.status());
  }
  return answer->status == 408 || answer->status == 429 ||
         answer->status >= 500;
}

absl::Status StatusOf(int http, const std::string& url) {
  const std::string what =
      absl::StrFormat("%s: answered %d", Redacted(url), http);
  switch (http) {
    case 200:
      return absl::OkStatus();
    case 304:
      return absl::AlreadyExistsError(what);
    case 401:
      return absl::UnauthenticatedError(
          absl::StrCat(what, " (the key is wrong, or its plan lacks this)"));
    case 403:
      return absl::PermissionDeniedError(what);
    case 404:
      return absl::NotFoundError(what);
    case 429:
      return absl::ResourceExhaustedError(
          absl::StrCat(what, " (too many requests)"));
    default:
      break;
  }
  if (http >= 500 || http == 408) return absl::UnavailableError(what);
  return absl::InvalidArgumentError(what);
}

}  // namespace

Fetcher::Fetcher(HttpClient* http, const Clock* clock, Pause pause,
                 FetchOptions options, uint64_t seed)
    : http_(http),
      clock_(clock),
      pause_(std::move(pause)),
      options_(options),
      random_(seed) {}

absl::Status Fetcher::TakeFromQuota() {
  const absl::Time now = clock_->Now();
  while (!asked_.empty() && asked_.front() <= now - absl::Hours(1)) {
    asked_.pop_front();
  }
  if (static_cast<int>(asked_.size()) >= options_.requests_per_hour) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "the quota of %d requests an hour is used up for %s",
        options_.requests_per_hour,
        absl::FormatDuration(absl::Ceil(asked_.front() + absl::Hours(1) - now,
                                        absl::Seconds(1)))));
  }
  asked_.push_back(now);
  return absl::OkStatus();
}

absl::Duration Fetcher::PauseBefore(int attempt, const HttpResponse* last) {
  absl::Duration pause = options_.first_pause * (1 << (attempt - 1));
  pause = std::min(pause, options_.longest_pause);
  // Between half and all of it, so that many clients don't come back at once.
  pause = pause * (0.5 + 0.5 * random_.Uniform());
  if (last != nullptr && last->retry_after) {
    pause = std::max(pause, *last->retry_after);
  }
  if (last != nullptr && last->retry_at) {
    pause = std::max(pause, *last->retry_at - clock_->Now());
  }
  return pause;
}

absl::Status Fetcher::CheckQuiet(const std::string& url) const {
  const absl::Duration left = quiet_until_ - clock_->Now();
  if (left <= absl::ZeroDuration()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "%s: it asked to be left alone for %s more", Redacted(url),
      absl::FormatDuration(absl::Ceil(left, absl::Seconds(1)))));
}

absl::StatusOr<std::string> Fetcher::Get(HttpRequest request) {
  request.timeout = options_.timeout;
  request.max_bytes = options_.max_bytes;
  request.stop = options_.stop;
  RETURN_IF_ERROR(CheckQuiet(request.url));
  const std::string key = request.url;
  if (const auto it = versions_.find(key); it != versions_.end()) {
    request.etag = it->second.etag;
    request.last_modified = it->second.last_modified;
  }
  absl::StatusOr<HttpResponse> answer;
  for (int attempt = 0; attempt < options_.attempts; ++attempt) {
    if (attempt > 0) {
      const absl::Duration pause =
          PauseBefore(attempt, answer.ok() ? &*answer : nullptr);
      // Told to stay away for longer than we retry: the next poll is for that.
      if (pause > options_.longest_pause) {
        quiet_until_ = clock_->Now() + std::min(pause, kQuietMost);
        break;
      }
      if (!pause_(pause)) return absl::CancelledError("stopped");
    }
    RETURN_IF_ERROR(TakeFromQuota());
    answer = http_->Get(request);
    if (!MayPass(answer)) break;
  }
  if (!answer.ok()) return answer.status();
  RETURN_IF_ERROR(StatusOf(answer->status, request.url));
  if (!answer->etag.empty() || !answer->last_modified.empty()) {
    constexpr size_t kMostUrls = 64;
    if (versions_.size() >= kMostUrls) versions_.clear();
    versions_[key] = {answer->etag, answer->last_modified};
  }
  return std::move(answer->body);
}

absl::StatusOr<std::string> ReadKey(const std::string& env,
                                    const std::string& file) {
  if (!env.empty()) {
    const char* value = std::getenv(env.c_str());
    if (value != nullptr && *value != '\0') {
      // A line break would end the header that the key is put in.
      if (std::string_view(value).find_first_of("\r\n") ==
          std::string_view::npos) {
        return std::string(value);
      }
      return absl::FailedPreconditionError(absl::StrFormat(
          "key_env: the environment variable %s holds a line break", env));
    }
    if (file.empty()) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "key_env: the environment variable %s is not set", env));
    }
  }
  if (file.empty()) {
    return absl::FailedPreconditionError("neither key_env nor key_file is set");
  }
  struct stat info = {};
  std::ifstream in(file);
  std::string line;
  if (::stat(file.c_str(), &info) != 0 || !in || !std::getline(in, line)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("key_file: %s can't be read", file));
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("key_file: others may read %s: chmod 600 it", file));
  }
  const std::string key(absl::StripAsciiWhitespace(line));
  if (key.empty()) {
    return absl::FailedPreconditionError(
        absl::StrFormat("key_file: %s is empty", file));
  }
  return key;
}

}  // namespace ccsched
