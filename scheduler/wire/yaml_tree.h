// A YAML document as a tree whose nodes know their lines.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_WIRE_YAML_TREE_H_
#define CCSCHED_SCHEDULER_WIRE_YAML_TREE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ccsched {

inline constexpr size_t kYamlBytesMax = 8 << 20;
inline constexpr int kYamlDepthMax = 32;
inline constexpr size_t kYamlNodesMax = 1'000'000;

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  bool complete = false;
  int line = 1;      // from 1
  std::string text;  // of a scalar
  std::vector<const YamlNode*> values;
  std::vector<const YamlNode*> keys;  // of a map, scalars, as many as values
};

// Owns its nodes. Aliases point to what they name: a node can be reached in
// several ways, but never from itself.
class YamlTree {
 public:
  // Errors: InvalidArgument "file:line: what" for malformed text, repeated
  // keys, keys that are not scalars, a second document, or beyond the limits.
  static absl::StatusOr<YamlTree> Parse(std::string_view text,
                                        std::string_view file);
  const YamlNode& root() const { return *root_; }

 private:
  friend class YamlTreeBuilder;
  std::deque<YamlNode> nodes_;
  const YamlNode* root_ = nullptr;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_WIRE_YAML_TREE_H_
