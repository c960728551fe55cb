// Reading JSON that may be anything: every access checked, errors with paths.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/carbon/grid_csv.h"

namespace ccsched {
namespace {

const Json* Member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

absl::Status Wrong(const Json* found, const char* key, const std::string& path,
                   const char* wanted) {
  if (found == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s.%s is missing", path, key));
  }
  std::string text = found->dump(-1, ' ', true, Json::error_handler_t::replace);
  constexpr size_t kMost = 40;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return absl::InvalidArgumentError(
      absl::StrFormat("%s.%s: %s is not %s", path, key, text, wanted));
}

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view body,
                               const std::string& source) {
  // Nothing that services send is nested deeply; what is may overflow a stack.
  int depth = 0;
  bool too_deep = false;
  const auto watch = [&](int d, Json::parse_event_t, Json&) {
    depth = d;
    too_deep = too_deep || depth > 32;
    return !too_deep;
  };
  Json json = Json::parse(body, watch, /*allow_exceptions=*/false);
  if (json.is_discarded() || too_deep) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: the answer (%d bytes) is not JSON, or was cut off",
                        source, body.size()));
  }
  return json;
}

absl::StatusOr<const Json*> ArrayAt(const Json& object, const char* key,
                                    const std::string& path) {
  const Json* found = Member(object, key);
  if (found == nullptr || !found->is_array()) {
    return Wrong(found, key, path, "a list");
  }
  return found;
}

absl::StatusOr<double> NumberAt(const Json& object, const char* key,
                                const std::string& path) {
  const Json* found = Member(object, key);
  if (found == nullptr || !found->is_number()) {
    return Wrong(found, key, path, "a number");
  }
  return found->get<double>();
}

absl::StatusOr<std::string> TextAt(const Json& object, const char* key,
                                   const std::string& path) {
  const Json* found = Member(object, key);
  if (found == nullptr || !found->is_string()) {
    return Wrong(found, key, path, "text");
  }
  return found->get<std::string>();
}

absl::StatusOr<absl::Time> TimeAt(const Json& object, const char* key,
                                  const std::string& path) {
  const Json* found = Member(object, key);
  absl::Time time;
  if (found == nullptr || !found->is_string() ||
      !ParseGridTime(found->get<std::string>(), &time)) {
    return Wrong(found, key, path, "a time");
  }
  return time;
}

std::optional<std::string> OptionalText(const Json& object, const char* key) {
  const Json* found = Member(object, key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool TrueAt(const Json& object, const char* key) {
  const Json* found = Member(object, key);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

}  // namespace ccsched
