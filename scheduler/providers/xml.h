// Reads XML into a tree: elements and text, nothing else.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_PROVIDERS_XML_H_
#define CCSCHED_SCHEDULER_PROVIDERS_XML_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ccsched {

struct XmlElement {
  std::string name;  // without its namespace's prefix
  std::string text;  // directly in it, without surrounding blanks
  std::vector<XmlElement> children;

  // The first child of this name; null if there is none.
  const XmlElement* Child(std::string_view child) const;
  // The text of the first child of this name; "" if there is none.
  std::string_view TextOf(std::string_view child) const;
};

// The document's root. Attributes, comments and processing instructions are
// skipped; a document type (and with it any entity of its own) is refused.
// Errors: InvalidArgument, naming the byte; more than 64 levels are refused.
absl::StatusOr<XmlElement> ParseXml(std::string_view text);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_XML_H_
