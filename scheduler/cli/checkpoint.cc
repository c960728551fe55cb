// `ccsched checkpoint`: a job's side of the handshake, for scripts.
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/commands.h"

namespace ccsched {
namespace {

constexpr int kAnswerMsMax = 10'000;

absl::Status SystemError(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(errno)));
}

// Sends one line to the job's supervisor and returns the line that it answers.
// `patience_ms` below 0: waits for good. Errors: FailedPrecondition outside of
// a job that may be asked; what the system says; the supervisor's refusal.
absl::StatusOr<std::string> Say(const Context& context, const std::string& line,
                                int patience_ms) {
  const std::string folder = context.env("CCSCHED_CONTROL");
  if (folder.empty()) {
    return absl::FailedPreconditionError(
        "CCSCHED_CONTROL is not set: this is no job that ccsched runs with "
        "--suspendable or --elastic");
  }
  const std::string path = folder + "/control";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": too long for a socket; write to the files beside it"));
  }
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("socket");
  const std::shared_ptr<void> closer(nullptr, [fd](void*) { close(fd); });
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
      0) {
    return SystemError(path);
  }
  const std::string words = line + "\n";
  if (send(fd, words.data(), words.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(words.size())) {
    return SystemError(path);
  }
  std::string answer;
  while (!absl::EndsWith(answer, "\n")) {
    pollfd readable{fd, POLLIN, 0};
    const int ready = poll(&readable, 1, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    char bytes[512];
    const ssize_t n = ready > 0 ? read(fd, bytes, sizeof(bytes)) : 0;
    if (n <= 0) return absl::InternalError(path + ": no answer");
    answer.append(bytes, n);
  }
  answer.pop_back();
  if (absl::StartsWith(answer, "error")) {
    return absl::InvalidArgumentError(answer);
  }
  return answer;
}

struct SavedOptions {
  std::string id;
  std::optional<double> seconds;
};

int Print(Context& context, const absl::StatusOr<std::string>& answer) {
  if (!answer.ok()) return context.Fail(answer.status());
  context.out << *answer << "\n";
  return kExitDone;
}

int RunSaved(Context& context, const SavedOptions& o) {
  const auto answer =
      Say(context, absl::StrCat("saved ", o.seconds.value_or(0), " ", o.id),
          kAnswerMsMax);
  return context.Fail(answer.status());
}

}  // namespace

void AddCheckpoint(Command& root, Context& context) {
  Command& c = root.Sub(
      "checkpoint", "inside a job: hear of and answer a request to suspend",
      "  ccsched checkpoint wait && save && ccsched checkpoint saved "
      "/data/ckpt\n"
      "  ccsched checkpoint status        # none, or: suspend SECONDS REASON\n"
      "\nFor jobs submitted with --suspendable or --elastic. REASON is "
      "suspend, "
      "or resize\nfor a job that starts anew at another width. A job that has "
      "saved its state ends,\nor is ended; one that does not answer within its "
      "grace period goes on. It is\nstarted again with CCSCHED_RESUME=1 and "
      "the name it gave in CCSCHED_CHECKPOINT.");
  Command& status =
      c.Sub("status", "print what is asked now", "  ccsched checkpoint status");
  status.OnRun([&context] {
    return Print(context, Say(context, "status", kAnswerMsMax));
  });
  Command& wait = c.Sub("wait", "wait until the job is asked to suspend",
                        "  ccsched checkpoint wait");
  wait.OnRun([&context] { return Print(context, Say(context, "watch", -1)); });
  auto o = std::make_shared<SavedOptions>();
  Command& saved =
      c.Sub("saved", "say that the state is safe",
            "  ccsched checkpoint saved --seconds 41 /data/run-7/step-12000");
  saved.Argument("NAME", &o->id, true,
                 "of the checkpoint: whatever the job finds it by again");
  saved.Real("--seconds", "S", &o->seconds,
             "what saving took; the scheduler plans with it");
  saved.OnRun([o, &context] { return RunSaved(context, *o); });
  Command& refuse = c.Sub("refuse", "say that the job can't be suspended now",
                          "  ccsched checkpoint refuse");
  refuse.OnRun([&context] {
    return context.Fail(Say(context, "refuse", kAnswerMsMax).status());
  });
}

}  // namespace ccsched
