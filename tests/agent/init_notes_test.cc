// What a container's first process tells, here without a container.
// SPDX-License-Identifier: Apache-2.0
#include "agent/init_notes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "agent/container_init.h"

namespace ccsched {
namespace {

class InitNotesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(notes_.Open()); }

  // A first process of `script`, with or without its end of the sockets.
  pid_t Begin(std::string script, bool with_socket = true) {
    const pid_t pid = fork();
    if (pid == 0) {
      if (with_socket) {
        dup2(notes_.far_end(), kInitNotesFd);
        if (notes_.far_end() == kInitNotesFd) {
          fcntl(kInitNotesFd, F_SETFD, 0);
        }
      }
      std::string sh = "/bin/sh", c = "-c";
      char* argv[] = {sh.data(), c.data(), script.data(), nullptr};
      _exit(RunContainerInit(argv));
    }
    notes_.CloseFarEnd();
    return pid;
  }
  // Reads until `done`, or nothing more can come.
  template <typename Done>
  bool ReadUntil(Done done) {
    for (notes_.Read(); !done() && notes_.fd() >= 0; notes_.Read()) {
      pollfd wait{notes_.fd(), POLLIN, 0};
      poll(&wait, 1, -1);
    }
    return done();
  }
  static int ExitOf(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  InitNotes notes_;
};

TEST_F(InitNotesTest, TellsThatItRunsAndHowItsCommandEnded) {
  EXPECT_FALSE(notes_.runs());
  const pid_t pid = Begin("exit 7");
  ASSERT_TRUE(ReadUntil([&] { return notes_.ended().has_value(); }));
  EXPECT_TRUE(notes_.runs());
  EXPECT_EQ(WEXITSTATUS(*notes_.ended()), 7);
  EXPECT_EQ(ExitOf(pid), 7);
}

TEST_F(InitNotesTest, ASignalsDeathIsNoExitStatus) {
  const pid_t pid = Begin("kill -SEGV $$");
  ASSERT_TRUE(ReadUntil([&] { return notes_.ended().has_value(); }));
  ASSERT_TRUE(WIFSIGNALED(*notes_.ended()));
  EXPECT_EQ(WTERMSIG(*notes_.ended()), SIGSEGV);
  EXPECT_EQ(ExitOf(pid), 128 + SIGSEGV);
}

TEST_F(InitNotesTest, ASignalGoesToTheCommandFromItsFirstMomentOn) {
  const pid_t pid = Begin("sleep 600; sleep 600");
  ASSERT_TRUE(ReadUntil([&] { return notes_.runs(); }));
  notes_.Signal(SIGTERM);
  ASSERT_TRUE(ReadUntil([&] { return notes_.ended().has_value(); }));
  EXPECT_EQ(WTERMSIG(*notes_.ended()), SIGTERM);
  EXPECT_EQ(ExitOf(pid), 128 + SIGTERM);
  notes_.Signal(SIGTERM);  // of one that is gone: nothing happens
}

// Read only when all is over, as by a supervisor that was stopped meanwhile.
TEST_F(InitNotesTest, WhatItSaidIsStillThereWhenItIsGone) {
  EXPECT_EQ(ExitOf(Begin("exit 3")), 3);
  notes_.Read();
  EXPECT_TRUE(notes_.runs());
  ASSERT_TRUE(notes_.ended().has_value());
  EXPECT_EQ(WEXITSTATUS(*notes_.ended()), 3);
  EXPECT_EQ(notes_.fd(), -1) << "there is nobody left who could write";
}

TEST_F(InitNotesTest, TheCommandDoesNotGetTheSocket) {
  Begin("[ -e /proc/self/fd/3 ]");
  ASSERT_TRUE(ReadUntil([&] { return notes_.ended().has_value(); }));
  EXPECT_EQ(WEXITSTATUS(*notes_.ended()), 1);
}

// Whoever runs it by hand has no socket for it.
TEST_F(InitNotesTest, WithoutASocketItRunsItsCommandAllTheSame) {
  EXPECT_EQ(ExitOf(Begin("exit 5", false)), 5);
  notes_.Read();
  EXPECT_FALSE(notes_.runs());
}

}  // namespace
}  // namespace ccsched
