// A folder of a test's own.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_TEMPORARY_FOLDER_H_
#define CCSCHED_TESTS_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace ccsched {

// Gone, with all that is in it, at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "ccsched-test-XXXXXX")
            .string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  // Of what is to be in it.
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }
  // Writes a file, and makes the folders that it is in; returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = *this / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_TEMPORARY_FOLDER_H_
