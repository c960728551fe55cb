// Fills protobuf messages from YAML trees; shared by files and by --set.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_YAML_FILLER_H_
#define CCSCHED_SCHEDULER_WIRE_YAML_FILLER_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/wire/yaml.h"
#include "scheduler/wire/yaml_tree.h"

namespace ccsched {

// One use, one document.
class YamlFiller {
 public:
  // `file` is for messages; `source`, if not null, gets the lines.
  YamlFiller(std::string_view file, YamlSource* source)
      : file_(file), source_(source) {}

  absl::Status Fill(const YamlNode& node, google::protobuf::Message& out);
  // Sets one field of `out`, replacing what it holds. `path` is its name in
  // messages; `key`, if there is one, stands on the line that they name.
  absl::Status FillField(const YamlNode& node,
                         const google::protobuf::FieldDescriptor& field,
                         const std::string& path,
                         google::protobuf::Message& out,
                         const YamlNode* key = nullptr);
  // Sets or adds (`add`) one value of a field that is not a map.
  absl::Status FillValue(const YamlNode& node,
                         const google::protobuf::FieldDescriptor& field,
                         const std::string& path, bool add,
                         google::protobuf::Message& out);
  absl::Status FillMessage(const YamlNode& node, const std::string& path,
                           google::protobuf::Message& out);

 private:
  absl::Status FillMap(const YamlNode& node,
                       const google::protobuf::FieldDescriptor& field,
                       const std::string& path, google::protobuf::Message& out);
  absl::Status FillScalar(const YamlNode& node,
                          const google::protobuf::FieldDescriptor& field,
                          const std::string& path, bool add,
                          google::protobuf::Message& out);
  absl::Status FillTime(const YamlNode& node,
                        const google::protobuf::FieldDescriptor& field,
                        const std::string& path, bool add,
                        google::protobuf::Message& out);
  // Counts a visit, since aliases can make a small text very large.
  absl::Status Visit(const YamlNode& node, const std::string& path,
                     const YamlNode* key = nullptr);
  absl::Status Error(const YamlNode& node, std::string_view message) const;
  absl::Status Expected(const YamlNode& node, const std::string& path,
                        std::string_view what) const;

  const std::string file_;
  YamlSource* const source_;
  size_t visits_ = 0;
};

// The names of a message's fields, for suggestions.
std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_YAML_FILLER_H_
