// Reading JSON that may be anything: every access checked, errors with paths.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_JSON_H_
#define CCSCHED_SCHEDULER_PROVIDERS_JSON_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace ccsched {

using Json = nlohmann::json;

// Errors: InvalidArgument, naming the source and the byte.
absl::StatusOr<Json> ParseJson(std::string_view body,
                               const std::string& source);

// A member of an object as what it should be; `path` is what errors name the
// object by. Absent and null are an error, but for the optional ones.
absl::StatusOr<const Json*> ArrayAt(const Json& object, const char* key,
                                    const std::string& path);
absl::StatusOr<double> NumberAt(const Json& object, const char* key,
                                const std::string& path);
absl::StatusOr<std::string> TextAt(const Json& object, const char* key,
                                   const std::string& path);
// RFC 3339, with or without seconds.
absl::StatusOr<absl::Time> TimeAt(const Json& object, const char* key,
                                  const std::string& path);
std::optional<std::string> OptionalText(const Json& object, const char* key);
bool TrueAt(const Json& object, const char* key);  // absent: false

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_JSON_H_
