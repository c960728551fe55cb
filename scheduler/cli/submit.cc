// `ccsched submit`: a command, a script or a YAML file becomes a job.
// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/encoding.h"
#include "scheduler/base/status.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/interrupt.h"
#include "scheduler/cli/job_options.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/offers.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/script_header.h"
#include "scheduler/cli/wait_jobs.h"
#include "scheduler/wire/convert.h"
#include "scheduler/wire/text.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {
namespace {

constexpr size_t kScriptBytesMax = 512 << 10;

struct SubmitOptions {
  JobOptions job;
  std::string file;
  std::vector<std::string> rest;
  std::string user;
  bool dry_run = false, wait = false, yes = false, parsable = false;
  std::string format = "table";
};

absl::StatusOr<std::string> ReadScript(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", std::strerror(errno),
                       "; to run a program, write it after '--'"));
    }
  }
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a directory, not a script"));
  }
  std::istream& in = path == "-" ? std::cin : file;
  // No more is read than it may have: some files have no end.
  std::string script(kScriptBytesMax + 1, 0);
  in.read(script.data(), static_cast<std::streamsize>(script.size()));
  script.resize(in.gcount());
  if (script.size() > kScriptBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": a script has at most ", kScriptBytesMax, " bytes"));
  }
  ASSIGN_OR_RETURN(const std::string_view text,
                   WithoutByteOrderMark(script, path));
  if (!text.starts_with("#!")) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": not a script: its first line must be #! and its interpreter; "
        "to run a program, write it after '--'"));
  }
  const std::string_view first = text.substr(0, text.find('\n'));
  if (first.ends_with('\r')) {
    // The kernel would look for an interpreter of that name.
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ":1: the line ends in a carriage return, as on Windows; remove them "
        "all, by: sed -i 's/\\r$//' ",
        path == "-" ? "FILE" : path));
  }
  return std::string(text);
}

// What is handed on of the user's environment by --export=ALL: all but what
// names the way to this scheduler. What is given by --env goes over it.
void ExportAll(const JobOptions& options, v1::JobSpec* job) {
  job->set_env_exported(true);
  for (const std::string& given : options.env) {
    job->add_env_given(given.substr(0, given.find('=')));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 ||
        absl::StartsWith(text, "CCSCHED_")) {
      continue;
    }
    (*job->mutable_env())[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

std::string Basename(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

absl::Status ReadJobYaml(const std::string& file, JobOptions* options,
                         v1::JobSpec* job) {
  YamlSource source;
  const absl::Status read = ReadYamlFile(file, *job, &source);
  if (absl::IsNotFound(read)) {
    return absl::InvalidArgumentError(read.message());
  }
  RETURN_IF_ERROR(read);
  for (const std::string_view field : kForNoFile) {
    const std::string ours(field);
    if (!source.lines.contains(ours)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(source.At(ours), ": ", ours,
                     " is not for a file; write the variables under env"));
  }
  if (job->command_size() > 0 && !job->script().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.At("command"),
                     ": command: a script is given too; give one of the two"));
  }
  // "finish_by: +3h" is resolved as the flag is.
  if (!options->finish_by && !job->finish_by_text().empty()) {
    options->finish_by = job->finish_by_text();
  }
  // "command: python train.py" is a line for the shell.
  if (job->command_size() == 1 &&
      job->command(0).find(' ') != std::string::npos) {
    const std::string line = job->command(0);
    job->clear_command();
    for (const char* word : {"/bin/sh", "-c"}) job->add_command(word);
    job->add_command(line);
  }
  return absl::OkStatus();
}

bool IsYaml(const std::string& file) {
  return absl::EndsWith(file, ".yaml") || absl::EndsWith(file, ".yml");
}

// Returns the header of a script; an empty one of what has none.
absl::StatusOr<ScriptHeader> ReadFile(const std::string& file, Context& context,
                                      JobOptions* options, v1::JobSpec* job) {
  if (IsYaml(file)) {
    RETURN_IF_ERROR(ReadJobYaml(file, options, job));
    return ScriptHeader();
  }
  ASSIGN_OR_RETURN(const std::string script, ReadScript(file));
  job->set_script(script);
  ASSIGN_OR_RETURN(ScriptHeader header, ReadScriptHeader(script, file));
  for (const std::string& warning : header.warnings) {
    context.err << "ccsched: " << warning << "\n";
  }
  LayOver(*options, &header.options);
  *options = std::move(header.options);
  if (header.export_all) ExportAll(*options, job);
  return header;
}

void FillDefaults(const std::string& file, v1::JobSpec* job) {
  if (job->name().empty()) {
    // A name of our making is never what is wrong.
    const bool script = !job->script().empty() || job->command_size() == 0;
    job->set_name(Printable(!script       ? Basename(job->command(0))
                            : file == "-" ? "stdin"
                                          : Basename(file)));
  }
  if (job->workdir().empty()) {
    char here[4096];
    if (getcwd(here, sizeof(here)) != nullptr) job->set_workdir(here);
  } else if (job->workdir()[0] != '/') {
    char here[4096];
    if (getcwd(here, sizeof(here)) != nullptr) {
      job->set_workdir(absl::StrCat(here, "/", job->workdir()));
    }
  }
  if (job->user().empty()) {
    if (const passwd* entry = getpwuid(geteuid()))
      job->set_user(entry->pw_name);
  }
}

absl::StatusOr<v1::JobSpec> MakeJob(SubmitOptions* o, Context& context) {
  v1::JobSpec job;
  if (o->file.empty() && o->rest.empty()) {
    return absl::InvalidArgumentError(
        "submit: there is nothing to run; give a script, a YAML file or "
        "'-- COMMAND'");
  }
  if (IsYaml(o->file) && !o->rest.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        o->file,
        ": a job in YAML says itself what it runs; nothing may stand "
        "after '--'"));
  }
  // Before the file is read: what it says, in its header or as YAML, is
  // overruled by both.
  const std::string project = context.env("CCSCHED_PROJECT");
  if (!o->job.project && !project.empty()) o->job.project = project;
  ScriptHeader header;
  if (!o->file.empty()) {
    ASSIGN_OR_RETURN(header, ReadFile(o->file, context, &o->job, &job));
  }
  if (!o->rest.empty()) {
    job.mutable_command()->Assign(o->rest.begin(), o->rest.end());
  }
  const NowFunction now = [&]() -> absl::StatusOr<absl::Time> {
    ASSIGN_OR_RETURN(const v1::StatusResponse status,
                     context.client().Status());
    return FromProto(status.now());
  };
  const absl::Status applied = ApplyJobOptions(
      o->job, now, absl::LocalTimeZone(),
      [](const char* n) { return getenv(n); }, &job);
  if (!applied.ok()) return header.Located(applied);
  if (!o->user.empty()) job.set_user(o->user);
  FillDefaults(o->file, &job);
  RETURN_IF_ERROR(CheckJob(job).status());
  return job;
}

// Shows the offers and asks, on a terminal; elsewhere the answer is yes.
absl::StatusOr<bool> Confirm(const v1::JobSpec& job, Context& context) {
  v1::PreviewRequest request;
  *request.mutable_job() = job;
  const auto preview = context.client().Preview(request);
  if (!preview.ok()) return preview.status();
  AskWithOffers(*preview, context);
  context.err << "\nSubmit? [Y/n] " << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;
  absl::AsciiStrToLower(&answer);
  return answer.empty() || answer == "y" || answer == "yes";
}

void PrintSubmitted(const v1::SubmitResponse& response, const SubmitOptions& o,
                    Context& context) {
  const uint64_t first = response.job_id();
  const uint64_t last = first + std::max(response.jobs(), 1u) - 1;
  if (o.format != "table") {
    Record record;
    record.Add("job_id", first);
    record.Add("last_job_id", last);
    record.Add("jobs", std::max(response.jobs(), 1u));
    record.Add("existed", response.existed());
    record.Add("warning", response.warning());
    if (o.format == "csv") return PrintCsv(context, record, {record});
    return PrintJson(context.out, "submitted", record);
  }
  if (o.parsable) {
    context.out << first << "\n";
  } else if (first == last) {
    context.out << "Submitted job " << first << "\n";
  } else {
    context.out << "Submitted job " << first << " (an array of "
                << response.jobs() << ", to " << last << ")\n";
  }
  context.out.flush();
  if (!response.warning().empty()) {
    context.err << "ccsched: " << Printable(response.warning(), 1000) << "\n";
  }
  if (response.existed()) {
    context.err << "ccsched: this key was submitted before; nothing new was "
                   "made\n";
  }
}

// What goes on when who waits for it is interrupted.
std::string GoesOn(const v1::SubmitResponse& response) {
  const uint64_t first = response.job_id();
  if (response.jobs() <= 1) {
    return absl::StrCat("job ", first, " goes on; 'ccsched cancel ", first,
                        "' ends it");
  }
  return absl::StrCat("the jobs go on; 'ccsched cancel ", first, "-",
                      first + response.jobs() - 1, "' ends them");
}

int RunSubmit(Context& context, SubmitOptions& o) {
  std::optional<Interrupt> interrupt;
  if (o.wait) interrupt.emplace(context);
  const auto job = MakeJob(&o, context);
  if (!job.ok()) return context.Fail(job.status());
  if (o.dry_run) {
    v1::PreviewRequest request;
    *request.mutable_job() = *job;
    const auto preview = context.client().Preview(request);
    if (!preview.ok()) return context.Fail(preview.status());
    PrintOffers(*preview, o.format, context);
    if (!job->array().empty()) {
      context.Say(
          "ccsched: these are for one job of the array; each is "
          "placed by itself");
    }
    return kExitDone;
  }
  const bool asks = context.in_terminal && context.err_terminal && !o.yes &&
                    !o.parsable && o.format == "table" && o.file != "-";
  if (asks) {
    const auto confirmed = Confirm(*job, context);
    if (!confirmed.ok()) return context.Fail(confirmed.status());
    if (!*confirmed) {
      context.err << "ccsched: not submitted\n";
      return kExitFailed;
    }
  }
  v1::SubmitRequest request;
  *request.mutable_job() = *job;
  const auto response = context.client().Submit(request);
  if (!response.ok()) return context.Fail(response.status());
  if (interrupt) {
    interrupt->set_last_words([text = GoesOn(*response)] { return text; });
  }
  PrintSubmitted(*response, o, context);
  if (!o.wait) return kExitDone;
  std::vector<uint64_t> ids;
  for (uint32_t i = 0; i < std::max(response->jobs(), 1u); ++i) {
    ids.push_back(response->job_id() + i);
  }
  const auto ended = WaitForJobs(context, ids);
  if (!ended.ok()) return context.Fail(ended.status());
  return ExitCodeOfJobs(*ended);
}

}  // namespace

void AddSubmit(Command& root, Context& context) {
  auto o = std::make_shared<SubmitOptions>();
  Command& c = root.Sub(
      "submit", "submit a job: a command, a script or a YAML file",
      "  ccsched submit -- python train.py --epochs 3\n"
      "  ccsched submit --accelerators 8 --accelerator a100,v100 \\\n"
      "      --runtime 4h --finish-by 'tomorrow 08:00' -- ./train.sh\n"
      "  ccsched submit job.sh           # with #CCSCHED or #SBATCH lines\n"
      "  ccsched submit job.sh -- --lr 0.1   # its arguments\n"
      "  ccsched submit job.yaml --site oslo\n"
      "  ccsched submit --dry-run --max-delay 12h -- ./train.sh\n"
      "  ccsched submit --wait -- make test   # exits as the job does\n"
      "\nA flag goes over the environment (CCSCHED_PROJECT), that over the "
      "file.");
  c.Argument("FILE", &o->file, false,
             "a script (- for standard input) or a .yaml file");
  c.TakesRest(&o->rest);
  AddJobOptions(c, &o->job);
  c.Text("--user", "USER", &o->user,
         "whose job it is (default: yours, by your name on this machine)");
  c.Flag("--dry-run", &o->dry_run,
         "show where and when it would run, and what that emits; submit "
         "nothing");
  c.Flag("--wait", &o->wait,
         "wait for its end and exit as it does (128 + signal; 124 if timed "
         "out)");
  c.Flag("-y,--yes", &o->yes, "do not ask");
  c.Flag("--parsable", &o->parsable, "print the job's number alone");
  AddFormat(c, &o->format);
  c.OnRun([o, &context] { return RunSubmit(context, *o); });
}

}  // namespace ccsched
