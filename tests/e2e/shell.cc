// Runs commands as a user would.
// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/shell.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace ccsched::testing {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

[[noreturn]] void Become(const std::vector<std::string>& argv,
                         const std::string& dir,
                         const std::vector<std::string>& env,
                         const std::string& out, const std::string& err) {
  constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
  if (chdir(dir.c_str()) != 0) _exit(126);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(open(out.c_str(), kNew, 0644), STDOUT_FILENO);
  dup2(open(err.c_str(), kNew, 0644), STDERR_FILENO);
  for (const std::string& entry : env) {
    const size_t equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
  }
  std::vector<char*> args;
  for (const std::string& arg : argv) {
    args.push_back(const_cast<char*>(arg.c_str()));
  }
  args.push_back(nullptr);
  execvp(args[0], args.data());
  _exit(127);
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& argv,
                         const std::string& dir,
                         const std::vector<std::string>& env) {
  const std::string out = dir + "/.stdout", err = dir + "/.stderr";
  const pid_t pid = fork();
  if (pid == 0) Become(argv, dir, env, out, err);
  int status = 0;
  waitpid(pid, &status, 0);
  CommandResult result;
  result.status =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = ReadAll(out);
  result.err = ReadAll(err);
  return result;
}

}  // namespace ccsched::testing
