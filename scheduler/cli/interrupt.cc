// Ends a long command at once when it is interrupted, and says what is left.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <ostream>
#include <utility>

namespace ccsched {
namespace {

// SIGUSR1 tells the watcher that there is nothing more to watch.
sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set, s);
  return set;
}

}  // namespace

Interrupt::Interrupt(Context& context) : context_(context) {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  const sigset_t set = Signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::set_last_words(std::function<std::string()> words) {
  const std::lock_guard<std::mutex> lock(mutex_);
  words_ = std::move(words);
}

void Interrupt::Watch() {
  const sigset_t set = Signals();
  int caught = 0;
  sigwait(&set, &caught);
  if (caught == SIGUSR1) return;
  // Never given back: nothing is to happen after the last words.
  mutex_.lock();
  const std::string words = words_ ? words_() : "";
  // Over the progress, if there is any.
  if (context_.err_terminal) context_.err << "\r\033[K";
  context_.err << "ccsched: interrupted" << (words.empty() ? "" : ": ") << words
               << std::endl;
  _exit(128 + caught);
}

}  // namespace ccsched
