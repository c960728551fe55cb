// From a StartAttempt to what is executed: environment, paths, limits.
// SPDX-License-Identifier: Apache-2.0
#include "agent/launch.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/container.h"
#include "agent/output_name.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

using Environment = std::map<std::string, std::string>;

constexpr absl::Duration kDefaultGrace = absl::Seconds(30);
// So that nanoseconds since boot can count to it.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 10);

// A port for the ranks of a gang to meet at, the same on all of its nodes.
// Outside of the ephemeral range of Linux (32768 to 60999).
int MasterPort(AttemptId id) {
  return 20000 + static_cast<int>((id.job * 31 + id.epoch) % 10000);
}

// Each vendor's own way to say which devices a process may see. ROCR counts
// all devices, HIP those that ROCR left: HIP's list is relative.
void AddDevices(const std::vector<uint32_t>& accelerators, Environment& env) {
  const std::string indices = absl::StrJoin(accelerators, ",");
  std::vector<size_t> relative(accelerators.size());
  for (size_t i = 0; i < relative.size(); ++i) relative[i] = i;
  env["CCSCHED_ACCELERATORS"] = indices;
  env["CUDA_VISIBLE_DEVICES"] = indices;
  env["ROCR_VISIBLE_DEVICES"] = indices;
  env["HIP_VISIBLE_DEVICES"] = absl::StrJoin(relative, ",");
  env["ZE_AFFINITY_MASK"] = indices;
}

// It may be asked to save its state, so it has a folder for that.
bool MayBeAsked(const v1::JobSpec& job) {
  return job.suspendable() || !job.elastic().empty();
}

// What torch.distributed, torchrun (PET_*) and their like look for. One
// process a node is started; torchrun starts more by itself.
void AddGang(const v1::StartAttempt& start, Environment& env) {
  const int nodes = std::max(1, start.gang_size());
  env["MASTER_ADDR"] = nodes == 1 ? "127.0.0.1" : start.gang(0).node();
  env["MASTER_PORT"] = absl::StrCat(MasterPort(FromProto(start.key())));
  env["WORLD_SIZE"] = absl::StrCat(nodes);
  env["RANK"] = absl::StrCat(start.rank());
  env["LOCAL_RANK"] = "0";
  env["PET_NNODES"] = env["WORLD_SIZE"];
  env["PET_NODE_RANK"] = env["RANK"];
  env["PET_NPROC_PER_NODE"] = absl::StrCat(std::max(1u, start.count()));
  env["PET_MASTER_ADDR"] = env["MASTER_ADDR"];
  env["PET_MASTER_PORT"] = env["MASTER_PORT"];
}

std::string Peers(const v1::StartAttempt& start,
                  const LaunchSettings& settings) {
  if (start.gang().empty()) return settings.node;
  return absl::StrJoin(start.gang(), ",",
                       [](std::string* out, const v1::NodeShare& share) {
                         out->append(share.node());
                       });
}

bool HasNul(const std::string& s) { return s.find('\0') != std::string::npos; }

absl::Status CheckStrings(const v1::JobSpec& spec) {
  for (const std::string& word : spec.command()) {
    if (HasNul(word)) {
      return absl::InvalidArgumentError("command: a word contains a NUL byte");
    }
  }
  for (const auto& [name, value] : spec.env()) {
    if (name.empty() || name.find('=') != std::string::npos || HasNul(name) ||
        HasNul(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("env: '", name, "' can't be an environment variable"));
    }
  }
  if (HasNul(spec.workdir()) || HasNul(spec.output()) || HasNul(spec.name())) {
    return absl::InvalidArgumentError("workdir, output, name: a NUL byte");
  }
  if (spec.command().empty() && spec.script().empty()) {
    return absl::InvalidArgumentError("command: the job has none");
  }
  return absl::OkStatus();
}

// Where the output goes; relative names start at the workdir.
std::string OutputPath(const v1::StartAttempt& start,
                       const std::string& workdir,
                       const LaunchSettings& settings) {
  const AttemptId id = FromProto(start.key());
  OutputNames names{.job = id.job,
                    .array = start.array_id() != 0 ? start.array_id() : id.job,
                    .rank = start.rank(),
                    .epoch = id.epoch,
                    .node = settings.node,
                    .name = start.spec().name(),
                    .user = start.spec().user()};
  if (start.has_array_index()) names.index = start.array_index();
  std::string path = ExpandOutputName(start.spec().output(), names);
  return path.front() == '/' ? path : absl::StrCat(workdir, "/", path);
}

// Puts the command into the job's image.
absl::Status RunInContainer(const v1::JobSpec& job, const Environment& env,
                            const std::vector<uint32_t>& accelerators,
                            const std::string& folder,
                            const LaunchSettings& settings, LaunchSpec& spec) {
  if (settings.container_runtime.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("image: this node has neither podman nor apptainer to "
                     "run '",
                     job.image(), "'"));
  }
  const bool has_folder = !job.script().empty() || MayBeAsked(job);
  const auto own_tmpdir = env.find("TMPDIR");
  if (own_tmpdir == env.end()) {
    spec.tmp = TmpOf(settings, env.at("CCSCHED_ATTEMPT_TAG"));
    spec.tmp_inside = spec.tmp + "/tmp";
  } else {
    std::erase(spec.env, absl::StrCat("TMPDIR=", own_tmpdir->second));
  }
  ContainerJob inside{
      .name = absl::StrCat("ccsched-", env.at("CCSCHED_ATTEMPT_TAG")),
      .init = settings.container_init,
      .image = job.image(),
      .command = std::move(spec.argv),
      .env_names = {},
      .workdir = spec.workdir,
      .folder = has_folder ? folder : "",
      .tmp = spec.tmp_inside,
      .tmpdir = own_tmpdir == env.end() ? spec.tmp_inside : own_tmpdir->second,
      .accelerators = accelerators,
      .nvidia = settings.nvidia,
      .host_ipc = CanShareIpc()};
  for (const auto& [name, value] : env) {
    // These are of this machine, not of the image.
    if (name != "PATH" && name != "HOME" && name != "SHELL" &&
        name != "TMPDIR") {
      inside.env_names.push_back(name);
    }
  }
  spec.argv = ContainerCommand(settings.container_runtime, inside);
  spec.cleanup = ContainerCleanup(settings.container_runtime, inside);
  const uint32_t uid = spec.run_as ? spec.run_as->uid : geteuid();
  if (uid != 0) {
    spec.prelude = ContainerPrelude(settings.container_runtime);
    spec.prelude_lock = absl::StrCat(settings.state, "/containers-", uid);
  }
  spec.init_notes = HasOurInit(settings.container_runtime, inside);
  return absl::OkStatus();
}

void SetLimits(const v1::JobSpec& job, uint64_t count,
               absl::Duration time_limit, const AttemptPaths& paths,
               const LaunchSettings& settings, LaunchSpec& spec) {
  if (time_limit < absl::InfiniteDuration()) {
    spec.time_limit_ns =
        absl::ToInt64Nanoseconds(std::min(time_limit, kLongest));
  }
  const absl::Duration grace =
      job.has_grace() ? FromProto(job.grace()) : kDefaultGrace;
  spec.grace_ns = absl::ToInt64Nanoseconds(
      std::clamp(grace, absl::ZeroDuration(), kLongest));
  spec.lease_path = settings.state + "/lease";
  spec.open_files = settings.open_files;
  if (MayBeAsked(job)) spec.control = paths.folder;
  if (!settings.cgroup_root.empty()) {
    spec.cgroup = absl::StrCat(settings.cgroup_root, "/", paths.cgroup);
    spec.accelerators = static_cast<uint32_t>(count);
    if (settings.memory_per_accelerator > 0) {
      spec.memory_max =
          settings.memory_per_accelerator * std::max<uint64_t>(1, count);
    }
  }
}

}  // namespace

AttemptPaths PathsOf(const std::string& state, AttemptId id) {
  const std::string name = id.ToString();
  return {.run = absl::StrCat(state, "/run/", name),
          .log = absl::StrCat(state, "/logs/", name, ".out"),
          .folder = absl::StrCat(state, "/work/", name),
          .cgroup = absl::StrCat("job-", name)};
}

std::string TmpOf(const LaunchSettings& settings, const std::string& tag) {
  return absl::StrCat(settings.tmp, "/ccsched-", tag);
}

Environment JobEnvironment(const v1::StartAttempt& start,
                           const std::vector<uint32_t>& accelerators,
                           const std::string& tag,
                           const LaunchSettings& settings) {
  const v1::JobSpec& spec = start.spec();
  Environment env{{"PATH", settings.path},
                  {"HOME", settings.home},
                  {"USER", settings.user},
                  {"LOGNAME", settings.user},
                  {"SHELL", "/bin/sh"}};
  if (spec.image().empty()) env["TMPDIR"] = TmpOf(settings, tag);
  AddGang(start, env);
  for (const auto& [name, value] : spec.env()) env[name] = value;
  AddDevices(accelerators, env);
  const std::string job = absl::StrCat(start.key().job_id());
  env["CCSCHED_JOB_ID"] = job;
  env["CCSCHED_JOB_NAME"] = spec.name();
  env["CCSCHED_EPOCH"] = absl::StrCat(start.key().epoch());
  env["CCSCHED_ATTEMPT_TAG"] = tag;
  env["CCSCHED_SITE"] = start.site().empty() ? settings.site : start.site();
  env["CCSCHED_NODE"] = settings.node;
  env["CCSCHED_ACCELERATOR"] = settings.accelerator;
  env["CCSCHED_RANK"] = absl::StrCat(start.rank());
  env["CCSCHED_NODES"] = absl::StrCat(std::max(1, start.gang_size()));
  env["CCSCHED_PEERS"] = Peers(start, settings);
  // Of the whole gang: what an elastic job reads its width from.
  uint32_t width = 0;
  for (const v1::NodeShare& share : start.gang()) width += share.count();
  env["CCSCHED_WIDTH"] = absl::StrCat(std::max(width, start.count()));
  env["CCSCHED_RESUME"] = start.resume() ? "1" : "0";
  if (MayBeAsked(spec)) {
    env["CCSCHED_CONTROL"] =
        PathsOf(settings.state, FromProto(start.key())).folder;
  }
  if (!start.checkpoint().empty()) {
    env["CCSCHED_CHECKPOINT"] = start.checkpoint();
  }
  // The names that scripts written for Slurm look for. Not SLURM_NTASKS and
  // SLURM_PROCID: libraries take these for being started by srun.
  env["SLURM_JOB_ID"] = job;
  env["SLURM_JOBID"] = job;
  env["SLURM_JOB_NAME"] = spec.name();
  env["SLURMD_NODENAME"] = settings.node;
  env["SLURM_GPUS_ON_NODE"] = absl::StrCat(accelerators.size());
  if (!spec.workdir().empty()) env["SLURM_SUBMIT_DIR"] = spec.workdir();
  if (start.has_array_index()) {
    env["CCSCHED_ARRAY_INDEX"] = absl::StrCat(start.array_index());
    env["CCSCHED_ARRAY_ID"] = absl::StrCat(start.array_id());
    env["SLURM_ARRAY_TASK_ID"] = env["CCSCHED_ARRAY_INDEX"];
    env["SLURM_ARRAY_JOB_ID"] = env["CCSCHED_ARRAY_ID"];
  }
  return env;
}

absl::StatusOr<int> ParseSignal(std::string_view name) {
  if (name.empty()) return SIGTERM;
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    if (number >= 1 && number < NSIG) return number;
  }
  const std::string_view bare =
      name.substr(0, 3) == "SIG" ? name.substr(3) : name;
  for (int s = 1; s < NSIG; ++s) {
    const char* known = sigabbrev_np(s);
    if (known != nullptr && bare == known) return s;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("warn_signal: no signal '", ToAbsl(name), "'"));
}

std::optional<std::string> UserToFind(const v1::JobSpec& job,
                                      const LaunchSettings& settings) {
  if (!settings.as_submitter || job.user().empty() ||
      job.user() == settings.user) {
    return std::nullopt;
  }
  return job.user();
}

absl::StatusOr<LaunchSpec> BuildLaunch(
    const v1::StartAttempt& start, const std::vector<uint32_t>& accelerators,
    const std::string& tag, absl::Duration time_limit, const User* user,
    const LaunchSettings& settings) {
  const v1::JobSpec& job = start.spec();
  RETURN_IF_ERROR(CheckStrings(job));
  const AttemptPaths paths = PathsOf(settings.state, FromProto(start.key()));
  LaunchSpec spec;
  LaunchSettings own = settings;
  if (user != nullptr) {
    own.user = user->name;
    own.home = user->home;
    spec.run_as = user->ids;
  }
  ASSIGN_OR_RETURN(spec.warn_signal, ParseSignal(job.warn_signal()));
  if (!job.script().empty()) {
    spec.argv.push_back(paths.folder + "/script");
  }
  spec.argv.insert(spec.argv.end(), job.command().begin(), job.command().end());
  const Environment env = JobEnvironment(start, accelerators, tag, own);
  for (const auto& [name, value] : env) {
    spec.env.push_back(absl::StrCat(name, "=", value));
  }
  spec.workdir = job.workdir().empty() ? own.home : job.workdir();
  if (job.image().empty()) {
    spec.tmp = TmpOf(settings, tag);
  } else {
    RETURN_IF_ERROR(
        RunInContainer(job, env, accelerators, paths.folder, settings, spec));
  }
  // A later attempt, and a later rank that shares the file, go on in it.
  spec.append = start.resume() || start.key().epoch() > 1 || start.rank() > 0;
  if (job.output().empty()) {
    spec.output = paths.log;
    spec.output_limit = settings.output_limit;
  } else {
    spec.output = OutputPath(start, spec.workdir, settings);
  }
  SetLimits(job, accelerators.size(), time_limit, paths, settings, spec);
  return spec;
}

}  // namespace ccsched
