// What sbatch's options mean to us. Source: sbatch(1) of Slurm 22.05.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "scheduler/base/nearest.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"
#include "scheduler/cli/script_header.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

enum class Kind {
  kName,
  kTime,
  kNodes,
  kGpus,
  kGpusPerNode,
  kGres,
  kOutput,
  kArray,
  kDependency,
  kChdir,
  kExport,
  kSignal,
  kAccount,
  kHold,
  kDeadline,
  kPriority,
  kConstraint,
  kIgnored,      // changes nothing that we promise
  kIgnoredFlag,  // the same, without a value
  kRefused,      // would change what runs, or when
  kRefusedFlag,
};

struct SbatchOption {
  std::string_view name;
  char letter;  // 0: none
  Kind kind;
};

constexpr std::array kOptions = {
    SbatchOption{"job-name", 'J', Kind::kName},
    SbatchOption{"time", 't', Kind::kTime},
    SbatchOption{"nodes", 'N', Kind::kNodes},
    SbatchOption{"gpus", 'G', Kind::kGpus},
    SbatchOption{"gpus-per-node", 0, Kind::kGpusPerNode},
    SbatchOption{"gres", 0, Kind::kGres},
    SbatchOption{"output", 'o', Kind::kOutput},
    SbatchOption{"array", 'a', Kind::kArray},
    SbatchOption{"dependency", 'd', Kind::kDependency},
    SbatchOption{"chdir", 'D', Kind::kChdir},
    SbatchOption{"export", 0, Kind::kExport},
    SbatchOption{"signal", 0, Kind::kSignal},
    SbatchOption{"account", 'A', Kind::kAccount},
    SbatchOption{"hold", 'H', Kind::kHold},
    SbatchOption{"deadline", 0, Kind::kDeadline},
    SbatchOption{"priority", 0, Kind::kPriority},
    SbatchOption{"constraint", 'C', Kind::kConstraint},
    // The scheduler gives whole accelerators with their share of the node.
    SbatchOption{"ntasks", 'n', Kind::kIgnored},
    SbatchOption{"ntasks-per-node", 0, Kind::kIgnored},
    SbatchOption{"cpus-per-task", 'c', Kind::kIgnored},
    SbatchOption{"cpus-per-gpu", 0, Kind::kIgnored},
    SbatchOption{"mem", 0, Kind::kIgnored},
    SbatchOption{"mem-per-cpu", 0, Kind::kIgnored},
    SbatchOption{"mem-per-gpu", 0, Kind::kIgnored},
    SbatchOption{"tmp", 0, Kind::kIgnored},
    SbatchOption{"mail-type", 0, Kind::kIgnored},
    SbatchOption{"mail-user", 0, Kind::kIgnored},
    SbatchOption{"comment", 0, Kind::kIgnored},
    SbatchOption{"partition", 'p', Kind::kIgnored},
    SbatchOption{"qos", 'q', Kind::kIgnored},
    SbatchOption{"reservation", 0, Kind::kIgnored},
    SbatchOption{"error", 'e', Kind::kIgnored},
    SbatchOption{"open-mode", 0, Kind::kIgnored},
    SbatchOption{"gpu-bind", 0, Kind::kIgnored},
    SbatchOption{"cpu-freq", 0, Kind::kIgnored},
    SbatchOption{"hint", 0, Kind::kIgnored},
    SbatchOption{"distribution", 'm', Kind::kIgnored},
    SbatchOption{"nice", 0, Kind::kIgnored},
    SbatchOption{"profile", 0, Kind::kIgnored},
    SbatchOption{"acctg-freq", 0, Kind::kIgnored},
    SbatchOption{"verbose", 'v', Kind::kIgnoredFlag},
    SbatchOption{"quiet", 'Q', Kind::kIgnoredFlag},
    SbatchOption{"parsable", 0, Kind::kIgnoredFlag},
    SbatchOption{"requeue", 0, Kind::kIgnoredFlag},
    SbatchOption{"exclusive", 0, Kind::kIgnoredFlag},
    SbatchOption{"overcommit", 'O', Kind::kIgnoredFlag},
    SbatchOption{"get-user-env", 0, Kind::kIgnoredFlag},
    SbatchOption{"input", 'i', Kind::kRefused},
    SbatchOption{"begin", 'b', Kind::kRefused},
    SbatchOption{"nodelist", 'w', Kind::kRefused},
    SbatchOption{"exclude", 'x', Kind::kRefused},
    SbatchOption{"licenses", 'L', Kind::kRefused},
    SbatchOption{"gpus-per-task", 0, Kind::kRefused},
    SbatchOption{"gpus-per-socket", 0, Kind::kRefused},
    SbatchOption{"uid", 0, Kind::kRefused},
    SbatchOption{"gid", 0, Kind::kRefused},
    SbatchOption{"container", 0, Kind::kRefused},
    SbatchOption{"wrap", 0, Kind::kRefused},
    SbatchOption{"bb", 0, Kind::kRefused},
    SbatchOption{"cluster-constraint", 0, Kind::kRefused},
    SbatchOption{"clusters", 'M', Kind::kRefused},
    SbatchOption{"export-file", 0, Kind::kRefused},
    SbatchOption{"no-requeue", 0, Kind::kRefusedFlag},
    SbatchOption{"wait", 'W', Kind::kRefusedFlag},
    SbatchOption{"reboot", 0, Kind::kRefusedFlag},
};

bool TakesValue(Kind kind) {
  return kind != Kind::kHold && kind != Kind::kIgnoredFlag &&
         kind != Kind::kRefusedFlag;
}

absl::Status Bad(const std::string& option, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat("#SBATCH ", option, ": ", what));
}

// What --gres, --gpus and --gpus-per-node say, taken over at the line's end.
struct Gpus {
  std::string type;
  int64_t per_node = 0, in_all = 0;
};

// "4", "a100", "a100:4" of gres=gpu:… and --gpus.
absl::Status ReadGpus(const std::string& option, absl::string_view text,
                      std::string* type, int64_t* count) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  *count = 1;
  if (parts.size() == 2) {
    *type = parts[0];
    if (absl::SimpleAtoi(parts[1], count) && *count > 0)
      return absl::OkStatus();
  } else if (parts.size() == 1) {
    if (absl::SimpleAtoi(parts[0], count) && *count > 0)
      return absl::OkStatus();
    if (!parts[0].empty() && absl::ascii_isalpha(parts[0][0])) {
      *type = parts[0];
      *count = 1;
      return absl::OkStatus();
    }
  }
  return Bad(option, absl::StrCat("'", text, "' must be N or TYPE:N"));
}

class SbatchLine {
 public:
  SbatchLine(JobOptions* options, bool* export_all,
             std::vector<std::string>* ignored)
      : options_(*options), export_all_(export_all), ignored_(*ignored) {}

  absl::Status Apply(const SbatchOption& option, const std::string& shown,
                     const std::string& value) {
    switch (option.kind) {
      case Kind::kName:
        return options_.name = value, absl::OkStatus();
      case Kind::kTime:
        return SetTime(shown, value);
      case Kind::kNodes:
        return SetNodes(shown, value);
      case Kind::kGpus:
        return ReadGpus(shown, value, &gpus_.type, &gpus_.in_all);
      case Kind::kGpusPerNode:
        return ReadGpus(shown, value, &gpus_.type, &gpus_.per_node);
      case Kind::kGres:
        return SetGres(shown, value);
      case Kind::kOutput:
        return SetOutput(value);
      case Kind::kArray:
        return options_.array = value, absl::OkStatus();
      case Kind::kDependency:
        return SetDependency(shown, value);
      case Kind::kChdir:
        return options_.workdir = value, absl::OkStatus();
      case Kind::kExport:
        return SetExport(shown, value);
      case Kind::kSignal:
        return SetSignal(shown, value);
      case Kind::kAccount:
        return options_.project = value, absl::OkStatus();
      case Kind::kHold:
        return options_.hold = true, absl::OkStatus();
      case Kind::kDeadline:
        return options_.finish_by = value, absl::OkStatus();
      case Kind::kPriority:
        return SetPriority(shown, value);
      case Kind::kConstraint:
        options_.accelerator = absl::StrSplit(value, '|');
        return absl::OkStatus();
      case Kind::kIgnored:
      case Kind::kIgnoredFlag:
        ignored_.push_back(absl::StrCat("#SBATCH ", shown,
                                        " changes nothing "
                                        "here"));
        return absl::OkStatus();
      case Kind::kRefused:
      case Kind::kRefusedFlag:
        break;
    }
    return Bad(shown,
               "is not honoured here; remove it, or use what 'ccsched "
               "submit --help' has for it");
  }

  // Puts together what several options say about accelerators.
  void Finish() {
    if (!gpus_.type.empty()) options_.accelerator = {gpus_.type};
    if (gpus_.in_all > 0) options_.accelerators = gpus_.in_all;
    if (gpus_.per_node > 0) options_.accelerators_per_node = gpus_.per_node;
  }

 private:
  absl::Status SetTime(const std::string& shown, const std::string& value) {
    const auto limit = ParseSlurmTime(value);
    if (!limit.ok()) return Bad(shown, std::string(limit.status().message()));
    if (*limit == absl::InfiniteDuration()) {
      options_.time_limit.reset();
    } else {
      options_.time_limit = absl::StrCat(absl::ToInt64Seconds(*limit), "s");
    }
    return absl::OkStatus();
  }
  absl::Status SetNodes(const std::string& shown, const std::string& value) {
    int64_t nodes;
    const std::vector<std::string> ends = absl::StrSplit(value, '-');
    if (ends.size() > 2 || ends[0] != ends.back() ||
        !absl::SimpleAtoi(ends[0], &nodes)) {
      return Bad(shown, absl::StrCat("'", value, "' must be one number"));
    }
    options_.nodes = nodes;
    return absl::OkStatus();
  }
  absl::Status SetPriority(const std::string& shown, const std::string& value) {
    int64_t priority;
    if (!absl::SimpleAtoi(value, &priority)) {
      return Bad(shown, absl::StrCat("'", value, "' must be a whole number"));
    }
    options_.priority = priority;
    return absl::OkStatus();
  }
  absl::Status SetGres(const std::string& shown, const std::string& value) {
    for (absl::string_view part : absl::StrSplit(value, ',')) {
      if (part == "none") continue;
      if (part == "gpu") part = "gpu:1";
      if (!absl::StartsWith(part, "gpu:")) {
        return Bad(shown, absl::StrCat("'", part, "' is not gpu[:TYPE][:N]"));
      }
      part.remove_prefix(4);
      RETURN_IF_ERROR(ReadGpus(shown, part, &gpus_.type, &gpus_.per_node));
    }
    return absl::OkStatus();
  }
  // %A is the array's number; a job of an array has one of its own here.
  absl::Status SetOutput(const std::string& value) {
    std::string output = value;
    for (size_t i = 0; i + 1 < output.size(); ++i) {
      if (output[i] == '%' && output[i + 1] == 'A') output[i + 1] = 'j';
    }
    options_.output = output;
    return absl::OkStatus();
  }
  absl::Status SetDependency(const std::string& shown,
                             const std::string& value) {
    if (!absl::StartsWith(value, "afterok:") || absl::StrContains(value, '?') ||
        absl::StrContains(value, '+')) {
      return Bad(shown, absl::StrCat("'", value,
                                     "' must be afterok:JOB[:JOB]; other kinds "
                                     "are not honoured"));
    }
    for (absl::string_view part :
         absl::StrSplit(absl::string_view(value).substr(8), ',')) {
      if (absl::StartsWith(part, "afterok:")) part.remove_prefix(8);
      for (absl::string_view id : absl::StrSplit(part, ':')) {
        options_.after.push_back(std::string(id));
      }
    }
    return absl::OkStatus();
  }
  absl::Status SetExport(const std::string& shown, const std::string& value) {
    for (absl::string_view part : absl::StrSplit(value, ',')) {
      if (part == "ALL") {
        *export_all_ = true;
      } else if (part == "NIL") {
        return Bad(shown, "NIL is not honoured");
      } else if (part != "NONE") {
        options_.env.push_back(std::string(part));
      }
    }
    return absl::OkStatus();
  }
  // "[B:]SIGNAL[@SECONDS]": the seconds become the grace.
  absl::Status SetSignal(const std::string& shown, const std::string& value) {
    absl::string_view rest = value;
    if (absl::StartsWith(rest, "B:")) rest.remove_prefix(2);
    const std::vector<std::string> parts = absl::StrSplit(rest, '@');
    int64_t seconds = 60;  // sbatch's default
    if (parts.size() > 2 || parts[0].empty() || absl::StrContains(rest, ':') ||
        (parts.size() == 2 && (!absl::SimpleAtoi(parts[1], &seconds) ||
                               seconds < 0 || seconds > 65535))) {
      return Bad(shown,
                 absl::StrCat("'", value, "' must be [B:]SIGNAL[@SECONDS]"));
    }
    static constexpr std::pair<int, const char*> kNumbers[] = {
        {1, "HUP"},   {2, "INT"},   {3, "QUIT"}, {10, "USR1"},
        {12, "USR2"}, {15, "TERM"}, {18, "CONT"}};
    int number;
    options_.signal = parts[0];
    if (absl::SimpleAtoi(parts[0], &number)) {
      const auto* found =
          std::find_if(std::begin(kNumbers), std::end(kNumbers),
                       [&](const auto& n) { return n.first == number; });
      if (found == std::end(kNumbers)) {
        return Bad(shown, absl::StrCat("signal ", number, " is not honoured"));
      }
      options_.signal = found->second;
    }
    options_.grace = absl::StrCat(seconds, "s");
    return absl::OkStatus();
  }

  JobOptions& options_;
  bool* const export_all_;
  std::vector<std::string>& ignored_;
  Gpus gpus_;
};

const SbatchOption* Find(std::string_view name, char letter) {
  for (const SbatchOption& option : kOptions) {
    if (letter != 0 ? option.letter == letter : option.name == name) {
      return &option;
    }
  }
  return nullptr;
}

absl::Status Unknown(const std::string& word) {
  std::vector<std::string> known;
  known.reserve(std::size(kOptions));
  for (const SbatchOption& option : kOptions) {
    known.push_back(absl::StrCat("--", ToAbsl(option.name)));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("#SBATCH ", word, ": not an option that is known here",
                   DidYouMean(word, known)));
}

}  // namespace

absl::Status ApplySbatch(const std::vector<std::string>& words,
                         JobOptions* options, bool* export_all,
                         std::vector<std::string>* ignored) {
  SbatchLine line(options, export_all, ignored);
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool is_long = absl::StartsWith(word, "--");
    if (word.size() < 2 || word[0] != '-' || word == "--") {
      return absl::InvalidArgumentError(
          absl::StrCat("#SBATCH: '", word, "' is not an option"));
    }
    const size_t equals = is_long ? word.find('=') : std::string::npos;
    const std::string shown =
        is_long ? word.substr(0, equals) : word.substr(0, 2);
    const SbatchOption* option =
        is_long ? Find(std::string_view(shown).substr(2), 0)
                : Find("", word[1]);
    if (option == nullptr) return Unknown(shown);
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (!is_long && word.size() > 2) {
      value = word.substr(word[2] == '=' ? 3 : 2);
    } else if (TakesValue(option->kind)) {
      if (i + 1 == words.size()) return Bad(shown, "needs a value");
      value = words[++i];
    }
    RETURN_IF_ERROR(line.Apply(*option, shown, value));
  }
  line.Finish();
  return absl::OkStatus();
}

}  // namespace ccsched
