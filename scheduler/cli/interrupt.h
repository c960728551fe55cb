// Ends a long command at once when it is interrupted, and says what is left.
// SPDX-License-Identifier: Apache-2.0
//
//   Interrupt interrupt(context);
//   interrupt.set_last_words([&] { return "3 of 5 runs were done"; });
#ifndef CCSCHED_SCHEDULER_CLI_INTERRUPT_H_
#define CCSCHED_SCHEDULER_CLI_INTERRUPT_H_

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "scheduler/cli/context.h"

namespace ccsched {

// While it lives, SIGINT and SIGTERM end the program with the exit status 128 +
// signal, as a shell has it. Signals come to a thread of its own, so that work
// that never looks up is cut short as well. REQUIRES: made before the threads
// of the work are.
class Interrupt {
 public:
  explicit Interrupt(Context& context);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // What to do and to say at the end. Called from another thread, so it has to
  // hold off whatever writes files; the program ends when it returns.
  void set_last_words(std::function<std::string()> words);
  // The same, to be handed to the work.
  std::function<void(std::function<std::string()>)> taker() {
    return [this](std::function<std::string()> words) {
      set_last_words(std::move(words));
    };
  }

 private:
  void Watch();

  Context& context_;
  std::mutex mutex_;
  std::function<std::string()> words_;
  std::thread thread_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_INTERRUPT_H_
