// Starts supervisors, and finds those of an earlier agent again.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_SPAWN_H_
#define CCSCHED_AGENT_SPAWN_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/attempt_book.h"
#include "agent/launch.h"
#include "agent/launch_spec.h"
#include "agent/trash.h"

namespace ccsched {

// An open file descriptor, closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A supervisor that runs, or ran. `process` becomes readable when it ends.
struct Supervised {
  pid_t pid = 0;
  Fd process;  // pidfd
  Fd run;      // its run file, for reading
};

// Run files that are not in use, kept for the next attempts: making and
// deleting one for each job is what costs most on ext4, which for seconds
// steps over the inodes of deleted files one by one.
class RunFilePool {
 public:
  // `folder`: where run files are. Takes up what an earlier agent left.
  explicit RunFilePool(std::string folder);
  // The path of a spare file, to be blanked and renamed; empty if none.
  std::string Take();
  // Keeps the file, or removes it if there are enough.
  void Give(const std::string& path);

 private:
  std::string NameOf(uint64_t number) const;

  const std::string folder_;
  std::vector<uint64_t> spare_;
  uint64_t last_ = 0;
};

// Temporary folders of jobs that ended and left nothing in them, for the next
// jobs of the same user: for the same reason.
class TmpPool {
 public:
  // REQUIRES: `trash` outlives this.
  explicit TmpPool(Trash& trash) : trash_(trash) {}
  // Removes what it has.
  ~TmpPool();
  TmpPool(const TmpPool&) = delete;
  TmpPool& operator=(const TmpPool&) = delete;

  // Gives one of this user the name; false if there is none.
  bool Take(uid_t user, const std::string& path);
  // Keeps the folder, or has it removed with all that is in it.
  void Give(const std::string& path);

 private:
  Trash& trash_;
  // As trash by name, should this agent be killed.
  std::vector<std::pair<uid_t, std::string>> spare_;
};

// Has all that is in the agent's own `folder` removed but what is `needed`:
// what an earlier agent left.
void RemoveLeftOvers(const std::string& folder,
                     const std::set<std::string>& needed, Trash& trash);

// Writes the job's script, makes its run file and starts its supervisor. A disk
// may take seconds for it, as for what RemoveTraces and NoteGapLeft do.
// Errors: naming the file or the call, and what the system says; nothing runs
// then. REQUIRES: no other thread makes fds without close-on-exec.
absl::StatusOr<Supervised> SpawnSupervisor(const std::string& program,
                                           AttemptId id, const LaunchSpec& spec,
                                           const std::string& script,
                                           const AttemptPaths& paths,
                                           RunFilePool& pool, TmpPool& tmps);

// What an earlier agent left of an attempt.
enum class Remains : uint8_t {
  kAlive,    // its supervisor runs: `supervised` is whole
  kNascent,  // it runs but has not said its number yet: ask again soon
  kGone,     // its supervisor is gone; `supervised.run` if the file is there
};
struct Adopted {
  Remains remains = Remains::kGone;
  Supervised supervised;
};
Adopted FindSupervisor(const AttemptPaths& paths);

// Notes beside the output of an ended attempt what could not be written at its
// end, as far as its supervisor had no room to. False: there still is none.
bool NoteGapLeft(const AttemptPaths& paths);

// Removes what the attempt has on disk, `tmp` included, but for its output.
// What may be much is put aside.
void RemoveTraces(const AttemptPaths& paths, const std::string& tmp,
                  RunFilePool& pool, TmpPool& tmps, Trash& trash);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_SPAWN_H_
