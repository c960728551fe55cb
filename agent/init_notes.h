// What the first process of a job's container tells the job's supervisor.
// SPDX-License-Identifier: Apache-2.0
//
// Podman stands between the two. It takes a signal for its own until it hands
// signals on, which is some time after the job's command has begun, and what it
// exits with says neither whose exit that is nor by what signal the command
// died. So the container's first process (container_init.h) has a socket whose
// other end the supervisor holds, and by it tells that it runs and how its
// command ended. The kernel says with each note from which process it comes.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_INIT_NOTES_H_
#define CCSCHED_AGENT_INIT_NOTES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace ccsched {

// At which number the first process finds its end of the sockets.
inline constexpr int kInitNotesFd = 3;

struct InitNote {
  enum Kind : int32_t {
    kRuns = 1,   // it takes signals, and is about to begin the command
    kEnded = 2,  // the command has; `status` as wait says it
  };
  int32_t kind = 0;
  int32_t status = 0;
};

// Writes a note to kInitNotesFd. Whoever has no socket there is heard by
// nobody.
void WriteInitNote(const InitNote& note);

// The supervisor's end.
class InitNotes {
 public:
  InitNotes() = default;
  ~InitNotes();
  InitNotes(const InitNotes&) = delete;
  InitNotes& operator=(const InitNotes&) = delete;

  // Makes both ends. False: errno says why.
  bool Open();
  // To be kInitNotesFd of what runs the container; -1 without Open.
  int far_end() const { return far_; }
  void CloseFarEnd();

  // To poll; -1 once there is nothing to come.
  int fd() const { return near_; }
  // Takes the notes that have come.
  void Read();

  // Whether the first process has said that it runs.
  bool runs() const { return runs_; }
  // The command's wait status, once it has ended.
  std::optional<int> ended() const { return ended_; }
  // Sends it a signal, which it hands on to its command. REQUIRES: runs().
  void Signal(int number) const;

 private:
  void Take(const InitNote& note, pid_t sender);

  int near_ = -1;
  int far_ = -1;
  bool runs_ = false;
  int process_ = -1;  // pidfd; -1 too if it was gone when its note was read
  std::optional<int> ended_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_INIT_NOTES_H_
