// Fills a message from a YAML tree, field by field.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/yaml.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/yaml_filler.h"
#include "scheduler/wire/yaml_tree.h"

namespace ccsched {

std::string YamlSource::At(std::string_view path) const {
  while (true) {
    if (const auto found = options.find(std::string(path));
        found != options.end()) {
      return found->second;
    }
    if (const auto found = lines.find(std::string(path));
        found != lines.end()) {
      return absl::StrCat(file, ":", found->second);
    }
    const size_t cut = path.find_last_of(".[");
    if (path.empty() || cut == path.npos) return file;
    path = path.substr(0, cut);
  }
}

absl::Status ParseYaml(std::string_view text, std::string_view file,
                       google::protobuf::Message& out, YamlSource* source) {
  ASSIGN_OR_RETURN(const YamlTree tree, YamlTree::Parse(text, file));
  if (source != nullptr) source->file = std::string(file);
  return YamlFiller(file, source).Fill(tree.root(), out);
}

absl::Status ReadYamlFile(const std::string& path,
                          google::protobuf::Message& out, YamlSource* source) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    const std::string why = absl::StrCat(path, ": ", std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(why)
                           : absl::InvalidArgumentError(why);
  }
  std::string text(kYamlBytesMax + 1, '\0');
  in.read(text.data(), text.size());
  if (in.bad() || (in.gcount() == 0 && !in.eof())) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": can't be read: ", std::strerror(errno)));
  }
  text.resize(in.gcount());
  return ParseYaml(text, path, out, source);
}

std::string WrongVersion(uint32_t version) {
  if (version == 1) return "";
  if (version == 0) return "there is none; the file has to say 'version: 1'";
  return absl::StrCat(version, "; this program reads version 1");
}

}  // namespace ccsched
