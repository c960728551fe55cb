// Reads one job's output, a piece at a time, for one who asked for it.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_LOG_READER_H_
#define CCSCHED_AGENT_LOG_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/attempt_book.h"
#include "agent/spawn.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// Its file may be anywhere, where its user has said, so each call may take as
// long as it likes: not for the event loop.
class LogReader {
 public:
  struct Wanted {
    uint64_t request = 0;
    AttemptId id;
    bool follow = false;
  };
  enum class Next {
    kMore,       // read on
    kWait,       // for a change that the watch tells of
    kLookAgain,  // soon: nothing tells of it
    kEnd,        // there is no more to come
  };
  struct Piece {
    std::vector<v1::LogData> data;
    Next next = Next::kEnd;
    std::string error;  // with kEnd
    // Of files that it has left, to be removed if nobody else has them.
    std::vector<int> left_watches;
  };

  // `state`: the agent's folder. `inotify`: where watches are made.
  LogReader(Wanted wanted, const std::string& state,
            std::shared_ptr<const Fd> inotify);

  // `running`, `known`: whether the attempt runs, and whether it ever did as
  // far as is known, asked before this is called: what is written later is not
  // missed.
  Piece Read(bool running, bool known);

  const Wanted& wanted() const { return wanted_; }
  // On the file that it reads; -1 if there is none.
  int watch() const { return watch_; }

 private:
  Piece ReadPiece(bool running, bool known);
  bool OpenNext();
  bool TakeFile(Fd file, bool is_older);
  void Watch();
  size_t UpToGap(size_t size);
  void SkipTo(uint64_t offset);
  void TellGapAtEnd(Piece& piece);
  v1::LogData NextData();

  const Wanted wanted_;
  const std::string path_;
  const std::string run_path_;
  const std::shared_ptr<const Fd> inotify_;
  Fd file_;
  int watch_ = -1;
  std::vector<int> left_watches_;
  uint64_t inode_ = 0;      // of `file_`
  uint64_t offset_ = 0;     // of what is read next, in all output
  bool missing_ = false;    // something was, so `offset_` is to be told
  uint64_t unwritten_ = 0;  // not told yet
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_LOG_READER_H_
