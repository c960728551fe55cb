// Finding the scheduler, and telling people what went wrong.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/context.h"

#include <fstream>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/text.h"

namespace ccsched {

constexpr size_t kLineMax = 4000;
constexpr char kDefaultAddress[] = "127.0.0.1:7390";

std::string Context::DevDir() const {
  if (std::string dir = env("CCSCHED_DEV_DIR"); !dir.empty()) return dir;
  if (std::string data = env("XDG_DATA_HOME"); !data.empty()) {
    return data + "/ccsched/dev";
  }
  const std::string home = env("HOME");
  return absl::StrCat(home.empty() ? "/tmp" : home,
                      "/.local/share/ccsched/dev");
}

std::string Context::Address() const {
  if (!address.empty()) return address;
  if (std::string named = env("CCSCHED_ADDRESS"); !named.empty()) return named;
  std::ifstream in(DevDir() + "/address");
  std::string line;
  if (std::getline(in, line)) {
    absl::StripAsciiWhitespace(&line);
    if (!line.empty()) return line;
  }
  return kDefaultAddress;
}

Client& Context::client() {
  if (client_ == nullptr) client_ = Client::Connect(endpoint());
  return *client_;
}

Endpoint Context::endpoint() const {
  const auto either = [this](const std::string& given, const char* name) {
    return given.empty() ? env(name) : given;
  };
  return {Address(), either(tls_ca, "CCSCHED_TLS_CA"),
          either(tls_certificate, "CCSCHED_TLS_CERTIFICATE"),
          either(tls_key, "CCSCHED_TLS_KEY")};
}

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return kExitWrong;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitUnreachable;
    default:
      return kExitFailed;
  }
}

void Context::Say(const std::string& message) {
  for (const auto line : absl::StrSplit(message, '\n')) {
    err << Printable(ToStd(line), kLineMax) << "\n";
  }
}

int Context::Fail(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  Say(absl::StrCat("ccsched: ", status.message()));
  return ExitCodeOf(status);
}

int Context::Wrong(const std::string& message) {
  return Fail(absl::InvalidArgumentError(message));
}

}  // namespace ccsched
