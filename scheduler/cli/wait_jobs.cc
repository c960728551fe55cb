// Watches jobs until all have ended.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/wait_jobs.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "absl/time/clock.h"
#include "scheduler/cli/job_text.h"

namespace ccsched {

absl::StatusOr<std::map<uint64_t, v1::Job>> WaitForJobs(
    Context& context, const std::vector<uint64_t>& asked,
    absl::Duration patience) {
  const std::set<uint64_t> ids(asked.begin(), asked.end());
  std::map<uint64_t, v1::Job> ended;
  std::map<uint64_t, v1::JobState> seen;
  absl::Time lost_since = absl::InfiniteFuture();
  absl::Duration pause = absl::Milliseconds(100);
  bool told = false;
  while (ended.size() < ids.size()) {
    v1::WatchJobsRequest request;
    for (const uint64_t id : ids) {
      if (!ended.contains(id)) request.add_job_ids(id);
    }
    const absl::Status status =
        context.client().Watch(request, [&](const v1::Job& job) {
          lost_since = absl::InfiniteFuture();
          pause = absl::Milliseconds(100);
          told = false;
          if (context.err_terminal && seen[job.id()] != job.state()) {
            context.err << "job " << job.id() << " " << StateName(job.state())
                        << "\n";
          }
          seen[job.id()] = job.state();
          if (HasEnded(job.state())) ended[job.id()] = job;
          return ended.size() < ids.size();
        });
    if (ended.size() == ids.size()) break;
    // A stream that ends too early was cut by a scheduler that stops.
    if (!status.ok() && ExitCodeOf(status) != kExitUnreachable) return status;
    if (seen.empty() && !status.ok()) return status;  // It never was there.
    lost_since = std::min(lost_since, absl::Now());
    if (absl::Now() - lost_since > patience) {
      return status.ok() ? absl::UnavailableError(
                               "the scheduler ends every watch at once")
                         : status;
    }
    if (!told) {
      context.err << "ccsched: lost the scheduler; trying again for "
                  << absl::FormatDuration(patience) << "\n";
      told = true;
    }
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Seconds(2));
  }
  return ended;
}

int ExitCodeOfJobs(const std::map<uint64_t, v1::Job>& jobs) {
  for (const auto& [id, job] : jobs) {
    if (const int code = ExitCodeOfJob(job); code != 0) return code;
  }
  return 0;
}

}  // namespace ccsched
