// Golden transcripts: every decision of each policy on one small instance.
// SPDX-License-Identifier: Apache-2.0
//
// CCSCHED_REWRITE=1 writes testdata/ anew; commit what you have understood.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "policies/registry.h"
#include "tests/policies/cases.h"

namespace ccsched::testing {
namespace {

class TranscriptTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TranscriptTest, DecidesAsOnRecord) {
  const PlayCase c = SmallCase();
  const PlayResult result = RunCase(c, *MakePolicy(GetParam(), {}));
  std::string text = result.transcript + "\n";
  for (size_t id = 1; id <= c.jobs.size(); ++id) {
    text += std::to_string(id) + ": " + result.Stretches(id) + "\n";
  }
  const std::string path =
      CCSCHED_SOURCE_DIR "/tests/policies/testdata/" + GetParam() + ".txt";
  if (std::getenv("CCSCHED_REWRITE") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << "no " << path << "; write it with CCSCHED_REWRITE=1";
  std::ostringstream recorded;
  recorded << file.rdbuf();
  EXPECT_EQ(text, recorded.str());
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const PolicySpec& spec : AllPolicies()) names.push_back(spec.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(AllPolicies, TranscriptTest,
                         ::testing::ValuesIn(Names()), [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace ccsched::testing
