// Builds the tree from the events of yaml-cpp's parser.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/encoding.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {

// Throws YAML::ParserException for what is not allowed; Parse catches it. (The
// library itself reports by exceptions, so they can't be avoided in between.)
class YamlTreeBuilder : public YAML::EventHandler {
 public:
  explicit YamlTreeBuilder(YamlTree* tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, YamlNode::Kind::kNull, anchor)->complete = true;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor >= anchors_.size() || anchors_[anchor] == nullptr) {
      throw YAML::ParserException(mark, "an alias to nothing");
    }
    if (!anchors_[anchor]->complete) {
      throw YAML::ParserException(mark, "an alias to what it is part of");
    }
    Attach(mark, anchors_[anchor]);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&,
                YAML::anchor_t anchor, const std::string& value) override {
    YamlNode* node = New(mark, YamlNode::Kind::kScalar, anchor);
    node->text = value;
    node->complete = true;
    Attach(mark, node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kSequence, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {
    YamlNode* node;
    absl::flat_hash_set<std::string> keys;
  };

  YamlNode* New(const YAML::Mark& mark, YamlNode::Kind kind,
                YAML::anchor_t anchor) {
    if (tree_->nodes_.size() >= kYamlNodesMax) {
      throw YAML::ParserException(mark, "too many values");
    }
    YamlNode* node = &tree_->nodes_.emplace_back();
    node->kind = kind;
    node->line = mark.line + 1;
    if (anchor != 0) {
      if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
      anchors_[anchor] = node;
    }
    return node;
  }
  YamlNode* Add(const YAML::Mark& mark, YamlNode::Kind kind,
                YAML::anchor_t anchor) {
    YamlNode* node = New(mark, kind, anchor);
    Attach(mark, node);
    return node;
  }
  void Open(const YAML::Mark& mark, YamlNode::Kind kind,
            YAML::anchor_t anchor) {
    if (levels_.size() >= kYamlDepthMax) {
      throw YAML::ParserException(
          mark, absl::StrCat("nested deeper than ", kYamlDepthMax, " levels"));
    }
    levels_.push_back({Add(mark, kind, anchor), {}});
  }
  void Close() {
    levels_.back().node->complete = true;
    levels_.pop_back();
  }
  void Attach(const YAML::Mark& mark, const YamlNode* node) {
    if (levels_.empty()) {
      tree_->root_ = node;
      return;
    }
    Level& level = levels_.back();
    YamlNode& parent = *level.node;
    if (parent.kind == YamlNode::Kind::kMap &&
        parent.keys.size() == parent.values.size()) {
      if (node->kind != YamlNode::Kind::kScalar) {
        throw YAML::ParserException(mark, "a key must be a plain name");
      }
      if (!level.keys.insert(node->text).second) {
        throw YAML::ParserException(
            mark, absl::StrCat("key '", node->text, "' is given twice"));
      }
      parent.keys.push_back(node);
    } else {
      parent.values.push_back(node);
    }
  }

  YamlTree* tree_;
  std::vector<Level> levels_;
  std::vector<const YamlNode*> anchors_;
};

absl::StatusOr<YamlTree> YamlTree::Parse(std::string_view text,
                                         std::string_view file) {
  if (text.size() > kYamlBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        ToAbsl(file), ": larger than ", kYamlBytesMax >> 20, " MiB"));
  }
  ASSIGN_OR_RETURN(text, WithoutByteOrderMark(text, file));
  if (const size_t zero = text.find('\0'); zero != text.npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        ToAbsl(file), ": is not text (a zero byte at offset ", zero, ")"));
  }
  YamlTree tree;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    YamlTreeBuilder builder(&tree);
    if (!parser.HandleNextDocument(builder) || tree.root_ == nullptr ||
        tree.root_->kind == YamlNode::Kind::kNull) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToAbsl(file), ":1: there is nothing in it"));
    }
    YamlTree second;
    YamlTreeBuilder rest(&second);
    if (parser.HandleNextDocument(rest) && second.root_ != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToAbsl(file), ":", second.root_->line,
                       ": a second document; only one is read"));
    }
  } catch (const YAML::Exception& e) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(file), ":", e.mark.line + 1, ": ", e.msg));
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(file), ": not YAML: ", e.what()));
  }
  return tree;
}

}  // namespace ccsched
