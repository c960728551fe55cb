// Runs numbered tasks on a few threads.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_THREAD_POOL_H_
#define CCSCHED_SIM_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace ccsched {

// Calls task(0) to task(count - 1), each once, on up to `threads` threads (as
// many as there are cores if 0), and returns when all are done.
inline void RunInParallel(size_t count, int threads,
                          const std::function<void(size_t)>& task) {
  size_t workers = threads > 0 ? threads : std::thread::hardware_concurrency();
  if (workers > count) workers = count;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) task(i);
  };
  std::vector<std::thread> pool;
  for (size_t i = 1; i < workers; ++i) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
}

}  // namespace ccsched

#endif  // CCSCHED_SIM_THREAD_POOL_H_
