// Runs a scenario from the command line of the benchmarks: `ccsched sim run`
// without the command line's other parts.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <iostream>
#include <string>

#include "sim/command.h"

int main(int argc, char** argv) {
  ccsched::SimRunOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--bound") {
      options.bound = true;
    } else if (arg == "--policy" && more) {
      options.policies.emplace_back(argv[++i]);
    } else if (arg == "--set" && more) {
      options.set.emplace_back(argv[++i]);
    } else if (arg == "--schedule-dir" && more) {
      options.schedule_dir = argv[++i];
    } else if (arg == "--report" && more) {
      options.report = argv[++i];
    } else if (arg == "--threads" && more) {
      options.threads = std::stoi(argv[++i]);
    } else if (arg == "-o" && more) {
      options.output = argv[++i];
    } else {
      options.scenario = arg;
    }
  }
  const auto code = ccsched::RunSimCommand(options, std::cout, std::cerr);
  if (code.ok()) return *code;
  std::cerr << "ccsched-sim: " << code.status().message() << '\n';
  return 2;
}
