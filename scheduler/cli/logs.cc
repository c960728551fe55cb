// `ccsched logs`: a job's output, from its node.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/client.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"

namespace ccsched {
namespace {

struct LogsOptions {
  std::string job;
  bool follow = false;
  std::optional<int64_t> rank, attempt;
};

struct Copied {
  absl::Status status;
  uint64_t shown = 0;  // of the output, what was missing included
  bool any = false;    // whether anything came
};

void SayMissing(Context& context, uint64_t bytes, const char* why) {
  if (bytes == 0) return;
  context.err << "ccsched: " << bytes
              << " bytes of the output are missing here: " << why << "\n";
}

// What comes after the first `shown` bytes of the output. Says how much of it
// the node does not have, and why.
Copied Copy(Context& context, const v1::LogsRequest& request, uint64_t shown) {
  Copied copied{.shown = shown};
  uint64_t at = 0;  // of what comes next, in all output
  copied.status =
      context.client().Logs(request, [&](const v1::LogChunk& chunk) {
        std::string_view data = chunk.data();
        if (chunk.has_offset()) at = chunk.offset();
        if (at > copied.shown) {
          const uint64_t missing = at - copied.shown;
          const uint64_t unwritten = std::min(missing, chunk.unwritten());
          SayMissing(context, missing - unwritten,
                     "they were rotated away on the job's node");
          SayMissing(context, unwritten,
                     "they could not be written on the job's node, as when its "
                     "disk is full");
          copied.shown = at;
        }
        const size_t known = std::min<uint64_t>(data.size(), copied.shown - at);
        at += data.size();
        copied.shown = std::max(copied.shown, at);
        copied.any = true;
        data.remove_prefix(known);
        context.out.write(data.data(), data.size());
        context.out.flush();
        return context.out.good();
      });
  return copied;
}

// Goes on where it was when the scheduler or the node's agent has restarted:
// the attempt's output is told from its start again, or from where it begins on
// the node by now.
absl::Status Follow(Context& context, v1::LogsRequest request) {
  if (!request.has_epoch()) {
    ASSIGN_OR_RETURN(const v1::Job job, context.client().Get(request.job_id()));
    if (job.attempts_size() > 0) {
      request.set_epoch(job.attempts(job.attempts_size() - 1).epoch());
    }
  }
  uint64_t shown = 0;
  absl::Time lost_since = absl::InfiniteFuture();
  absl::Duration pause = absl::Milliseconds(100);
  for (;;) {
    const Copied copied = Copy(context, request, shown);
    if (!absl::IsUnavailable(copied.status) &&
        !absl::IsAborted(copied.status)) {
      return copied.status;
    }
    if (copied.any) {
      shown = copied.shown;
      lost_since = absl::InfiniteFuture();
      pause = absl::Milliseconds(100);
    }
    if (lost_since == absl::InfiniteFuture()) {
      lost_since = absl::Now();
      context.err << "ccsched: lost the scheduler or the job's node; trying "
                     "again for "
                  << absl::FormatDuration(kLostPatience) << "\n";
    }
    if (absl::Now() - lost_since > kLostPatience) return copied.status;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Seconds(2));
  }
}

// A job without output may never have run.
void SayWhyNone(Context& context, uint64_t id) {
  const absl::StatusOr<v1::Job> job = context.client().Get(id);
  if (!job.ok()) return;
  const std::string state = absl::StrCat(
      HasEnded(job->state()) ? "it has ended: " : "it is ",
      StateName(job->state()),
      job->state_note().empty() ? "" : absl::StrCat(": ", job->state_note()));
  if (job->attempts().empty() || !job->state_note().empty()) {
    context.Say(absl::StrCat("ccsched: job ", id, " has no output; ", state));
  }
}

int RunLogs(Context& context, const LogsOptions& o) {
  const auto id = ParseJobId(o.job);
  if (!id.ok()) return context.Fail(id.status());
  if (o.rank.value_or(0) < 0 || o.rank.value_or(0) > 1'000'000) {
    return context.Wrong("--rank must be from 0 to 1000000");
  }
  if (o.attempt.value_or(1) < 1 || o.attempt.value_or(1) > 1'000'000) {
    return context.Wrong("--attempt must be from 1 to 1000000");
  }
  v1::LogsRequest request;
  request.set_job_id(*id);
  request.set_follow(o.follow);
  request.set_rank(static_cast<uint32_t>(o.rank.value_or(0)));
  if (o.attempt) request.set_epoch(static_cast<uint32_t>(*o.attempt));
  if (o.follow) return context.Fail(Follow(context, request));
  const Copied copied = Copy(context, request, 0);
  if (copied.status.ok() && copied.shown == 0) SayWhyNone(context, *id);
  return context.Fail(copied.status);
}

}  // namespace

void AddLogs(Command& root, Context& context) {
  auto o = std::make_shared<LogsOptions>();
  Command& c = root.Sub("logs", "print a job's output",
                        "  ccsched logs 12\n"
                        "  ccsched logs -f 12             # until it ends\n"
                        "  ccsched logs --rank 3 12       # of a gang's node\n"
                        "  ccsched logs --attempt 1 12    # before it moved");
  c.Argument("JOB", &o->job, true, "the job's number");
  c.Flag("-f,--follow", &o->follow, "go on until the job ends");
  c.Number("--rank", "N", &o->rank, "of the gang's Nth node, from 0");
  c.Number("--attempt", "N", &o->attempt, "of its Nth start (default: last)");
  c.OnRun([o, &context] { return RunLogs(context, *o); });
}

}  // namespace ccsched
