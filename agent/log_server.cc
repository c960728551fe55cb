// Answers the scheduler's requests to read what jobs have written.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_server.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/boot_clock.h"

namespace ccsched {
namespace {

constexpr size_t kReadersMax = 256;
// Pieces that are read at once. A file that does not answer keeps one.
constexpr size_t kReadsMax = 4;
// To look again for a file that is about to be made.
constexpr int64_t kLookAgainNs = kNanosPerSecond / 20;

}  // namespace

LogServer::LogServer(EventLoop& loop, std::string state, Attempts attempts,
                     std::function<void(v1::LogData)> send,
                     std::function<bool()> room)
    : loop_(loop),
      state_(std::move(state)),
      attempts_(std::move(attempts)),
      send_(std::move(send)),
      room_(std::move(room)),
      inotify_(
          std::make_shared<const Fd>(inotify_init1(IN_CLOEXEC | IN_NONBLOCK))),
      calls_(loop, kReadsMax) {
  if (inotify_->valid()) {
    loop_.Watch(inotify_->get(), [this] { OnChanges(); });
  }
}

LogServer::~LogServer() {
  Clear();
  if (inotify_->valid()) loop_.Forget(inotify_->get());
}

void LogServer::Handle(const v1::ReadLog& request) {
  const uint64_t number = request.request_id();
  if (request.cancel()) return Remove(number);
  Remove(number);
  LogReader::Wanted wanted{.request = number,
                           .id = FromProto(request.key()),
                           .follow = request.follow()};
  readers_[number].reader =
      std::make_shared<LogReader>(wanted, state_, inotify_);
  if (readers_.size() > kReadersMax) {
    return Close(number, "too many logs are being read on this node");
  }
  Pump();
}

void LogServer::OnEnded(AttemptId id) {
  for (auto& [number, open] : readers_) {
    if (open.reader->wanted().id == id) open.Poke();
  }
  Pump();
}

void LogServer::Clear() {
  while (!readers_.empty()) Remove(readers_.begin()->first);
  if (later_) loop_.Cancel(*later_);
  later_.reset();
}

// One that is being read is dropped when that has come to its end.
void LogServer::Remove(uint64_t request) {
  const auto found = readers_.find(request);
  if (found == readers_.end()) return;
  const OpenLog open = std::move(found->second);
  readers_.erase(found);
  if (!open.busy) DropWatch(open.reader->wanted().id, open.reader->watch());
}

void LogServer::Close(uint64_t request, const std::string& error) {
  Remove(request);
  v1::LogData data;
  data.set_request_id(request);
  data.set_end(true);
  data.set_error(error);
  send_(std::move(data));
}

// Unless somebody else has it, or may just have got it.
void LogServer::DropWatch(AttemptId id, int watch) {
  if (watch < 0) return;
  for (const auto& [number, open] : readers_) {
    const LogReader::Wanted& wanted = open.reader->wanted();
    if (wanted.id != id || !wanted.follow) continue;
    if (open.busy || open.reader->watch() == watch) return;
  }
  inotify_rm_watch(inotify_->get(), watch);
}

// In turns: a long log does not keep the others waiting.
void LogServer::Pump() {
  const auto is_due = [](const auto& entry) {
    return !entry.second.busy && !entry.second.waits;
  };
  while (reads_ < kReadsMax && room_()) {
    const auto after = readers_.upper_bound(last_read_);
    auto next = std::find_if(after, readers_.end(), is_due);
    if (next == readers_.end()) {
      next = std::find_if(readers_.begin(), after, is_due);
      if (next == after) return;
    }
    last_read_ = next->first;
    BeginRead(next->second);
  }
}

void LogServer::BeginRead(OpenLog& open) {
  open.busy = true;
  open.poked = false;
  ++reads_;
  const AttemptId id = open.reader->wanted().id;
  calls_.Begin([this, reader = open.reader, running = attempts_.running(id),
                known = attempts_.known(id)]() -> PatientCalls::Then {
    return [this, reader, piece = reader->Read(running, known)] {
      OnRead(reader, piece);
    };
  });
}

void LogServer::OnRead(const std::shared_ptr<LogReader>& reader,
                       const LogReader::Piece& piece) {
  --reads_;
  const LogReader::Wanted& wanted = reader->wanted();
  const auto found = readers_.find(wanted.request);
  if (found != readers_.end() && found->second.reader == reader) {
    OpenLog& open = found->second;
    open.busy = false;
    // What has changed since it was read may not be in it.
    open.waits = piece.next != LogReader::Next::kMore && !open.poked;
    for (const v1::LogData& data : piece.data) send_(data);
    if (piece.next == LogReader::Next::kLookAgain) PumpLater();
    if (piece.next == LogReader::Next::kEnd) {
      Close(wanted.request, piece.error);
    }
  } else {
    DropWatch(wanted.id, reader->watch());  // nobody wants it any more
  }
  for (const int watch : piece.left_watches) DropWatch(wanted.id, watch);
  Pump();
}

void LogServer::OnChanges() {
  char buffer[16384];
  while (read(inotify_->get(), buffer, sizeof(buffer)) > 0) {
  }
  for (auto& [number, open] : readers_) open.Poke();
  Pump();
}

void LogServer::PumpLater() {
  if (later_) return;
  later_ = loop_.At(BootNanos() + kLookAgainNs, [this] {
    later_.reset();
    for (auto& [number, open] : readers_) open.Poke();
    Pump();
  });
}

}  // namespace ccsched
