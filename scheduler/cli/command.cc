// The face over CLI11.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/nearest.h"
#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

// Errors of CLI11 in our words: "--nodes: …".
absl::Status ToStatus(const CLI::ParseError& e) {
  std::string what = e.what();
  if (!what.empty() && what.back() == '\n') what.pop_back();
  return absl::InvalidArgumentError(Printable(what, 500));
}

// Refuses what is not `what`, before CLI11 does so in words of its own.
template <typename T>
CLI::Validator Checked(const char* what) {
  return CLI::Validator(
      [what](std::string& given) -> std::string {
        T value;
        if (CLI::detail::lexical_cast(given, value)) {
          // What is too large has become the largest, or the smallest.
          using Limits = std::numeric_limits<T>;
          const bool fits = !std::is_integral_v<T> ||
                            (value != Limits::max() && value != Limits::min());
          if (fits) return "";
          return absl::StrCat("'", Printable(given), "' is out of range");
        }
        return absl::StrCat("'", Printable(given), "' must be ", what);
      },
      "");
}

// One option a line, wrapped by the reader's terminal, not by us.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(30);
    label("OPTIONS", "options");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty()
               ? ""
               : absl::StrCat(" ", option->get_option_text());
  }
  std::string make_footer(const CLI::App* app) const override {
    const std::string footer = app->get_footer();
    return footer.empty() ? "" : absl::StrCat(footer, "\n");
  }
};

}  // namespace

Command::Command(const std::string& name, const std::string& about)
    : owned_(std::make_unique<CLI::App>(about, name)),
      app_(owned_.get()),
      name_(name),
      about_(about) {
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->allow_extras();
  app_->set_help_flag("-h,--help", "show this help");
}

Command::Command(Command* parent, CLI::App* app, std::string name,
                 std::string about)
    : parent_(parent),
      app_(app),
      name_(std::move(name)),
      about_(std::move(about)) {}

Command::~Command() = default;

Command& Command::Sub(const std::string& name, const std::string& about,
                      const std::string& examples) {
  CLI::App* app = app_->add_subcommand(name, about);
  app->allow_extras();
  app->fallthrough();
  if (!examples.empty()) app->footer("Examples:\n" + examples);
  subs_.push_back(
      std::unique_ptr<Command>(new Command(this, app, name, about)));
  return *subs_.back();
}

template <typename T>
CLI::Option* Command::Add(const char* names, T* value,
                          const std::string& about) {
  return app_->add_option(names, *value, about);
}

void Command::Flag(const char* names, bool* value, const std::string& about) {
  app_->add_flag(names, *value, about);
}
void Command::Text(const char* names, const char* metavar,
                   std::optional<std::string>* value,
                   const std::string& about) {
  Add(names, value, about)->option_text(metavar)->take_last();
}
void Command::Text(const char* names, const char* metavar, std::string* value,
                   const std::string& about) {
  Add(names, value, about)->option_text(metavar)->take_last();
}
void Command::Number(const char* names, const char* metavar,
                     std::optional<int64_t>* value, const std::string& about) {
  Add(names, value, about)
      ->option_text(metavar)
      ->take_last()
      ->check(Checked<int64_t>("a whole number"));
}
void Command::Real(const char* names, const char* metavar,
                   std::optional<double>* value, const std::string& about) {
  Add(names, value, about)
      ->option_text(metavar)
      ->take_last()
      ->check(Checked<double>("a number"));
}
void Command::List(const char* names, const char* metavar,
                   std::vector<std::string>* values, const std::string& about) {
  Add(names, values, about)
      ->option_text(metavar)
      ->allow_extra_args(false)
      ->delimiter(',');
}
void Command::Repeated(const char* names, const char* metavar,
                       std::vector<std::string>* values,
                       const std::string& about) {
  Add(names, values, about)->option_text(metavar)->allow_extra_args(false);
}
void Command::Choice(const char* names, std::string* value,
                     const std::vector<std::string>& allowed,
                     const std::string& about) {
  Add(names, value, about)
      ->option_text(absl::StrJoin(allowed, "|"))
      ->take_last()
      ->check([allowed](const std::string& given) -> std::string {
        if (std::find(allowed.begin(), allowed.end(), given) != allowed.end()) {
          return "";
        }
        return absl::StrCat("'", given, "' must be ",
                            absl::StrJoin(allowed, ", "),
                            DidYouMean(given, allowed));
      });
}
void Command::Argument(const char* name, std::string* value, bool required,
                       const std::string& about) {
  Add(name, value, about)->required(required);
}
void Command::Arguments(const char* name, std::vector<std::string>* values,
                        bool required, const std::string& about) {
  Add(name, values, about)->required(required);
}

Command* Command::Deepest() {
  for (const auto& sub : subs_) {
    if (app_->got_subcommand(sub->app_)) return sub->Deepest();
  }
  return this;
}

std::vector<std::string> Command::SubNames() const {
  std::vector<std::string> names;
  for (const auto& sub : subs_) names.push_back(sub->name_);
  return names;
}

std::vector<std::string> Command::OptionNames() const {
  std::vector<std::string> names;
  for (const Command* at = this; at != nullptr; at = at->parent_) {
    for (const CLI::Option* option : at->app_->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        const std::string full = "--" + name;
        if (std::find(names.begin(), names.end(), full) == names.end()) {
          names.push_back(full);
        }
      }
    }
  }
  return names;
}

std::string Command::FullName() const {
  return parent_ == nullptr ? name_
                            : absl::StrCat(parent_->FullName(), " ", name_);
}

std::string Command::Help() const {
  const std::string full = FullName();
  // App::help would be that of the subcommand which was asked for.
  return app_->get_formatter()->make_help(
      app_, parent_ == nullptr ? name_ : full, CLI::AppFormatMode::Normal);
}

absl::Status Command::CheckRest(const std::vector<std::string>& extras) {
  const char* const hint =
      rest_ == nullptr
          ? ""
          : "; a program and its options, or a script's arguments, stand "
            "after '--'";
  for (const std::string& extra : extras) {
    const std::string shown = Printable(extra);
    if (absl::StartsWith(extra, "-") && extra.size() > 1) {
      const std::string name = extra.substr(0, extra.find('='));
      return absl::InvalidArgumentError(
          absl::StrCat("unknown option '", Printable(name), "'",
                       DidYouMean(name, OptionNames()), hint));
    }
    if (!subs_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown command '", shown, "'", DidYouMean(extra, SubNames())));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("too many arguments: '", shown, "' is one more than '",
                     FullName(), "' takes", hint));
  }
  return absl::OkStatus();
}

absl::StatusOr<Command*> Command::Parse(std::vector<std::string> args,
                                        std::string* help) {
  std::vector<std::string> rest;
  const auto dashes = std::find(args.begin(), args.end(), "--");
  const bool has_rest = dashes != args.end();
  if (has_rest) {
    rest.assign(dashes + 1, args.end());
    args.erase(dashes, args.end());
  }
  std::reverse(args.begin(), args.end());  // as CLI11 wants them
  absl::Status status;
  try {
    app_->parse(args);
  } catch (const CLI::CallForHelp&) {
    *help = Deepest()->Help();
    return nullptr;
  } catch (const CLI::ParseError& e) {
    status = ToStatus(e);
  }
  Command* command = Deepest();
  // A misspelt name is the likelier cause of whatever else went wrong.
  const auto extras = app_->remaining(true);
  if (absl::Status s = command->CheckRest(extras); !s.ok()) status = s;
  if (status.ok() && !command->runs()) {
    status = absl::InvalidArgumentError(absl::StrCat(
        "'", command->FullName(),
        "' needs a command: ", absl::StrJoin(command->SubNames(), ", ")));
  }
  if (status.ok() && has_rest) {
    if (command->rest_ == nullptr) {
      status = absl::InvalidArgumentError(
          absl::StrCat("'", command->FullName(), "' takes nothing after '--'"));
    } else {
      *command->rest_ = std::move(rest);
    }
  }
  if (status.ok()) return command;
  return absl::InvalidArgumentError(absl::StrCat(
      command->FullName(), ": ", absl::string_view(status.message()), "\nTry '",
      command->FullName(), " --help'."));
}

}  // namespace ccsched
