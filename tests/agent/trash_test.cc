// What jobs left: out of the way at once, and then removed, whatever it is.
// SPDX-License-Identifier: Apache-2.0
#include "agent/trash.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/spawn.h"
#include "tests/temporary_folder.h"

namespace ccsched {
namespace {

namespace fs = std::filesystem;

class TrashTest : public testing::Test {
 protected:
  fs::path Put(const std::string& name) const { return own_.Write(name, "x"); }

  const TemporaryFolder own_;
  const fs::path folder_ = own_.path();
  std::atomic<bool> stop_ = false;
};

// Deeper than any path may be long, and than descriptors there are.
TEST_F(TrashTest, AFolderOfAnyDepthIsRemoved) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Put("top/lifted.1");  // names that it might use itself
  Put("top/lifted.2/file");
  Fd at(open((folder_ / "top").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 3000; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), "deeper", 0755), 0) << depth;
    at = Fd(openat(at.get(), "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at.valid());
    if (depth % 100 == 0) {
      const Fd file(openat(at.get(), "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0));
    }
  }
  at = Fd();
  rlimit few = before;
  few.rlim_cur = 100;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_TRUE(RemoveAll(folder_ / "top", stop_));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(fs::exists(folder_ / "top"));
}

TEST_F(TrashTest, WhatALinkPointsToStays) {
  const fs::path file = Put("others/file");
  fs::create_directories(folder_ / "top/sub");
  fs::create_directory_symlink(folder_ / "others", folder_ / "top/sub/link");
  fs::create_symlink(file, folder_ / "top/link");
  EXPECT_TRUE(RemoveAll(folder_ / "top", stop_));
  fs::create_directory_symlink(folder_ / "others", folder_ / "top");
  EXPECT_TRUE(RemoveAll(folder_ / "top", stop_));
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder_ / "top")));
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(TrashTest, WhatAJobHasClosedToItselfIsRemoved) {
  Put("top/closed/sub/file");
  chmod((folder_ / "top/closed/sub").c_str(), 0555);
  chmod((folder_ / "top/closed").c_str(), 0);
  chmod((folder_ / "top").c_str(), 0);
  // As a user whom that would keep out.
  if (geteuid() == 0) {
    ASSERT_EQ(chown((folder_ / "top/closed/sub").c_str(), 65534, 65534), 0);
    ASSERT_EQ(chown((folder_ / "top/closed").c_str(), 65534, 65534), 0);
    ASSERT_EQ(chown((folder_ / "top").c_str(), 65534, 65534), 0);
    ASSERT_EQ(chown(folder_.c_str(), 65534, 65534), 0);
    ASSERT_EQ(seteuid(65534), 0);
  }
  const bool removed = RemoveAll(folder_ / "top", stop_);
  if (getuid() == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_TRUE(removed);
  EXPECT_FALSE(fs::exists(folder_ / "top"));
}

TEST_F(TrashTest, ItIsOutOfTheWayAtOnceAndTheNextOneGoesOn) {
  Put("tmp/job/file");
  Put("tmp/ccsched-trash-other-1/file");  // another agent's
  stop_ = true;
  EXPECT_FALSE(RemoveAll(folder_ / "tmp/job", stop_)) << "it was stopped";
  EXPECT_TRUE(fs::exists(folder_ / "tmp/job/file"));
  {
    Trash trash("own", {});
    EXPECT_NE(trash.PutAside(folder_ / "tmp/job"), "");
    EXPECT_FALSE(fs::exists(folder_ / "tmp/job"));
  }  // as if it were killed
  Put("tmp/job/file");
  Trash trash("own", {folder_ / "tmp"});
  trash.Take(folder_ / "tmp/job");
  EXPECT_FALSE(fs::exists(folder_ / "tmp/job"));
  trash.Wait();
  size_t left = 0;
  for ([[maybe_unused]] const auto& e : fs::directory_iterator(folder_ / "tmp"))
    ++left;
  EXPECT_EQ(left, 1u);
  EXPECT_TRUE(fs::exists(folder_ / "tmp/ccsched-trash-other-1/file"));
}

}  // namespace
}  // namespace ccsched
