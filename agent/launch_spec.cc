// What the agent hands its supervisor: a flat list of tagged byte strings.
// SPDX-License-Identifier: Apache-2.0
#include "agent/launch_spec.h"

#include <cstring>

namespace ccsched {
namespace {

constexpr char kVersionTag = 'v';  // comes first
constexpr char kEndTag = '.';

class Writer {
 public:
  void Bytes(char tag, std::string_view value) {
    const uint32_t size = value.size();
    out_.push_back(tag);
    out_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out_.append(value);
  }
  template <typename T>
  void Number(char tag, T value) {
    Bytes(tag, {reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

template <typename T>
bool ReadNumber(std::string_view value, T& out) {
  if (value.size() != sizeof(out)) return false;
  std::memcpy(&out, value.data(), sizeof(out));
  return true;
}

template <typename T>
bool ReadNumber(std::string_view value, std::optional<T>& out) {
  return ReadNumber(value, out.emplace());
}

bool ReadRunAs(std::string_view value, std::optional<RunAs>& out) {
  if (value.size() < 8 || value.size() % 4 != 0) return false;
  std::vector<uint32_t> ids(value.size() / 4);
  std::memcpy(ids.data(), value.data(), value.size());
  out = RunAs{.uid = ids[0],
              .gid = ids[1],
              .groups = std::vector<uint32_t>(ids.begin() + 2, ids.end())};
  return true;
}

bool ReadField(char tag, std::string_view value, LaunchSpec& spec) {
  switch (tag) {
    case kVersionTag:
      return true;
    case 'a':
      spec.argv.emplace_back(value);
      return true;
    case 'e':
      spec.env.emplace_back(value);
      return true;
    case 'x':
      spec.cleanup.emplace_back(value);
      return true;
    case 'f':
      spec.prelude.emplace_back(value);
      return true;
    case 'F':
      spec.prelude_lock = value;
      return true;
    case 'i':
      return ReadNumber(value, spec.init_notes);
    case 'w':
      spec.workdir = value;
      return true;
    case 'o':
      spec.output = value;
      return true;
    case 'p':
      return ReadNumber(value, spec.append);
    case 'l':
      return ReadNumber(value, spec.output_limit);
    case 'b':
      return ReadNumber(value, spec.began_ns);
    case 't':
      return ReadNumber(value, spec.time_limit_ns);
    case 'g':
      return ReadNumber(value, spec.grace_ns);
    case 's':
      return ReadNumber(value, spec.warn_signal);
    case 'L':
      spec.lease_path = value;
      return true;
    case 'c':
      spec.cgroup = value;
      return true;
    case 'm':
      return ReadNumber(value, spec.memory_max);
    case 'n':
      return ReadNumber(value, spec.open_files);
    case 'A':
      return ReadNumber(value, spec.accelerators);
    case 'u':
      return ReadRunAs(value, spec.run_as);
    case 'k':
      spec.control = value;
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string EncodeLaunchSpec(const LaunchSpec& spec) {
  Writer out;
  out.Number(kVersionTag, kLaunchVersion);
  for (const std::string& a : spec.argv) out.Bytes('a', a);
  for (const std::string& e : spec.env) out.Bytes('e', e);
  for (const std::string& c : spec.cleanup) out.Bytes('x', c);
  for (const std::string& p : spec.prelude) out.Bytes('f', p);
  out.Bytes('F', spec.prelude_lock);
  out.Number('i', spec.init_notes);
  out.Bytes('w', spec.workdir);
  out.Bytes('o', spec.output);
  out.Number('p', spec.append);
  out.Number('l', spec.output_limit);
  out.Number('b', spec.began_ns);
  if (spec.time_limit_ns) out.Number('t', *spec.time_limit_ns);
  out.Number('g', spec.grace_ns);
  out.Number('s', spec.warn_signal);
  out.Bytes('L', spec.lease_path);
  out.Bytes('c', spec.cgroup);
  if (spec.memory_max) out.Number('m', *spec.memory_max);
  out.Number('n', spec.open_files);
  out.Number('A', spec.accelerators);
  if (spec.run_as) {
    std::vector<uint32_t> ids{spec.run_as->uid, spec.run_as->gid};
    ids.insert(ids.end(), spec.run_as->groups.begin(),
               spec.run_as->groups.end());
    out.Bytes('u', {reinterpret_cast<const char*>(ids.data()), ids.size() * 4});
  }
  out.Bytes('k', spec.control);
  out.Bytes(kEndTag, "");
  return out.Take();
}

std::optional<uint32_t> LaunchVersionOf(std::string_view bytes) {
  uint32_t size = 0;
  uint32_t version = 0;
  if (bytes.size() < 5 + sizeof(version) || bytes[0] != kVersionTag) {
    return std::nullopt;
  }
  std::memcpy(&size, bytes.data() + 1, sizeof(size));
  if (size != sizeof(version)) return std::nullopt;
  std::memcpy(&version, bytes.data() + 5, sizeof(version));
  return version;
}

std::optional<LaunchSpec> DecodeLaunchSpec(std::string_view bytes) {
  LaunchSpec spec;
  while (bytes.size() >= 5) {
    const char tag = bytes[0];
    uint32_t size = 0;
    std::memcpy(&size, bytes.data() + 1, sizeof(size));
    bytes.remove_prefix(5);
    if (size > bytes.size()) return std::nullopt;
    if (tag == kEndTag) return spec;
    if (!ReadField(tag, bytes.substr(0, size), spec)) return std::nullopt;
    bytes.remove_prefix(size);
  }
  return std::nullopt;  // without its end it was cut short
}

}  // namespace ccsched
