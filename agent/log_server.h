// Answers the scheduler's requests to read what jobs have written.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LOG_SERVER_H_
#define CCSCHED_AGENT_LOG_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/attempt_book.h"
#include "agent/event_loop.h"
#include "agent/log_reader.h"
#include "agent/patient_calls.h"
#include "agent/spawn.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// A user's output may be on a file system that does not answer: it is read on
// threads, and the node goes on.
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
  struct OpenLog {
    std::shared_ptr<LogReader> reader;  // a thread's while it is busy
    bool busy = false;
    bool poked = false;  // something has changed since that began
    bool waits = false;  // at the end of what there is
    void Poke() {
      poked = true;
      waits = false;
    }
  };

  void Remove(uint64_t request);
  void Close(uint64_t request, const std::string& error);
  void DropWatch(AttemptId id, int watch);
  void BeginRead(OpenLog& open);
  void OnRead(const std::shared_ptr<LogReader>& reader,
              const LogReader::Piece& piece);
  void OnChanges();
  void PumpLater();

  EventLoop& loop_;
  const std::string state_;
  const Attempts attempts_;
  const std::function<void(v1::LogData)> send_;
  const std::function<bool()> room_;
  const std::shared_ptr<const Fd> inotify_;
  std::map<uint64_t, OpenLog> readers_;
  size_t reads_ = 0;        // under way
  uint64_t last_read_ = 0;  // whose turn was the last
  std::optional<EventLoop::Timer> later_;
  PatientCalls calls_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_SERVER_H_
