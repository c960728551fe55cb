// Reads XML into a tree: elements and text, nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/xml.h"

#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

constexpr int kLevels = 64;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  absl::StatusOr<XmlElement> Document() {
    std::string around;
    RETURN_IF_ERROR(SkipTo(&around));
    if (!NextIs("<")) return Error("no element");
    XmlElement root;
    RETURN_IF_ERROR(Element(&root, 0));
    RETURN_IF_ERROR(SkipTo(&around));
    if (at_ != text_.size()) return Error("something after the end");
    absl::StripAsciiWhitespace(&around);
    if (around.empty() || around == "\xEF\xBB\xBF") return root;
    return Error("text outside of the root");
  }

 private:
  absl::Status Error(const char* what) const {
    return absl::InvalidArgumentError(
        absl::StrFormat("XML, byte %d: %s", at_, what));
  }
  bool NextIs(std::string_view wanted) const {
    return text_.substr(at_, wanted.size()) == wanted;
  }
  bool SkipPast(std::string_view end) {
    const size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }

  // Adds text to `out` up to the next tag; skips what is no element.
  absl::Status SkipTo(std::string* out) {
    while (at_ < text_.size()) {
      if (NextIs("<!--")) {
        if (!SkipPast("-->")) return Error("a comment does not end");
      } else if (NextIs("<![CDATA[")) {
        at_ += 9;
        const size_t start = at_;
        if (!SkipPast("]]>")) return Error("CDATA does not end");
        out->append(text_.substr(start, at_ - 3 - start));
      } else if (NextIs("<?")) {
        if (!SkipPast("?>")) return Error("an instruction does not end");
      } else if (NextIs("<!")) {
        return Error("a document type is not accepted");
      } else if (NextIs("<")) {
        return absl::OkStatus();
      } else if (NextIs("&")) {
        RETURN_IF_ERROR(Entity(out));
      } else {
        *out += text_[at_++];
      }
    }
    return absl::OkStatus();
  }

  absl::Status Entity(std::string* out) {
    const size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 10) {
      return Error("an entity does not end");
    }
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    static constexpr std::pair<std::string_view, char> kKnown[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, c] : kKnown) {
      if (name != known) continue;
      *out += c;
      at_ = end + 1;
      return absl::OkStatus();
    }
    if (name.empty() || name[0] != '#') return Error("an unknown entity");
    *out += '?';  // a character by number: nothing that is read needs one
    at_ = end + 1;
    return absl::OkStatus();
  }

  std::string Name() {
    const size_t start = at_;
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n/>=<").find(text_[at_]) ==
               std::string_view::npos) {
      ++at_;
    }
    std::string_view name = text_.substr(start, at_ - start);
    const size_t colon = name.rfind(':');
    if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
    return std::string(name);
  }

  // Skips attributes; returns whether the element has ended already.
  absl::StatusOr<bool> Attributes() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '>') return false;
      if (c == '/' && NextIs(">")) {
        ++at_;
        return true;
      }
      if (c == '<') return Error("a tag within a tag");
      if (c != '"' && c != '\'') continue;
      const size_t end = text_.find(c, at_);
      if (end == std::string_view::npos) return Error("a value does not end");
      at_ = end + 1;
    }
    return Error("a tag does not end");
  }

  // REQUIRES: NextIs("<").
  absl::Status Element(XmlElement* element, int level) {
    if (level >= kLevels) return Error("more than 64 levels");
    ++at_;
    element->name = Name();
    if (element->name.empty()) return Error("a tag without a name");
    ASSIGN_OR_RETURN(const bool ended, Attributes());
    if (ended) return absl::OkStatus();
    while (true) {
      RETURN_IF_ERROR(SkipTo(&element->text));
      if (at_ == text_.size()) return Error("an element does not end");
      if (!NextIs("</")) {
        element->children.emplace_back();
        RETURN_IF_ERROR(Element(&element->children.back(), level + 1));
        continue;
      }
      at_ += 2;
      if (Name() != element->name) return Error("an end tag does not match");
      if (!SkipPast(">")) return Error("an end tag does not end");
      absl::StripAsciiWhitespace(&element->text);
      return absl::OkStatus();
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::Child(std::string_view child) const {
  for (const XmlElement& c : children) {
    if (c.name == child) return &c;
  }
  return nullptr;
}

std::string_view XmlElement::TextOf(std::string_view child) const {
  const XmlElement* found = Child(child);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

absl::StatusOr<XmlElement> ParseXml(std::string_view text) {
  return Reader(text).Document();
}

}  // namespace ccsched
