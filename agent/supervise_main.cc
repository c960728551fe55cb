// ccsched-supervise: one a job, started by ccsched-agent and outliving it.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "agent/container_init.h"
#include "agent/launch_spec.h"
#include "agent/supervisor.h"

namespace {

// All of a file, from its start; empty on an error.
std::string ReadAll(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return "";
  std::string bytes(status.st_size, 0);
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = pread(fd, bytes.data() + done, bytes.size() - done, done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return "";
    done += n;
  }
  return bytes;
}

int Usage() {
  std::fprintf(stderr,
               "ccsched-supervise runs one job for ccsched-agent, which starts "
               "it; it is of no use by hand.\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--") == 0) {
    return ccsched::RunContainerInit(argv + 2);
  }
  if (argc == 2 && std::strcmp(argv[1], ccsched::kLaunchVersionFlag) == 0) {
    std::printf("%u\n", ccsched::kLaunchVersion);
    return 0;
  }
  if (argc < 2 || argv[1][0] == '-') return Usage();
  // It is started by a descriptor's number, which would be its name.
  prctl(PR_SET_NAME, "ccsched-supervi");
  const std::string launch = ReadAll(ccsched::kLaunchFd);
  if (ccsched::LaunchVersionOf(launch) != ccsched::kLaunchVersion) {
    return ccsched::kOtherVersionExit;
  }
  const auto spec = ccsched::DecodeLaunchSpec(launch);
  if (!spec || spec->argv.empty()) return Usage();
  close(ccsched::kLaunchFd);
  fcntl(ccsched::kRunFd, F_SETFD, FD_CLOEXEC);
  close_range(ccsched::kRunFd + 1, ~0U, 0);
  // Not in the way of unmounting, and 0, 1 and 2 are always open.
  if (chdir("/") != 0) return 1;
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) dup2(null, fd);
  if (null > 2) close(null);
  ccsched::Supervisor supervisor(*spec, ccsched::kRunFd);
  return supervisor.Run() ? 0 : 1;
}
