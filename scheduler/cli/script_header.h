// The #CCSCHED and #SBATCH lines at the head of a script.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_SCRIPT_HEADER_H_
#define CCSCHED_SCHEDULER_CLI_SCRIPT_HEADER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "scheduler/cli/job_options.h"

namespace ccsched {

struct ScriptHeader {
  JobOptions options;                 // #CCSCHED over #SBATCH
  bool export_all = false;            // --export=ALL
  std::vector<std::string> warnings;  // "job.sh:4: --mail-type is ignored…"
  // What each #CCSCHED line says, and where: "job.sh:3: ".
  std::vector<std::pair<std::string, JobOptions>> lines;

  // Why ApplyJobOptions failed, with the line that is to blame, if one is.
  absl::Status Located(const absl::Status& why) const;
};

// Reads the lines before the first command, as sbatch does. `file` is for
// messages. Errors: InvalidArgument "job.sh:3: …" for what can't be honoured:
// unknown options, or sbatch options that would change what the job does. What
// the values of our own mean, ApplyJobOptions finds out.
absl::StatusOr<ScriptHeader> ReadScriptHeader(std::string_view script,
                                              std::string_view file);

// The words of a line as a shell splits them: blanks, '…', "…", \x; a # at
// the start of a word begins a comment. Errors: InvalidArgument for a quote
// that is not closed.
absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line);

// Lays one line's sbatch options over `options`; sets `export_all`. Options
// that change nothing here are named in `ignored`. Errors: InvalidArgument.
absl::Status ApplySbatch(const std::vector<std::string>& words,
                         JobOptions* options, bool* export_all,
                         std::vector<std::string>* ignored);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_SCRIPT_HEADER_H_
