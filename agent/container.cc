// Runs a job in its container image, by podman or apptainer.
// SPDX-License-Identifier: Apache-2.0
#include "agent/container.h"

#include <unistd.h>

#include <sstream>

#include "absl/strings/str_cat.h"

namespace ccsched {
namespace {

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool IsPodman(const std::string& runtime) {
  return EndsWith(runtime, "/podman");
}

// The host's network, so that a gang's ranks find each other; no group of its
// own, so that the supervisor can end it with the job; no log, as the output
// has its own way, which is bounded.
std::vector<std::string> Podman(const std::string& runtime,
                                const ContainerJob& job) {
  std::vector<std::string> words{runtime, "run", "--rm", "--name", job.name};
  words.insert(words.end(),
               {"--log-driver=none", "--network=host", "--cgroups=disabled"});
  if (job.host_ipc) {
    words.emplace_back("--ipc=host");
  } else {
    words.insert(words.end(), {"--ipc=private", "-v", "/dev/shm:/dev/shm"});
  }
  if (!job.init.empty()) {
    words.insert(words.end(),
                 {"--init", "--init-path", job.init, "--preserve-fds", "1"});
  }
  for (const std::string& folder : {job.workdir, job.folder, job.tmp}) {
    // The image has a root of its own.
    if (folder.empty() || folder == "/") continue;
    words.insert(words.end(), {"-v", absl::StrCat(folder, ":", folder)});
  }
  words.insert(words.end(), {"-w", job.workdir});
  for (const std::string& name : job.env_names) {
    words.insert(words.end(), {"-e", name});
  }
  if (!job.tmpdir.empty()) {
    words.insert(words.end(), {"-e", absl::StrCat("TMPDIR=", job.tmpdir)});
  }
  if (job.nvidia) {
    for (const uint32_t index : job.accelerators) {
      words.insert(words.end(),
                   {"--device", absl::StrCat("nvidia.com/gpu=", index)});
    }
  }
  words.push_back(job.image);
  return words;
}

// Hands on the whole environment by itself.
std::vector<std::string> Apptainer(const std::string& runtime,
                                   const ContainerJob& job) {
  std::vector<std::string> words{runtime, "exec", "--pwd", job.workdir};
  for (const std::string& folder : {job.workdir, job.folder, job.tmp}) {
    if (!folder.empty()) words.insert(words.end(), {"--bind", folder});
  }
  if (!job.tmpdir.empty()) {
    words.insert(words.end(), {"--env", absl::StrCat("TMPDIR=", job.tmpdir)});
  }
  if (job.nvidia) words.emplace_back("--nv");
  const bool is_file = job.image[0] == '/' || EndsWith(job.image, ".sif");
  const bool has_scheme = job.image.find("://") != std::string::npos;
  words.push_back(is_file || has_scheme ? job.image
                                        : absl::StrCat("docker://", job.image));
  return words;
}

}  // namespace

std::string FindContainerRuntime(const std::string& path) {
  for (const char* name : {"podman", "apptainer"}) {
    std::istringstream folders(path);
    for (std::string folder; std::getline(folders, folder, ':');) {
      std::string program = absl::StrCat(folder, "/", name);
      if (!folder.empty() && access(program.c_str(), X_OK) == 0) {
        return program;
      }
    }
  }
  return "";
}

bool CanShareIpc() { return access("/dev/mqueue", F_OK) == 0; }

std::vector<std::string> ContainerCommand(const std::string& runtime,
                                          const ContainerJob& job) {
  std::vector<std::string> words =
      IsPodman(runtime) ? Podman(runtime, job) : Apptainer(runtime, job);
  words.insert(words.end(), job.command.begin(), job.command.end());
  return words;
}

bool HasOurInit(const std::string& runtime, const ContainerJob& job) {
  return IsPodman(runtime) && !job.init.empty();
}

std::vector<std::string> ContainerPrelude(const std::string& runtime) {
  if (!IsPodman(runtime)) return {};
  return {runtime, "unshare", "true"};
}

std::vector<std::string> ContainerCleanup(const std::string& runtime,
                                          const ContainerJob& job) {
  if (!IsPodman(runtime)) return {};
  return {runtime, "rm", "--force", "--ignore", job.name};
}

}  // namespace ccsched
