// Sets one value of a message by its path, for --set and --vary.
// SPDX-License-Identifier: Apache-2.0
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/yaml.h"
#include "scheduler/wire/yaml_filler.h"
#include "scheduler/wire/yaml_tree.h"

namespace ccsched {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The next element of a path "a.b[2].c": "a", then "b", "2", "c".
std::string TakeElement(std::string_view* path) {
  const size_t end = path->find_first_of(".[]");
  std::string element(path->substr(0, end));
  path->remove_prefix(std::min(element.size(), path->size()));
  while (!path->empty() && path->find_first_of(".[]") == 0) {
    path->remove_prefix(1);
  }
  return element;
}

// An assignment, and the option that it was given by.
struct Said {
  std::string_view option, assignment;
};

std::string ToText(const Said& said) {
  return absl::StrCat(ToAbsl(said.option), " ",
                      ToAbsl(said.assignment.substr(0, 120)));
}

absl::Status Bad(const Said& said, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(ToText(said), ": ", why));
}

std::string NameOf(const Message& element) {
  const FieldDescriptor* name =
      element.GetDescriptor()->FindFieldByName("name");
  return name == nullptr || name->is_repeated() ||
                 name->cpp_type() != FieldDescriptor::CPPTYPE_STRING
             ? ""
             : element.GetReflection()->GetString(element, name);
}

// The index of the element of `field` that `key` names.
absl::StatusOr<int> FindElement(const Said& said, const Message& out,
                                const FieldDescriptor& field,
                                const std::string& key) {
  const int size = out.GetReflection()->FieldSize(out, &field);
  std::vector<std::string> names;
  for (int i = 0; i < size; ++i) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) break;
    names.push_back(
        NameOf(out.GetReflection()->GetRepeatedMessage(out, &field, i)));
    if (names.back() == key) return i;
  }
  int index;
  if (absl::SimpleAtoi(key, &index)) {
    if (index >= 0 && index < size) return index;
    return Bad(said, absl::StrCat(field.name(), " has ", size,
                                  " elements, numbered from 0; no ", key));
  }
  return Bad(
      said,
      absl::StrCat("no element of ", field.name(), " is named '", key, "'",
                   DidYouMean(key, names),
                   names.empty()
                       ? ""
                       : absl::StrCat(" (", absl::StrJoin(names, ", "), ")")));
}

class PathSetter {
 public:
  PathSetter(const Said& said, const YamlNode& value)
      : said_(said), value_(value) {}

  // Where the value stands, as in YamlSource::lines. REQUIRES: Set succeeded.
  const std::string& at() const { return at_; }

  absl::Status Set(Message& out, std::string_view path) {
    const std::string key = TakeElement(&path);
    absl::StrAppend(&at_, at_.empty() ? "" : ".", key);
    const auto& type = *out.GetDescriptor();
    const FieldDescriptor* field = type.FindFieldByName(key);
    if (field == nullptr) {
      const auto names = FieldNames(type);
      return Bad(said_, absl::StrCat("no '", key, "'", AmongKnown(key, names)));
    }
    if (path.empty()) {
      // Nothing of the old value stays where the new one says nothing.
      out.GetReflection()->ClearField(&out, field);
      return YamlFiller(said_.option, nullptr)
          .FillField(value_, *field, key, out);
    }
    if (field->is_map()) return SetInMap(out, *field, std::string(path));
    if (field->is_repeated()) return SetInList(out, *field, path);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return Bad(said_, absl::StrCat("'", key, "' has no parts"));
    }
    return Set(*out.GetReflection()->MutableMessage(&out, field), path);
  }

 private:
  absl::Status SetInList(Message& out, const FieldDescriptor& field,
                         std::string_view path) {
    const std::string key = TakeElement(&path);
    ASSIGN_OR_RETURN(const int index, FindElement(said_, out, field, key));
    absl::StrAppend(&at_, "[", index, "]");
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return Bad(said_,
                 absl::StrCat("set the whole list: ", field.name(), "=[…]"));
    }
    Message* element =
        out.GetReflection()->MutableRepeatedMessage(&out, &field, index);
    if (!path.empty()) return Set(*element, path);
    element->Clear();
    return YamlFiller(said_.option, nullptr)
        .FillMessage(value_, field.name(), *element);
  }

  // Map entries are messages with the fields `key` and `value`.
  absl::Status SetInMap(Message& out, const FieldDescriptor& field,
                        const std::string& key) {
    absl::StrAppend(&at_, ".", key);
    const auto& reflection = *out.GetReflection();
    const FieldDescriptor* value = field.message_type()->map_value();
    const FieldDescriptor* name = field.message_type()->map_key();
    if (name->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      return Bad(said_, "only maps with names as keys can be set");
    }
    Message* entry = nullptr;
    for (int i = 0; i < reflection.FieldSize(out, &field); ++i) {
      Message* old = reflection.MutableRepeatedMessage(&out, &field, i);
      if (old->GetReflection()->GetString(*old, name) == key) entry = old;
    }
    if (entry == nullptr) {
      entry = reflection.AddMessage(&out, &field);
      entry->GetReflection()->SetString(entry, name, key);
    }
    return YamlFiller(said_.option, nullptr)
        .FillValue(value_, *value, absl::StrCat(field.name(), ".", key), false,
                   *entry);
  }

  const Said said_;
  const YamlNode& value_;
  std::string at_;
};

}  // namespace

void YamlSource::Replace(const std::string& path, std::string by) {
  const auto forget = [&path](auto& places) {
    for (auto it = places.lower_bound(path);
         it != places.end() && absl::StartsWith(it->first, path);) {
      const char next =
          it->first.size() > path.size() ? it->first[path.size()] : '.';
      it = next == '.' || next == '[' ? places.erase(it) : std::next(it);
    }
  };
  forget(lines);
  forget(options);
  options[path] = std::move(by);
}

absl::Status SetPath(Message& out, std::string_view assignment,
                     std::string_view option, YamlSource* source) {
  const Said said = {option, assignment};
  const size_t equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0) {
    return Bad(said, "must be path=value");
  }
  const std::string_view text = assignment.substr(equals + 1);
  const auto tree = YamlTree::Parse(text, "value");
  if (!tree.ok()) return Bad(said, std::string(tree.status().message()));
  std::unique_ptr<Message> copy(out.New());
  copy->CopyFrom(out);
  PathSetter setter(said, tree->root());
  const absl::Status set = setter.Set(*copy, assignment.substr(0, equals));
  // As of a file: "OPTION:LINE: ...", of which the line says nothing here.
  const std::string as_file = absl::StrCat(ToAbsl(option), ":1: ");
  if (set.code() == absl::StatusCode::kInvalidArgument &&
      absl::StartsWith(set.message(), as_file)) {
    return Bad(said, std::string(set.message().substr(as_file.size())));
  }
  RETURN_IF_ERROR(set);
  out.GetReflection()->Swap(&out, copy.get());
  if (source != nullptr) source->Replace(setter.at(), ToText(said));
  return absl::OkStatus();
}

}  // namespace ccsched
