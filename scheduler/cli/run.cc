// The command line: all commands, what is common to them, and the dispatch.
// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "absl/strings/str_cat.h"
#include "scheduler/cli/commands.h"

namespace ccsched {
namespace {

constexpr char kAbout[] =
    "A carbon-aware job scheduler: jobs run when and where the grid is "
    "cleanest, within\nwhat you promise.\n\n"
    "Exit status: 0 done; 1 what was asked for failed; 2 the request was "
    "wrong; 3 the\nscheduler could not be reached; with --wait, the job's own.";

struct Globals {
  std::string colour = "auto";
};

void ApplyColour(const std::string& mode, Context& context) {
  if (mode == "auto") {
    context.out_colour = context.out_terminal &&
                         context.env("NO_COLOR").empty() &&
                         context.env("TERM") != "dumb";
  } else {
    context.out_colour = mode == "always";
  }
}

}  // namespace

int RunCommandLine(std::vector<std::string> args, Context& context) {
  Globals globals;
  Command root("ccsched", kAbout);
  root.Text("--address", "ADDRESS", &context.address,
            "the scheduler: host:port or unix:/path (CCSCHED_ADDRESS)");
  root.Text("--tls-ca", "FILE", &context.tls_ca,
            "use TLS; who signed the scheduler's certificate "
            "(CCSCHED_TLS_CA)");
  root.Text("--tls-certificate", "FILE", &context.tls_certificate,
            "your own certificate, where the scheduler asks for one "
            "(CCSCHED_TLS_CERTIFICATE)");
  root.Text("--tls-key", "FILE", &context.tls_key, "its key (CCSCHED_TLS_KEY)");
  root.Choice("--color", &globals.colour, {"auto", "always", "never"},
              "colour; auto honours NO_COLOR");
  bool version = false;
  root.Flag("--version", &version, "print the version");
  AddSubmit(root, context);
  AddQueue(root, context);
  AddShow(root, context);
  AddWhy(root, context);
  AddLogs(root, context);
  AddJobVerbs(root, context);
  AddCheckpoint(root, context);
  AddWait(root, context);
  AddSites(root, context);
  AddNodes(root, context);
  AddForecast(root, context);
  AddPolicy(root, context);
  AddProjects(root, context);
  AddAudit(root, context);
  AddReport(root, context);
  AddFootprint(root, context);
  AddSim(root, context);
  AddDev(root, context);
  AddCompletion(root, context);
  AddManual(root, context);
  AddVersion(root, context);
  root.OnRun([&] {
    if (version) {
      context.out << "ccsched " << CCSCHED_VERSION << "\n";
      return static_cast<int>(kExitDone);
    }
    context.err << root.Help();
    return static_cast<int>(kExitWrong);
  });

  std::string help;
  const absl::StatusOr<Command*> command = root.Parse(std::move(args), &help);
  if (!command.ok()) {
    // The message begins with the command's name already.
    context.Say(std::string(command.status().message()));
    return kExitWrong;
  }
  if (*command == nullptr) {
    context.out << help;
    return kExitDone;
  }
  ApplyColour(globals.colour, context);
  const int code = (*command)->Run();
  context.out.flush();
  if (!context.out.good() && code == kExitDone) {
    context.err << "ccsched: the output could not be written\n";
    return kExitFailed;
  }
  return code;
}

}  // namespace ccsched
