// One command of the command line: its options, its help, what it does.
// SPDX-License-Identifier: Apache-2.0
//
//   Command& queue = root.Sub("queue", "list jobs", "ccsched queue --all");
//   queue.Flag("-a,--all", &options->all, "ended jobs too");
//   queue.OnRun([=, &context] { return RunQueue(context, *options); });
//
// A thin face over CLI11, whose header is slow to compile: only command.cc
// includes it.
#ifndef CCSCHED_SCHEDULER_CLI_COMMAND_H_
#define CCSCHED_SCHEDULER_CLI_COMMAND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ccsched {

class Command {
 public:
  // The root of all commands.
  Command(const std::string& name, const std::string& about);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // A command below this one. `examples` are lines of `--help`.
  Command& Sub(const std::string& name, const std::string& about,
               const std::string& examples = "");

  // Options. `names` is "-a,--all"; `metavar` stands for the value in --help.
  // What they point to must outlive the parse. Lists are repeated or separated
  // by commas, but for Repeated, whose values keep their commas.
  void Flag(const char* names, bool* value, const std::string& about);
  void Text(const char* names, const char* metavar,
            std::optional<std::string>* value, const std::string& about);
  void Text(const char* names, const char* metavar, std::string* value,
            const std::string& about);
  void Number(const char* names, const char* metavar,
              std::optional<int64_t>* value, const std::string& about);
  void Real(const char* names, const char* metavar,
            std::optional<double>* value, const std::string& about);
  void List(const char* names, const char* metavar,
            std::vector<std::string>* values, const std::string& about);
  void Repeated(const char* names, const char* metavar,
                std::vector<std::string>* values, const std::string& about);
  // One of the words of `allowed`.
  void Choice(const char* names, std::string* value,
              const std::vector<std::string>& allowed,
              const std::string& about);
  // What is given without a name, in order.
  void Argument(const char* name, std::string* value, bool required,
                const std::string& about);
  void Arguments(const char* name, std::vector<std::string>* values,
                 bool required, const std::string& about);

  // What runs once this command was given. Returns the exit status.
  void OnRun(std::function<int()> run) { run_ = std::move(run); }
  // Takes what follows "--" on the command line.
  void TakesRest(std::vector<std::string>* rest) { rest_ = rest; }

  // Parses; returns the command that was asked for, or null if only help was
  // (then it has been printed to `help`). Errors: InvalidArgument, with the
  // nearest name of what does not exist.
  absl::StatusOr<Command*> Parse(std::vector<std::string> args,
                                 std::string* help);

  const std::string& name() const { return name_; }
  const std::string& about() const { return about_; }
  std::string FullName() const;  // "ccsched forecast push"
  std::string Help() const;
  const std::vector<std::unique_ptr<Command>>& subs() const { return subs_; }
  std::vector<std::string> OptionNames() const;  // "--all", with parents'
  int Run() { return run_ ? run_() : 0; }
  bool runs() const { return run_ != nullptr; }

 private:
  Command(Command* parent, CLI::App* app, std::string name, std::string about);
  template <typename T>
  CLI::Option* Add(const char* names, T* value, const std::string& about);
  Command* Deepest();
  absl::Status CheckRest(const std::vector<std::string>& extras);
  std::vector<std::string> SubNames() const;

  Command* const parent_ = nullptr;
  std::unique_ptr<CLI::App> owned_;
  CLI::App* app_;
  const std::string name_;
  const std::string about_;
  std::vector<std::unique_ptr<Command>> subs_;
  std::vector<std::string>* rest_ = nullptr;
  std::function<int()> run_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_COMMAND_H_
