// A folder that stands for sysfs, and what our NVML says.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_
#define CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ccsched {

class MetersTest : public testing::Test {
 protected:
  MetersTest() {
    std::string name = testing::TempDir() + "ccsched-meters-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    setenv("CCSCHED_FAKE_NVML", (folder_ / "nvml").c_str(), 1);
  }
  ~MetersTest() override { std::filesystem::remove_all(folder_); }
  void Put(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }

  std::filesystem::path folder_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_METERS_FIXTURE_H_
