// The rules by which YAML becomes a message.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/yaml_filler.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = YamlNode::Kind;

std::string Quoted(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      break;
  }
  return absl::StrCat("'", node.text.substr(0, 80),
                      node.text.size() > 80 ? "…" : "", "'");
}

bool ParseBool(const std::string& text, bool* out) {
  for (const char* word : {"true", "yes", "on"}) {
    if (text == word) return *out = true, true;
  }
  for (const char* word : {"false", "no", "off"}) {
    if (text == word) return *out = false, true;
  }
  return false;
}

template <typename Int>
bool ParseInt(const std::string& text, Int* out) {
  return absl::SimpleAtoi(text, out) && text[0] != '+';
}

// A field `name` of type string, by which a message can be given for short.
const FieldDescriptor* NameField(const Descriptor& type) {
  const FieldDescriptor* name = type.FindFieldByName("name");
  return name != nullptr && !name->is_repeated() &&
                 name->cpp_type() == FieldDescriptor::CPPTYPE_STRING
             ? name
             : nullptr;
}

bool Is(const FieldDescriptor& field, const Descriptor* type) {
  return field.message_type() == type;
}

constexpr std::string_view kTextSuffix = "_text";

// Of a time `x` that may be written as it depends on when and where it is read
// ("+3h"): the field `x_text` that then has it, for its reader to resolve.
const FieldDescriptor* TextField(const FieldDescriptor& time) {
  if (!Is(time, google::protobuf::Timestamp::descriptor())) return nullptr;
  return time.containing_type()->FindFieldByName(
      absl::StrCat(time.name(), ToAbsl(kTextSuffix)));
}

// Whether it is such an `x_text`, which is no key of its own.
bool IsTextField(const FieldDescriptor& field) {
  const std::string_view name = field.name();
  if (!name.ends_with(kTextSuffix)) return false;
  const FieldDescriptor* const time = field.containing_type()->FindFieldByName(
      std::string(name.substr(0, name.size() - kTextSuffix.size())));
  return time != nullptr && TextField(*time) == &field;
}

bool IsForNoFile(const FieldDescriptor& field) {
  return field.containing_type()->full_name() == "ccsched.v1.JobSpec" &&
         std::find(std::begin(kForNoFile), std::end(kForNoFile),
                   field.name()) != std::end(kForNoFile);
}

}  // namespace

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  names.reserve(type.field_count());
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!IsTextField(field) && !IsForNoFile(field)) {
      names.push_back(field.name());
    }
  }
  return names;
}

absl::Status YamlFiller::Error(const YamlNode& node,
                               std::string_view message) const {
  return absl::InvalidArgumentError(
      absl::StrCat(file_, ":", node.line, ": ", ToAbsl(message)));
}

absl::Status YamlFiller::Expected(const YamlNode& node, const std::string& path,
                                  std::string_view what) const {
  return Error(node,
               absl::StrCat(path.empty() ? "the document" : path, " must be ",
                            ToAbsl(what), ", not ", Quoted(node)));
}

absl::Status YamlFiller::Visit(const YamlNode& node, const std::string& path,
                               const YamlNode* key) {
  if (++visits_ > kYamlNodesMax) {
    return Error(node, "too many values (aliases count each time)");
  }
  if (node.kind == Kind::kNull) {
    return Error(key != nullptr ? *key : node,
                 absl::StrCat(path,
                              " has no value; remove the key or "
                              "give it one"));
  }
  if (source_ != nullptr) source_->lines.emplace(path, node.line);
  return absl::OkStatus();
}

absl::Status YamlFiller::Fill(const YamlNode& node, Message& out) {
  return FillMessage(node, "", out);
}

absl::Status YamlFiller::FillMessage(const YamlNode& node,
                                     const std::string& path, Message& out) {
  const Descriptor& type = *out.GetDescriptor();
  if (node.kind == Kind::kScalar && !path.empty()) {
    const FieldDescriptor* name = NameField(type);
    if (name != nullptr) return FillScalar(node, *name, path, false, out);
  }
  if (node.kind != Kind::kMap) {
    return Expected(
        node, path,
        absl::StrCat("a map with keys like ",
                     type.field_count() > 0 ? type.field(0)->name() : "none"));
  }
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode& key = *node.keys[i];
    const FieldDescriptor* field = type.FindFieldByName(key.text);
    if (field == nullptr || IsTextField(*field)) {
      const auto names = FieldNames(type);
      return Error(key,
                   absl::StrCat("unknown key ", Quoted(key),
                                path.empty() ? "" : absl::StrCat(" in ", path),
                                NearestName(key.text, names).empty()
                                    ? absl::StrCat("; known are ",
                                                   absl::StrJoin(names, ", "))
                                    : DidYouMean(key.text, names)));
    }
    const std::string inner =
        path.empty() ? key.text : absl::StrCat(path, ".", key.text);
    RETURN_IF_ERROR(FillField(*node.values[i], *field, inner, out, &key));
  }
  return absl::OkStatus();
}

absl::Status YamlFiller::FillField(const YamlNode& node,
                                   const FieldDescriptor& field,
                                   const std::string& path, Message& out,
                                   const YamlNode* key) {
  RETURN_IF_ERROR(Visit(node, path, key));
  if (field.is_map()) return FillMap(node, field, path, out);
  if (!field.is_repeated()) return FillValue(node, field, path, false, out);
  out.GetReflection()->ClearField(&out, &field);
  if (node.kind != Kind::kSequence) {
    return FillValue(node, field, path, true, out);
  }
  for (size_t i = 0; i < node.values.size(); ++i) {
    const std::string inner = absl::StrCat(path, "[", i, "]");
    RETURN_IF_ERROR(Visit(*node.values[i], inner));
    RETURN_IF_ERROR(FillValue(*node.values[i], field, inner, true, out));
  }
  return absl::OkStatus();
}

absl::Status YamlFiller::FillMap(const YamlNode& node,
                                 const FieldDescriptor& field,
                                 const std::string& path, Message& out) {
  if (node.kind != Kind::kMap) return Expected(node, path, "a map");
  const Reflection& reflection = *out.GetReflection();
  reflection.ClearField(&out, &field);
  const Descriptor& entry = *field.message_type();
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string inner = absl::StrCat(path, ".", node.keys[i]->text);
    RETURN_IF_ERROR(Visit(*node.values[i], inner));
    Message* added = reflection.AddMessage(&out, &field);
    RETURN_IF_ERROR(
        FillScalar(*node.keys[i], *entry.map_key(), inner, false, *added));
    RETURN_IF_ERROR(
        FillValue(*node.values[i], *entry.map_value(), inner, false, *added));
  }
  return absl::OkStatus();
}

absl::Status YamlFiller::FillValue(const YamlNode& node,
                                   const FieldDescriptor& field,
                                   const std::string& path, bool add,
                                   Message& out) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return FillScalar(node, field, path, add, out);
  }
  if (Is(field, google::protobuf::Timestamp::descriptor())) {
    return FillTime(node, field, path, add, out);
  }
  const Reflection& reflection = *out.GetReflection();
  Message* inner = add ? reflection.AddMessage(&out, &field)
                       : reflection.MutableMessage(&out, &field);
  if (Is(field, google::protobuf::Duration::descriptor())) {
    if (node.kind != Kind::kScalar) return Expected(node, path, "a duration");
    const auto d = ParseDuration(node.text);
    if (!d.ok()) {
      return Error(node, absl::StrCat(path, ": ", d.status().message()));
    }
    inner->CopyFrom(ToProto(*d));
    return absl::OkStatus();
  }
  return FillMessage(node, path, *inner);
}

absl::Status YamlFiller::FillTime(const YamlNode& node,
                                  const FieldDescriptor& field,
                                  const std::string& path, bool add,
                                  Message& out) {
  if (node.kind != Kind::kScalar) return Expected(node, path, "a time");
  const Reflection& reflection = *out.GetReflection();
  auto t = ParseRfc3339(node.text);
  const FieldDescriptor* const text = TextField(field);
  if (!t.ok() && text != nullptr) {
    t = ParseTimeSpec(node.text, absl::UnixEpoch(), absl::UTCTimeZone());
    if (t.ok()) {
      reflection.SetString(&out, text, node.text);
      return absl::OkStatus();
    }
  }
  if (!t.ok()) {
    return Error(node, absl::StrCat(path, ": ", t.status().message()));
  }
  (add ? reflection.AddMessage(&out, &field)
       : reflection.MutableMessage(&out, &field))
      ->CopyFrom(ToProto(*t));
  return absl::OkStatus();
}

// Sets `field` to `value` by the reflection methods of its type.
#define CCSCHED_SET(Type, value)                 \
  if (add) {                                     \
    reflection.Add##Type(&out, &field, (value)); \
  } else {                                       \
    reflection.Set##Type(&out, &field, (value)); \
  }                                              \
  return absl::OkStatus()
#define CCSCHED_SET_INT(Type, CType)                                        \
  CType value;                                                              \
  if (!ParseInt(node.text, &value)) {                                       \
    return Expected(node, path,                                             \
                    absl::StrCat("a whole number from ",                    \
                                 std::numeric_limits<CType>::min(), " to ", \
                                 std::numeric_limits<CType>::max()));       \
  }                                                                         \
  CCSCHED_SET(Type, value)

absl::Status YamlFiller::FillScalar(const YamlNode& node,
                                    const FieldDescriptor& field,
                                    const std::string& path, bool add,
                                    Message& out) {
  const Reflection& reflection = *out.GetReflection();
  if (node.kind != Kind::kScalar) {
    return Expected(node, path, add ? "one value or a list" : "one value");
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      CCSCHED_SET(String, node.text);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value;
      if (!ParseBool(node.text, &value)) {
        return Expected(node, path, "true or false");
      }
      CCSCHED_SET(Bool, value);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value;
      if (!absl::SimpleAtod(node.text, &value) || !std::isfinite(value)) {
        return Expected(node, path, "a number");
      }
      CCSCHED_SET(Double, value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      CCSCHED_SET_INT(Int32, int32_t);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      CCSCHED_SET_INT(Int64, int64_t);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      CCSCHED_SET_INT(UInt32, uint32_t);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      CCSCHED_SET_INT(UInt64, uint64_t);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = field.enum_type()->FindValueByName(node.text);
      if (value == nullptr) return Expected(node, path, "a known name");
      CCSCHED_SET(Enum, value);
    }
    default:
      return Error(node, absl::StrCat(path, " can't be set from YAML"));
  }
}
#undef CCSCHED_SET
#undef CCSCHED_SET_INT

}  // namespace ccsched
