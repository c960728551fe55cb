// A program under measurement: started, its CPU and memory read, stopped.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_BENCH_CHILD_PROCESS_H_
#define CCSCHED_TESTS_BENCH_CHILD_PROCESS_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ccsched {

class ChildProcess {
 public:
  // Runs `words`; its standard error goes to `log`.
  ChildProcess(const std::vector<std::string>& words, const std::string& log) {
    std::vector<char*> argv;
    for (const std::string& word : words) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~ChildProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // CPU time of all its threads so far, user and system.
  double CpuSeconds() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
    std::string line;
    std::getline(in, line);
    // The name, in brackets, may hold blanks; utime and stime are the twelfth
    // and thirteenth word after it.
    const size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream words(line.substr(name_end + 1));
    std::string word;
    double ticks = 0;
    for (int i = 1; i <= 13 && words >> word; ++i) {
      if (i >= 12) ticks += std::stod(word);
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  double ResidentKib() const { return StatusKib("VmRSS:"); }
  double PeakKib() const { return StatusKib("VmHWM:"); }

 private:
  double StatusKib(const std::string& key) const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
    double kib = 0;
    for (std::string word; in >> word;) {
      if (word != key) continue;
      in >> kib;
      break;
    }
    return kib;
  }

  pid_t pid_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_BENCH_CHILD_PROCESS_H_
