// Calls that may hang, each on a thread, answered on the event loop.
// SPDX-License-Identifier: Apache-2.0
//
//   calls.Begin([path] {
//     std::string text = ReadWhole(path);               // on a thread
//     return [text = std::move(text)] { Show(text); };  // on the loop
//   });
#ifndef CCSCHED_AGENT_PATIENT_CALLS_H_
#define CCSCHED_AGENT_PATIENT_CALLS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "agent/event_loop.h"

namespace ccsched {

// A directory server or a file system that is far away may never answer. What
// hangs keeps its thread, and nothing else, until it has come to its end.
class PatientCalls {
 public:
  using Then = std::function<void()>;  // may be null
  using Call = std::function<Then()>;

  // At most `threads_max` calls at once; others wait for their turn. REQUIRES:
  // `loop` outlives this.
  PatientCalls(EventLoop& loop, size_t threads_max);
  // Makes no calls on the loop any more. Waits for what is under way, but for a
  // second at most, and then leaves it to itself.
  ~PatientCalls();
  PatientCalls(const PatientCalls&) = delete;
  PatientCalls& operator=(const PatientCalls&) = delete;

  // From the loop's thread. REQUIRES: `call` owns all that it uses, as it may
  // outlive this; what it returns need not.
  void Begin(Call call);

 private:
  struct Shared;
  static void Run(const std::shared_ptr<Shared>& shared);

  const size_t threads_max_;
  const std::shared_ptr<Shared> shared_;
};

// One such call without a loop: waited for so long, then nothing. REQUIRES:
// `call` owns all that it uses.
template <typename T>
std::optional<T> CallPatiently(std::function<T()> call,
                               std::chrono::milliseconds patience) {
  std::packaged_task<T()> task(std::move(call));
  std::future<T> result = task.get_future();
  std::thread(std::move(task)).detach();
  if (result.wait_for(patience) != std::future_status::ready) {
    return std::nullopt;
  }
  return result.get();
}

}  // namespace ccsched

#endif  // CCSCHED_AGENT_PATIENT_CALLS_H_
