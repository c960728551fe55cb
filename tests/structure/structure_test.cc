// Tests of the house itself: floors, sizes, banned calls, first lines.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // from the root
  std::vector<std::string> lines;
};

bool IsCode(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

std::vector<Source> ReadSources() {
  const fs::path root = CCSCHED_SOURCE_DIR;
  std::vector<Source> sources;
  for (const char* top : {"scheduler", "agent", "policies", "sim", "tests"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !IsCode(entry.path())) continue;
      Source source{fs::relative(entry.path(), root).string(), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        source.lines.push_back(line);
      }
      sources.push_back(std::move(source));
    }
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

const std::vector<Source>& Sources() {
  static const auto& sources = *new std::vector<Source>(ReadSources());
  return sources;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The floors from the ground up; a file may include what is on its own floor or
// below. A longer prefix wins over a shorter one.
int FloorOf(std::string_view path) {
  static const std::vector<std::pair<std::string_view, int>> floors = {
      {"ccsched/v1/", 0},
      {"scheduler/base/", 1},
      {"scheduler/model/", 2},
      {"scheduler/carbon/", 3},
      {"policies/policy.h", 4},
      {"policies/", 5},
      {"scheduler/core/", 6},
      {"scheduler/wire/", 7},
      {"scheduler/ledger/", 8},
      {"scheduler/providers/", 9},
      {"sim/", 10},
      {"scheduler/rpc/", 11},
      {"scheduler/daemon/", 12},
      {"agent/", 12},
      {"scheduler/cli/", 13},
      {"tests/", 14}};
  for (const auto& [prefix, floor] : floors) {
    if (StartsWith(path, prefix)) return floor;
  }
  return -1;
}

std::optional<std::string> IncludedFile(const std::string& line) {
  static const std::regex include("^#include \"([^\"]+)\"");
  std::smatch match;
  if (!std::regex_search(line, match, include)) return std::nullopt;
  return match[1].str();
}

TEST(StructureTest, NoIncludePointsUpwards) {
  for (const Source& source : Sources()) {
    const int own = FloorOf(source.path);
    ASSERT_GE(own, 0) << source.path << " is on no floor";
    for (const std::string& line : source.lines) {
      const std::optional<std::string> target = IncludedFile(line);
      if (!target.has_value() || FloorOf(*target) < 0) continue;
      EXPECT_LE(FloorOf(*target), own)
          << source.path << " includes " << *target;
    }
  }
}

TEST(StructureTest, TheAgentKnowsNothingOfDeciding) {
  for (const Source& source : Sources()) {
    if (!StartsWith(source.path, "agent/")) continue;
    for (const std::string& line : source.lines) {
      const std::optional<std::string> target = IncludedFile(line);
      if (!target.has_value()) continue;
      for (const char* banned : {"policies/", "scheduler/core/", "sim/",
                                 "scheduler/ledger/", "scheduler/rpc/"}) {
        EXPECT_FALSE(StartsWith(*target, banned))
            << source.path << " includes " << *target;
      }
    }
  }
}

// The pure floors know no protobuf: the wire is above them.
TEST(StructureTest, NoProtobufBelowTheWire) {
  for (const Source& source : Sources()) {
    if (FloorOf(source.path) > 6) continue;
    for (const std::string& line : source.lines) {
      EXPECT_EQ(line.find(".pb.h\""), std::string::npos) << source.path;
      EXPECT_EQ(line.find("google/protobuf"), std::string::npos) << source.path;
    }
  }
}

TEST(StructureTest, NoFileIsLongerThan500Lines) {
  for (const Source& source : Sources()) {
    EXPECT_LE(source.lines.size(), 500u) << source.path;
  }
}

// A definition begins at a line without indentation and ends at a lone "}".
TEST(StructureTest, NoFunctionIsLongerThan70Lines) {
  static const std::regex not_a_function(
      "^(namespace|class|struct|union|enum|extern|template|using|#|//)");
  for (const Source& source : Sources()) {
    size_t begin = 0;
    for (size_t i = 0; i < source.lines.size(); ++i) {
      const std::string& line = source.lines[i];
      if (line.empty() || line[0] == ' ') continue;
      if (line == "}") {
        EXPECT_LE(i - begin + 1, 70u) << source.path << ":" << begin + 1;
      } else if (!std::regex_search(line, not_a_function)) {
        begin = i;
      }
    }
  }
}

TEST(StructureTest, EveryFileSaysItsPurposeAndItsLicence) {
  for (const Source& source : Sources()) {
    ASSERT_GE(source.lines.size(), 2u) << source.path;
    EXPECT_TRUE(StartsWith(source.lines[0], "// ")) << source.path;
    const bool licensed =
        source.lines[1] == "// SPDX-License-Identifier: Apache-2.0" ||
        source.lines[2] == "// SPDX-License-Identifier: Apache-2.0";
    EXPECT_TRUE(licensed) << source.path;
  }
}

std::string GuardOf(std::string path) {
  std::string guard = "CCSCHED_";
  for (const char c : path) {
    guard += std::isalnum(static_cast<unsigned char>(c))
                 ? static_cast<char>(std::toupper(c))
                 : '_';
  }
  return guard + "_";
}

TEST(StructureTest, EveryHeaderIsGuardedByItsPath) {
  for (const Source& source : Sources()) {
    if (fs::path(source.path).extension() != ".h") continue;
    const std::string wanted = "#ifndef " + GuardOf(source.path);
    EXPECT_NE(std::find(source.lines.begin(), source.lines.end(), wanted),
              source.lines.end())
        << source.path << " lacks " << wanted;
  }
}

struct Ban {
  std::string what;
  std::regex pattern;
  int highest_floor;  // banned on this floor and below
  std::string but;    // allowed in this file
};

std::vector<Ban> Bans() {
  const auto call = [](const std::string& name) {
    return std::regex("(^|[^A-Za-z0-9_:.>])" + name + "\\(");
  };
  return {
      {"the wall clock", std::regex("absl::Now\\(|system_clock"), 10,
       "scheduler/base/clock.cc"},
      {"std's random", std::regex("std::(random_device|mt19937|rand)\\b"), 14,
       ""},
      {"unordered containers", std::regex("std::unordered_(map|set)"), 10, ""},
      {"sleeping", std::regex("sleep_for\\(|SleepFor\\(|usleep\\("), 10, ""},
      {"strcpy and its kin", call("(strcpy|strcat|sprintf|gets|atoi|atof)"), 14,
       ""},
      {"a shell", call("(system|popen)"), 14, ""},
      {"using namespace", std::regex("^\\s*using namespace"), 14, ""},
      {"unfinished work", std::regex("\\b(TODO|FIXME)\\b"), 14,
       "tests/structure/structure_test.cc"},
  };
}

TEST(StructureTest, NothingBannedIsCalled) {
  for (const Ban& ban : Bans()) {
    for (const Source& source : Sources()) {
      if (FloorOf(source.path) > ban.highest_floor) continue;
      if (source.path == ban.but) continue;
      for (size_t i = 0; i < source.lines.size(); ++i) {
        const std::string& line = source.lines[i];
        if (StartsWith(line, "//") && ban.what != "unfinished work") continue;
        EXPECT_FALSE(std::regex_search(line, ban.pattern))
            << ban.what << ": " << source.path << ":" << i + 1 << ": " << line;
      }
    }
  }
}

TEST(StructureTest, TheTopLevelGrowsNoFolder) {
  const std::vector<std::string> allowed = {"scheduler", "agent", "proto",
                                            "policies",  "sim",   "tests",
                                            "deploy",    "build"};
  for (const auto& entry : fs::directory_iterator(CCSCHED_SOURCE_DIR)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name[0] == '.') continue;
    EXPECT_NE(std::find(allowed.begin(), allowed.end(), name), allowed.end())
        << name;
  }
}

}  // namespace
