// Answers the scheduler's requests to read what jobs have written.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LOG_SERVER_H_
#define CCSCHED_AGENT_LOG_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "agent/attempt_book.h"
#include "agent/event_loop.h"
#include "agent/spawn.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

class LogServer {
 public:
  struct Attempts {
    std::function<bool(AttemptId)> running;
    // Whether it ever ran here, as far as is known.
    std::function<bool(AttemptId)> known;
  };
  // `room`: whether more can be sent now; if not, Pump is called once it can.
  // `state`: the agent's folder. REQUIRES: `loop` outlives this.
  LogServer(EventLoop& loop, std::string state, Attempts attempts,
            std::function<void(v1::LogData)> send, std::function<bool()> room);
  ~LogServer();
  LogServer(const LogServer&) = delete;
  LogServer& operator=(const LogServer&) = delete;

  void Handle(const v1::ReadLog& request);
  void OnEnded(AttemptId id);
  // Sends what there is, as far as there is room.
  void Pump();
  // The connection is gone, and its requests with it.
  void Clear();
  size_t open_count() const { return readers_.size(); }

 private:
  struct Reader {
    AttemptId id;
    std::string path;
    Fd file;
    int watch = -1;
    bool follow = false;
    uint64_t inode = 0;      // of `file`
    uint64_t offset = 0;     // of what is read next, in all output
    bool missing = false;    // something was, so `offset` is to be told
    uint64_t unwritten = 0;  // not told yet
    bool waits = false;      // at the end of what there is
  };

  // One piece; false if there is nothing to send now.
  bool Step(uint64_t request, Reader& reader);
  bool OpenNext(Reader& reader);
  bool TakeFile(Reader& reader, Fd file, bool is_older);
  bool WasReplaced(const Reader& reader) const;
  void Unwatch(Reader& reader);
  size_t UpToGap(Reader& reader, size_t size) const;
  void TellGapAtEnd(uint64_t request, Reader& reader);
  v1::LogData NextData(uint64_t request, Reader& reader) const;
  void Close(uint64_t request, const std::string& error);
  void OnChanges();
  void PumpLater();

  EventLoop& loop_;
  const std::string state_;
  const Attempts attempts_;
  const std::function<void(v1::LogData)> send_;
  const std::function<bool()> room_;
  Fd inotify_;
  std::map<uint64_t, Reader> readers_;
  std::optional<EventLoop::Timer> later_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_SERVER_H_
