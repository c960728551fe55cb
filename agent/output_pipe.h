// A job's output on its way to a file that is rotated, so bounded on disk.
// SPDX-License-Identifier: Apache-2.0
//
// Light enough for the supervisor: no Abseil here.
#ifndef CCSCHED_AGENT_OUTPUT_PIPE_H_
#define CCSCHED_AGENT_OUTPUT_PIPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "agent/log_parts.h"
#include "agent/run_file.h"

namespace ccsched {

// Keeps between limit/2 and `limit` bytes of the newest output, in `path` and,
// once that is half full, `path`.1, and notes how much went before (see
// log_parts.h). On a full disk output is dropped, and counted; the job is never
// held up. The file is made with the first byte.
class OutputPipe {
 public:
  // `run_fd`: the attempt's run file, where there is room to count what there
  // is none for elsewhere. It stays the caller's.
  explicit OutputPipe(int run_fd) : run_(run_fd) {}
  ~OutputPipe();
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;

  // False: errno says why.
  bool Open(const std::string& path, uint64_t limit, bool append);

  int read_end() const { return pipe_[0]; }
  int write_end() const { return pipe_[1]; }
  void CloseWriteEnd();

  // Copies what is there now, at most `bytes_max`. False at the end of the
  // output, or if the pipe was never opened.
  bool Copy(uint64_t bytes_max);

  // Notes what was dropped last, if it now can be.
  bool NoteGap();

 private:
  bool OpenFile();
  bool Rotate();
  uint64_t Position() const;
  // What would be the next part: after what was dropped last.
  LogPart Gap() const;
  // Returns how much of it was written.
  uint64_t Write(const char* data, uint64_t size);
  void Drop(uint64_t bytes);

  const RunFile run_;
  std::string path_;
  uint64_t limit_ = 0;
  bool append_ = false;
  uint64_t size_ = 0;           // of the file now
  std::vector<LogPart> parts_;  // of the older file, if any, and of this one
  uint64_t dropped_ = 0;        // after the last byte, and not noted yet
  int file_ = -1;
  int pipe_[2] = {-1, -1};
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_OUTPUT_PIPE_H_
