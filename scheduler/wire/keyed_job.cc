// Compares jobs of one idempotency key.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/keyed_job.h"

#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

using google::protobuf::Message;
using google::protobuf::UnknownFieldSet;
using google::protobuf::util::MessageDifferencer;

constexpr size_t kNamedMost = 5;

// Between a request and the defaults that it took: its key, said again, which
// changes nothing for who reads the record as one job.
std::string Mark(const v1::JobSpec& spec) {
  v1::JobSpec mark;
  mark.set_key(spec.key());
  return mark.SerializeAsString();
}

// The request in a recorded job, `spec`, whose bytes hold these fields in turn:
// all of it but what follows the mark. Older records have none: of what follows
// their key, defaults are the fields that a request has before it.
v1::JobSpec RequestIn(v1::JobSpec spec, const UnknownFieldSet& fields) {
  constexpr int kKey = v1::JobSpec::kKeyFieldNumber;
  int keys = 0, after_key = 0;
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() != kKey) continue;
    ++keys;
    after_key = i + 1;
  }
  for (int i = after_key; keys > 0 && i < fields.field_count(); ++i) {
    const int number = fields.field(i).number();
    const auto* const field =
        v1::JobSpec::descriptor()->FindFieldByNumber(number);
    if (field == nullptr || (keys == 1 && number > kKey)) continue;
    spec.GetReflection()->ClearField(&spec, field);
  }
  return spec;
}

// Without what a request may say otherwise when it is made again, and with one
// way to say what can be said in two.
v1::JobSpec Normal(v1::JobSpec spec) {
  if (!spec.finish_by_text().empty()) spec.clear_finish_by();
  if (spec.env_exported()) {
    v1::JobSpec own;
    for (const std::string& name : spec.env_given()) {
      const auto found = spec.env().find(name);
      if (found != spec.env().end()) {
        (*own.mutable_env())[name] = found->second;
      }
    }
    spec.mutable_env()->swap(*own.mutable_env());
  }
  spec.clear_env_given();
  if (spec.accelerators() == 1) spec.clear_accelerators();
  if (spec.priority() == 0) spec.clear_priority();
  if (spec.warn_signal() == "TERM") spec.clear_warn_signal();
  return spec;
}

std::set<std::string> DifferentVariables(const v1::JobSpec& a,
                                         const v1::JobSpec& b) {
  std::set<std::string> names;
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const auto& [name, value] : one->env()) {
      const auto found = other->env().find(name);
      if (found == other->env().end() || found->second != value) {
        names.insert(name);
      }
    }
  }
  return names;
}

// Names of the top-level fields that differ, without repetition.
class NameReporter : public MessageDifferencer::Reporter {
 public:
  using Path = std::vector<MessageDifferencer::SpecificField>;

  void ReportAdded(const Message&, const Message&, const Path& path) override {
    Take(path);
  }
  void ReportDeleted(const Message&, const Message&,
                     const Path& path) override {
    Take(path);
  }
  void ReportModified(const Message&, const Message&,
                      const Path& path) override {
    Take(path);
  }

  std::vector<std::string> names;

 private:
  void Take(const Path& path) {
    if (path.empty() || path[0].field == nullptr) return;  // of a newer client
    std::string name = path[0].field->name();
    if (name == "finish_by_text") name = "finish_by";
    if (name == "env_exported") name = "env";
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
};

absl::Status Another(const std::string& key, JobId first,
                     std::vector<std::string> names) {
  const size_t more = names.size() - std::min(names.size(), kNamedMost);
  names.resize(names.size() - more);
  return absl::AlreadyExistsError(absl::StrCat(
      "key: '", Printable(key), "' was given to job ", first.value(),
      ", which is another one (", absl::StrJoin(names, ", "),
      more > 0 ? absl::StrCat(" and ", more, " more") : "",
      names.size() + more == 1 ? " differs" : " differ",
      "); nothing was submitted; give this one another key"));
}

}  // namespace

std::string RecordedJob(const v1::JobSpec& spec, const ModelJob& job) {
  v1::JobSpec taken;
  if (!spec.has_runtime() && job.spec.runtime) {
    *taken.mutable_runtime() = ToProto(*job.spec.runtime);
  }
  if (!spec.has_time_limit() &&
      job.spec.time_limit != absl::InfiniteDuration()) {
    *taken.mutable_time_limit() = ToProto(job.spec.time_limit);
  }
  if (!spec.has_max_delay() && job.spec.max_delay != absl::InfiniteDuration()) {
    *taken.mutable_max_delay() = ToProto(job.spec.max_delay);
  }
  return spec.SerializeAsString() + Mark(spec) + taken.SerializeAsString();
}

absl::StatusOr<ModelJob> ModelOfRecord(std::string_view payload,
                                       const Topology& topology,
                                       absl::Time submitted,
                                       v1::JobSpec& spec) {
  if (!spec.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::DataLossError("its submission can't be read");
  }
  std::string array;
  array.swap(*spec.mutable_array());
  auto model = ToModel(spec, v1::JobDefaults(), topology, submitted);
  spec.set_array(std::move(array));
  return model;
}

std::vector<std::string> DifferencesOf(const v1::JobSpec& a,
                                       const v1::JobSpec& b) {
  if (a.user() != b.user()) return {"user"};
  v1::JobSpec x = Normal(a), y = Normal(b);
  const std::set<std::string> variables = DifferentVariables(x, y);
  x.clear_env();
  y.clear_env();
  NameReporter reporter;
  MessageDifferencer differencer;
  differencer.ReportDifferencesTo(&reporter);
  differencer.Compare(x, y);
  for (const std::string& name : variables) {
    reporter.names.push_back(absl::StrCat("env ", Printable(name)));
  }
  return reporter.names;
}

absl::Status CheckSameJob(const v1::JobSpec& spec, std::string_view recorded,
                          JobId first) {
  // Most often it is byte for byte the same.
  if (recorded.starts_with(spec.SerializeAsString() + Mark(spec))) {
    return absl::OkStatus();
  }
  const auto size = static_cast<int>(recorded.size());
  v1::JobSpec told;  // as Jobs.Get tells it, for who sends that again
  UnknownFieldSet fields;
  if (!told.ParseFromArray(recorded.data(), size) ||
      !fields.ParseFromArray(recorded.data(), size)) {
    return absl::DataLossError(absl::StrCat(
        "the submission of job ", first.value(), " on record can't be read"));
  }
  if (DifferencesOf(told, spec).empty()) return absl::OkStatus();
  return CheckSameJob(spec, RequestIn(std::move(told), fields), first);
}

absl::Status CheckSameJob(const v1::JobSpec& spec, const v1::JobSpec& before,
                          JobId first) {
  std::vector<std::string> names = DifferencesOf(before, spec);
  if (names.empty()) return absl::OkStatus();
  return Another(spec.key(), first, std::move(names));
}

}  // namespace ccsched
