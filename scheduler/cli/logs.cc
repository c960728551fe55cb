// `ccsched logs`: a job's output, from its node.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"

namespace ccsched {
namespace {

struct LogsOptions {
  std::string job;
  bool follow = false;
  std::optional<int64_t> rank, attempt;
};

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
  return context.Fail(
      context.client().Logs(request, [&](std::string_view data) {
        context.out.write(data.data(), data.size());
        context.out.flush();
        return context.out.good();
      }));
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
