// All commands, one file each. Every Add… hangs a command below `root`.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_COMMANDS_H_
#define CCSCHED_SCHEDULER_CLI_COMMANDS_H_

#include "scheduler/cli/command.h"
#include "scheduler/cli/context.h"

namespace ccsched {

// What `context` is must outlive `root`.
void AddSubmit(Command& root, Context& context);
void AddQueue(Command& root, Context& context);
void AddShow(Command& root, Context& context);
void AddWhy(Command& root, Context& context);
void AddLogs(Command& root, Context& context);
void AddJobVerbs(Command& root,
                 Context& context);  // cancel hold release resize
void AddCheckpoint(Command& root, Context& context);  // for a job's own use
void AddWait(Command& root, Context& context);
void AddSites(Command& root, Context& context);
void AddNodes(Command& root, Context& context);  // nodes drain undrain
void AddForecast(Command& root, Context& context);
void AddPolicy(Command& root, Context& context);
void AddProjects(Command& root, Context& context);
void AddAudit(Command& root, Context& context);
void AddReport(Command& root, Context& context);
void AddFootprint(Command& root, Context& context);
void AddSim(Command& root, Context& context);
void AddDev(Command& root, Context& context);
void AddCompletion(Command& root, Context& context);
void AddManual(Command& root, Context& context);
void AddVersion(Command& root, Context& context);

// The whole command line; returns the exit status.
int RunCommandLine(std::vector<std::string> args, Context& context);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_COMMANDS_H_
