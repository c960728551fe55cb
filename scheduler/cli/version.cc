// `ccsched version`: ours, and the scheduler's if it is asked for.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"

namespace ccsched {
namespace {

struct VersionOptions {
  bool scheduler = false;
  std::string format = "table";
};

int RunVersion(Context& context, const VersionOptions& o) {
  Record record;
  record.Add("version", CCSCHED_VERSION);
  if (o.scheduler) {
    const auto status = context.client().Status();
    if (!status.ok()) return context.Fail(status.status());
    record.Add("address", context.Address());
    record.Add("scheduler_version", status->version());
    record.AddTime("now", status->has_now(), status->now());
    record.Add("clock_rate", status->clock_rate());
    record.Add("policy", status->policy());
    record.Add("jobs_live", status->jobs_live());
    record.Add("last_job_id", status->last_job_id());
  }
  if (o.format == "json") {
    PrintJson(context.out, "version", record);
  } else if (o.format == "csv") {
    PrintCsv(context, record, {record});
  } else {
    context.out << "ccsched " << CCSCHED_VERSION << "\n";
    if (o.scheduler) {
      const auto names = record.Names();
      const auto values = record.CsvFields();
      for (size_t i = 1; i < names.size(); ++i) {
        context.out << names[i] << " " << values[i] << "\n";
      }
    }
  }
  return kExitDone;
}

}  // namespace

void AddVersion(Command& root, Context& context) {
  auto o = std::make_shared<VersionOptions>();
  Command& c = root.Sub("version", "print the version",
                        "  ccsched version\n  ccsched version --scheduler");
  c.Flag("--scheduler", &o->scheduler,
         "the scheduler's too, with its address, clock and policy");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunVersion(context, *o); });
}

}  // namespace ccsched
