// Runs a job in its container image, by podman or apptainer.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_CONTAINER_H_
#define CCSCHED_AGENT_CONTAINER_H_

#include <cstdint>
#include <string>
#include <vector>

namespace ccsched {

// What a command is run with inside of an image.
struct ContainerJob {
  std::string name;  // of the container; no other may have it
  std::string init;  // program for its first process (container_init.h), or ""
  std::string image;
  std::vector<std::string> command;
  std::vector<std::string> env_names;  // handed on from the environment
  std::string workdir;                 // there under the same name
  std::string folder;                  // so is this one, if not empty
  std::string tmp;                     // and this one
  std::string tmpdir;  // TMPDIR there: that of the runtime is its own affair
  std::vector<uint32_t> accelerators;
  bool nvidia = false;
  // Whether it can share all that processes talk by with the host, as podman
  // does it, or else the shared memory alone. See CanShareIpc.
  bool host_ipc = true;
};

// The path of podman, else of apptainer, in the folders of `path` (as PATH);
// empty if neither is there.
std::string FindContainerRuntime(const std::string& path);

// Whether podman can, whoever runs it: an ordinary user's wants the host's
// message queues to be mounted, as systemd does.
bool CanShareIpc();

// The command that runs it. REQUIRES: `runtime` is from FindContainerRuntime.
std::vector<std::string> ContainerCommand(const std::string& runtime,
                                          const ContainerJob& job);

// Whether that command's container has `job.init` for its first process, which
// then finds the command's fd kInitNotesFd under the same number.
bool HasOurInit(const std::string& runtime, const ContainerJob& job);

// The command that sets up what the containers of an ordinary user share, if it
// is not there yet; to be run before each of them, outside of the job. Empty
// where nothing is shared.
std::vector<std::string> ContainerPrelude(const std::string& runtime);

// The command that removes what is left of the container if the one above was
// killed; empty where nothing is. It may be run at any time.
std::vector<std::string> ContainerCleanup(const std::string& runtime,
                                          const ContainerJob& job);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_CONTAINER_H_
