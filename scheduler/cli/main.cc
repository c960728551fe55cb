// `ccsched`, the command line.
// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "scheduler/cli/commands.h"

int main(int argc, char** argv) {
  // gRPC logs to standard error; an unreachable scheduler is told once, by us.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  ccsched::Context context(std::cout, std::cerr);
  context.in_terminal = isatty(STDIN_FILENO) == 1;
  context.out_terminal = isatty(STDOUT_FILENO) == 1;
  context.err_terminal = isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    context.out_width = size.ws_col;
  }
  // Who exports it knows better than the terminal.
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const int width = std::atoi(columns);
    if (width > 20) context.out_width = width;
  }
  context.env = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  return ccsched::RunCommandLine({argv + 1, argv + argc}, context);
}
