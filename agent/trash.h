// What jobs have left, put aside at once and removed little by little.
// SPDX-License-Identifier: Apache-2.0
//
// A job may leave millions of files. To remove them takes minutes, for which no
// start is to wait: they are renamed, which takes no time, and a thread of low
// priority removes them. An agent that is killed meanwhile leaves them to the
// next one, by their names.
#ifndef CCSCHED_AGENT_TRASH_H_
#define CCSCHED_AGENT_TRASH_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ccsched {

class Trash {
 public:
  // `folders`: in which there may be trash of an earlier agent with the same
  // `owner`, a name that no other agent has. It is removed first.
  Trash(const std::string& owner, const std::vector<std::string>& folders);
  // Waits for the file at hand; the rest is the next agent's.
  ~Trash();
  Trash(const Trash&) = delete;
  Trash& operator=(const Trash&) = delete;

  // Removes it, whatever it is, and all that is in it: out of the way at once.
  // REQUIRES: called by one thread at a time.
  void Take(const std::string& path);
  // Gives it, beside where it is, a name by which the next agent takes it for
  // trash; empty if that can't be. REQUIRES: as Take.
  std::string PutAside(const std::string& path);
  // Whether it has such a name.
  bool IsAside(const std::string& path) const;
  // For tests: until all is removed, or can't be.
  void Wait();

 private:
  void Add(std::string path);
  void Run();

  const std::string prefix_;
  uint64_t last_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> paths_;  // guarded by mutex_; the first is at hand
  std::thread thread_;
};

// Removes a file, or a folder and all that is in it, however deep that is: few
// descriptors are open at once, and no link is followed. False if something is
// left: `stop` was set, or the system does not let it, which is logged.
bool RemoveAll(const std::string& path, const std::atomic<bool>& stop);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_TRASH_H_
