// `ccsched manual`: the manual page, made from every command's own help.
// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "scheduler/cli/commands.h"

namespace ccsched {
namespace {

// As roff text: backslashes and hyphens as they are, no line taken for a
// request.
std::string Roff(absl::string_view text) {
  std::string out;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, ".") || absl::StartsWith(line, "'")) {
      out += "\\&";
    }
    for (const char c : line) {
      if (c == '\\') {
        out += "\\e";
      } else if (c == '-') {
        out += "\\-";
      } else {
        out += c;
      }
    }
    out += '\n';
  }
  return out;
}

void PrintCommand(const Command& command, std::ostream& out) {
  out << ".SS " << Roff(command.FullName()) << ".nf\n"
      << Roff(absl::StripAsciiWhitespace(command.Help())) << ".fi\n";
  for (const auto& sub : command.subs()) PrintCommand(*sub, out);
}

void PrintManual(const Command& root, std::ostream& out) {
  out << ".TH CCSCHED 1 \"\" \"ccsched " << CCSCHED_VERSION
      << "\" \"User Commands\"\n"
         ".SH NAME\nccsched \\- a carbon\\-aware job scheduler\n"
         ".SH SYNOPSIS\n.B ccsched\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n"
         ".SH DESCRIPTION\n"
      << Roff(root.about()) << ".SH OPTIONS\n.nf\n"
      << Roff(absl::StripAsciiWhitespace(root.Help())) << ".fi\n"
      << ".SH COMMANDS\n";
  for (const auto& sub : root.subs()) PrintCommand(*sub, out);
  out << ".SH ENVIRONMENT\n"
         ".TP\n.B CCSCHED_ADDRESS\nwhere the scheduler is; \\-\\-address goes "
         "over it\n"
         ".TP\n.B CCSCHED_TLS_CA, CCSCHED_TLS_CERTIFICATE, CCSCHED_TLS_KEY\n"
         "PEM files for a scheduler that uses TLS\n"
         ".TP\n.B CCSCHED_PROJECT\nwhose account jobs are on\n"
         ".TP\n.B CCSCHED_DEV_DIR\nthe folder of the embedded cluster\n"
         ".TP\n.B NO_COLOR\nno colours\n"
         ".SH SEE ALSO\n.BR ccschedd (8),\n.BR ccsched\\-agent (8)\n";
}

}  // namespace

void AddManual(Command& root, Context& context) {
  Command& c = root.Sub("manual", "print the manual page",
                        "  ccsched manual | man -l -\n"
                        "  ccsched manual > ccsched.1");
  c.OnRun([&root, &context] {
    PrintManual(root, context.out);
    return static_cast<int>(kExitDone);
  });
}

}  // namespace ccsched
