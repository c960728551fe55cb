// `ccsched completion bash|zsh|fish`: made from the commands themselves.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "scheduler/cli/commands.h"

namespace ccsched {
namespace {

// Every command's words: what may follow "ccsched sim", say.
void Collect(const Command& command, const std::string& path,
             std::vector<std::pair<std::string, std::string>>* words) {
  std::vector<std::string> next;
  for (const auto& sub : command.subs()) next.push_back(sub->name());
  for (const std::string& option : command.OptionNames()) {
    next.push_back(option);
  }
  words->emplace_back(path, absl::StrJoin(next, " "));
  for (const auto& sub : command.subs()) {
    Collect(*sub, absl::StrCat(path, path.empty() ? "" : " ", sub->name()),
            words);
  }
}

// zsh runs the same function by way of its own bashcompinit.
void PrintScript(const Command& root, bool zsh, std::ostream& out) {
  std::vector<std::pair<std::string, std::string>> words;
  Collect(root, "", &words);
  if (zsh)
    out << "#compdef ccsched\nautoload -U +X bashcompinit && "
           "bashcompinit\n";
  out << "_ccsched() {\n"
         "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" path='' word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$word\" in\n"
         "      --) return ;;\n"
         "      -*) ;;\n"
         "      *) case \"$path${path:+ }$word\" in\n";
  std::vector<std::string> paths;
  for (const auto& [path, next] : words) {
    if (!path.empty()) paths.push_back("'" + path + "'");
  }
  out << "           " << absl::StrJoin(paths, "|")
      << ") path=\"$path${path:+ }$word\" ;;\n"
         "         esac ;;\n"
         "    esac\n"
         "  done\n"
         "  local next=''\n"
         "  case \"$path\" in\n";
  for (const auto& [path, next] : words) {
    out << "    '" << path << "') next='" << next << "' ;;\n";
  }
  out << "  esac\n"
         "  COMPREPLY=($(compgen -W \"$next\" -- \"$cur\"))\n"
         "  case \"$cur\" in -*) ;; *) COMPREPLY+=($(compgen -f -- "
         "\"$cur\")) ;; esac\n"
         "}\n"
         "complete -o filenames -F _ccsched ccsched\n";
}

// In single quotes, as fish reads them.
std::string Quoted(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// One line for each command and option below `command`.
void PrintFish(const Command& command, const std::string& condition,
               std::ostream& out) {
  for (const auto& sub : command.subs()) {
    out << "complete -c ccsched -f -n " << Quoted(condition) << " -a "
        << Quoted(sub->name()) << " -d " << Quoted(sub->about()) << "\n";
  }
  for (const std::string& option : command.OptionNames()) {
    out << "complete -c ccsched -n " << Quoted(condition) << " -l "
        << option.substr(2) << "\n";
  }
  for (const auto& sub : command.subs()) {
    std::string below =
        absl::StrCat("__fish_seen_subcommand_from ", sub->name());
    if (!sub->subs().empty()) {
      std::vector<std::string> names;
      for (const auto& s : sub->subs()) names.push_back(s->name());
      const std::string any = absl::StrJoin(names, " ");
      absl::StrAppend(&below, "; and not __fish_seen_subcommand_from ", any);
    }
    PrintFish(*sub, below, out);
  }
}

}  // namespace

void AddCompletion(Command& root, Context& context) {
  auto shell = std::make_shared<std::string>();
  Command& c = root.Sub("completion", "print a completion script for a shell",
                        "  source <(ccsched completion bash)\n"
                        "  ccsched completion zsh > ~/.zfunc/_ccsched\n"
                        "  ccsched completion fish > "
                        "~/.config/fish/completions/ccsched.fish");
  c.Argument("SHELL", shell.get(), true, "bash, zsh or fish");
  c.OnRun([shell, &root, &context] {
    if (*shell == "fish") {
      PrintFish(root, "__fish_use_subcommand", context.out);
      return static_cast<int>(kExitDone);
    }
    if (*shell != "bash" && *shell != "zsh") {
      return context.Wrong(
          absl::StrCat("completion: '", *shell, "' must be bash, zsh or fish"));
    }
    PrintScript(root, *shell == "zsh", context.out);
    return static_cast<int>(kExitDone);
  });
}

}  // namespace ccsched
