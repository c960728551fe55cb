// Keeps the folder of jobs' output within bounds: the oldest go first.
// SPDX-License-Identifier: Apache-2.0
#include "agent/log_keeper.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "agent/boot_clock.h"
#include "agent/log_parts.h"
#include "scheduler/base/failpoint.h"

namespace ccsched {
namespace {

constexpr int64_t kPauseNs = 60 * kNanosPerSecond;

// "12-1.out" and, rotated, "12-1.out.1"; "12-1.out.parts" where that alone is
// left, of output that could not be written; the others are what a supervisor
// was about to rename when it was killed.
std::optional<AttemptId> IdOf(const std::string& name) {
  unsigned long job = 0;
  unsigned epoch = 0;
  int used = 0;
  if (std::sscanf(name.c_str(), "%lu-%u.out%n", &job, &epoch, &used) != 2 ||
      used == 0) {
    return std::nullopt;
  }
  const std::string rest = name.substr(used);
  constexpr std::string_view kRests[] = {"",     ".1",   ".parts",
                                         ".new", ".old", ".parts.new"};
  if (std::find(std::begin(kRests), std::end(kRests), rest) ==
      std::end(kRests)) {
    return std::nullopt;
  }
  return AttemptId{.job = job, .epoch = epoch};
}

}  // namespace

LogKeeper::LogKeeper(EventLoop& loop, std::string folder, LogBounds bounds,
                     std::function<bool(AttemptId)> needed)
    : loop_(loop),
      folder_(std::move(folder)),
      bounds_(bounds),
      needed_(std::move(needed)) {}

LogKeeper::~LogKeeper() {
  stop_ = true;
  if (timer_) loop_.Cancel(*timer_);
}

void LogKeeper::Begin() {
  worker_.Begin([this] {
    Read();
    loop_.Post([this] { OnRead(); });
  });
}

void LogKeeper::Read() {
  Failpoint("agent.logs");
  files_.clear();
  bytes_ = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_, error)) {
    if (stop_) return;
    const auto id = IdOf(entry.path().filename());
    struct stat status {};
    // A link counts for itself: what it points to is its user's.
    if (!id || lstat(entry.path().c_str(), &status) != 0) continue;
    if (entry.path().extension() == ".parts" &&
        access(LogOfParts(entry.path()).c_str(), F_OK) == 0) {
      continue;  // goes with its log
    }
    files_.push_back({.path = entry.path(),
                      .id = *id,
                      .bytes = static_cast<uint64_t>(status.st_size),
                      .written_ns = status.st_mtim.tv_sec * 1'000'000'000 +
                                    status.st_mtim.tv_nsec});
    bytes_ += files_.back().bytes;
  }
  count_ = files_.size();
  if (WithinBounds()) return;
  std::sort(
      files_.begin(), files_.end(), [](const LogFile& a, const LogFile& b) {
        return std::tie(a.written_ns, a.path) < std::tie(b.written_ns, b.path);
      });
}

// An attempt may have begun meanwhile: only now it is known who needs what.
void LogKeeper::OnRead() {
  worker_.Wait();
  if (WithinBounds()) return Later(kPauseNs);
  std::erase_if(files_,
                [this](const LogFile& file) { return needed_(file.id); });
  worker_.Begin([this] {
    RemoveOldest();
    loop_.Post([this] {
      worker_.Wait();
      // There may be more.
      const bool all = removed_ < bounds_.removals_max;
      Later(all ? kPauseNs : kNanosPerSecond);
    });
  });
}

void LogKeeper::RemoveOldest() {
  removed_ = 0;
  for (const LogFile& file : files_) {
    if (stop_ || WithinBounds() || removed_ == bounds_.removals_max) return;
    if (unlink(file.path.c_str()) != 0) continue;
    // What is noted of its parts goes with the newest of them.
    unlink(LogPartsPath(file.path).c_str());
    bytes_ -= file.bytes;
    --count_;
    ++removed_;
  }
}

void LogKeeper::Later(int64_t pause_ns) {
  ++looks_;
  files_ = {};
  timer_ = loop_.At(BootNanos() + pause_ns, [this] {
    timer_.reset();
    Begin();
  });
}

}  // namespace ccsched
