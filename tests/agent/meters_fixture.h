// A folder that stands for sysfs, and what our NVML says.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_
#define CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/temporary_folder.h"

namespace ccsched {

class MetersTest : public testing::Test {
 protected:
  MetersTest() { setenv("CCSCHED_FAKE_NVML", (folder_ / "nvml").c_str(), 1); }
  void Put(const std::string& path, const std::string& text) const {
    own_.Write(path, text);
  }

  const TemporaryFolder own_;
  const std::filesystem::path folder_ = own_.path();
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_
