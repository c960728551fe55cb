// A provider against a server on loopback that misbehaves as it is told to.
// SPDX-License-Identifier: Apache-2.0
#include "tests/providers/provider_fixture.h"

#include <fstream>
#include <iterator>

namespace ccsched {

std::string Sample(const std::string& name) {
  std::ifstream in(CCSCHED_SOURCE_DIR "/tests/providers/samples/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace ccsched
