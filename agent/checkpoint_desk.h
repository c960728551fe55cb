// The handshake by which a job saves its state before it is suspended.
// SPDX-License-Identifier: Apache-2.0
//
// A job that may be suspended finds a folder in CCSCHED_CONTROL with
//   control  a unix socket; a line in, a line out:
//              status                  none | suspend SECONDS-LEFT REASON;
//                                      REASON is suspend or resize (it is
//                                      started anew at another width)
//              watch                   the same, once there is a request
//              saved SECONDS ID        ok: the state is saved as ID, a name or
//                                      a path, and that took SECONDS
//              refuse                  ok: not now, the job goes on
//   suspend  a file that is there while a suspension is asked for
//   saved    a file that the job may write instead: SECONDS ID
// A job that watches the socket is told there; any other gets its warning
// signal. Once it has saved its state it ends, or is ended at the deadline.
// Without an acknowledgement in time it goes on.
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_CHECKPOINT_DESK_H_
#define CCSCHED_AGENT_CHECKPOINT_DESK_H_

#include <poll.h>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "agent/launch_spec.h"

namespace ccsched {

class CheckpointDesk {
 public:
  CheckpointDesk() = default;
  ~CheckpointDesk();
  CheckpointDesk(const CheckpointDesk&) = delete;
  CheckpointDesk& operator=(const CheckpointDesk&) = delete;

  // Opens the socket in `folder`, which exists. Without a socket (its path is
  // too long for one) the files still work.
  void Open(const std::string& folder, const std::optional<RunAs>& run_as);

  // Asks for a checkpoint until then. True if the job was told by the socket.
  bool Ask(int64_t until_boot_nanos, const std::string& reason);
  // It is not asked for any more.
  void Withdraw();
  // What the job wrote into the file, if it did.
  void ReadFile();

  bool asked() const { return until_.has_value(); }
  bool refused() const { return refused_; }
  // Since the last Ask.
  bool saved() const { return saved_; }
  // The last one, asked for or not.
  const std::string& id() const { return id_; }
  int64_t cost_ns() const { return cost_ns_; }

  // What to poll, and then what came of it, in the same order.
  void AddTo(std::vector<pollfd>& fds) const;
  void Handle(const pollfd* fds);
  // What was sent by those that are gone by now.
  void Drain();

 private:
  struct Client {
    int fd = -1;
    std::string in;
    bool watches = false;
  };
  bool Accept();
  bool Read(Client& client);
  std::string Answer(const std::string& line, Client& client);
  std::string Status() const;
  bool Take(const std::string& seconds_and_id);

  std::string folder_;
  int listener_ = -1;
  std::list<Client> clients_;
  std::optional<int64_t> until_;
  std::string reason_;
  bool saved_ = false;
  bool refused_ = false;
  std::string id_;
  int64_t cost_ns_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_CHECKPOINT_DESK_H_
