// YAML files read into protobuf messages by reflection, errors with lines.
// SPDX-License-Identifier: Apache-2.0
//
//   ccsched::v1::ClusterConfig config;
//   RETURN_IF_ERROR(ReadYamlFile("cluster.yaml", config));
//   RETURN_IF_ERROR(SetPath(config, "sites.texas.pue=1.3"));
//
// How YAML becomes a message:
// - a map sets fields by name, an unknown or repeated key is an error;
// - a list sets a repeated field, and so does a lone scalar or map;
// - a scalar where a message is expected sets its field `name`;
// - "24h", "1h30m", "2d" set a google.protobuf.Duration, RFC 3339 a Timestamp;
//   of a Timestamp `x` with a field `x_text` beside it that gets, as written,
//   what depends on when and where it is read ("+3h", "tomorrow 08:00");
// - a map<string, string> takes scalars as they are written;
// - anchors and aliases work, within the limits below; null is an error.
// Limits: 8 MiB of text, 32 levels, 1,000,000 values after aliases.
#ifndef CCSCHED_SCHEDULER_WIRE_YAML_H_
#define CCSCHED_SCHEDULER_WIRE_YAML_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ccsched {

// Where each value stood, for errors that are found later.
struct YamlSource {
  std::string file;
  std::map<std::string, int> lines;  // "sites[0].pools[1].count" → from 1
  // What took the place of a value: "--set sites.texas.pue=1.3".
  std::map<std::string, std::string> options;

  // "file:line" of the path, or of the nearest thing around it that has one;
  // where an option set that, the option.
  std::string At(std::string_view path) const;
  // What stood at `path` and in it counts no more; `by` does.
  void Replace(const std::string& path, std::string by);
};

// Fields of a job that `ccsched submit` itself sets: a file that has one is
// refused by who reads it, with what to write instead.
inline constexpr std::string_view kForNoFile[] = {"env_exported", "env_given"};

// Reads `text` into `out`, merging over what it holds. `file` is for messages.
// Errors: InvalidArgument "file:line: what", naming key and value. `out` may
// then be half-filled: throw it away.
absl::Status ParseYaml(std::string_view text, std::string_view file,
                       google::protobuf::Message& out,
                       YamlSource* source = nullptr);

// The same from a file. Errors: also NotFound, and InvalidArgument for what
// can't be read, such as a folder; the message names the file.
absl::Status ReadYamlFile(const std::string& path,
                          google::protobuf::Message& out,
                          YamlSource* source = nullptr);

// What is wrong with the `version` that a file says, for a message with its
// field and line; "" if it is 1. 0: it says none.
std::string WrongVersion(uint32_t version);

// Sets one value: "jobs.defaults.max_delay=48h". A path element into a list is
// an index or the element's name ("sites.texas.pue=1.2", "sites.0.pue=1.2");
// into a map its key. The value is YAML ("policies=[fcfs, planner]") and
// replaces what was there; `source`, if not null, is told so. Errors:
// InvalidArgument naming the path and the `option` that it was given by; then
// `out` is as it was.
absl::Status SetPath(google::protobuf::Message& out,
                     std::string_view assignment,
                     std::string_view option = "--set",
                     YamlSource* source = nullptr);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_YAML_H_
