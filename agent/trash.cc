// What jobs have left, put aside at once and removed little by little.
// SPDX-License-Identifier: Apache-2.0
#include "agent/trash.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/spawn.h"
#include "scheduler/base/failpoint.h"
#include "scheduler/base/log.h"

namespace ccsched {
namespace {

constexpr int kNiceMost = 19;
// Lowest of its class, and not idle: a disk that is never idle would fill up.
// Source: ioprio_set(2); IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7).
constexpr int kIoPriorityLowest = (2 << 13) | 7;
constexpr int kIoPriorityOfThread = 1;  // IOPRIO_WHO_PROCESS

// Both are the thread's alone, on Linux.
void LowerPriority() {
  setpriority(PRIO_PROCESS, syscall(SYS_gettid), kNiceMost);
  syscall(SYS_ioprio_set, kIoPriorityOfThread, 0, kIoPriorityLowest);
}

// A file, or a folder that is empty.
bool RemoveAt(int folder, const std::string& name) {
  return unlinkat(folder, name.c_str(), 0) == 0 ||
         unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
}

// The same; true too if there is none.
bool RemoveIfSmall(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return true;
  return rmdir(path.c_str()) == 0;
}

class Remover {
 public:
  Remover(int top, const std::atomic<bool>& stop) : top_(top), stop_(stop) {}

  // Empties the top folder: what is deeper is moved up there, then removed in
  // its turn. False if something is left.
  bool Run() {
    for (bool any = true; any && !stop_;) {
      any = false;
      for (const std::string& name : NamesIn(top_)) {
        if (stop_) return false;
        any |= RemoveOne(name);
      }
    }
    return !stop_ && NamesIn(top_).empty();
  }

 private:
  // Some of them: of a folder that is emptied the others come later.
  static constexpr size_t kNamesMax = 4096;
  static std::vector<std::string> NamesIn(int folder) {
    std::vector<std::string> names;
    const int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const open = again < 0 ? nullptr : fdopendir(again);
    if (open == nullptr) {
      if (again >= 0) close(again);
      return names;
    }
    while (const dirent* entry = readdir(open)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      if (names.size() == kNamesMax) break;
    }
    closedir(open);
    return names;
  }

  // True if there is less by now.
  bool RemoveOne(const std::string& name) {
    if (RemoveAt(top_, name)) return true;
    Fd folder = Open(name);
    if (!folder.valid()) return false;
    bool any = false;
    for (bool more = true; more && !stop_;) {
      more = false;
      for (const std::string& inner : NamesIn(folder.get())) {
        if (stop_) return any;
        more |= RemoveOrLift(folder.get(), inner);
      }
      any |= more;
    }
    folder = Fd();
    return unlinkat(top_, name.c_str(), AT_REMOVEDIR) == 0 || any;
  }

  // No link: it would not be a folder. Its owner may have closed it to itself.
  Fd Open(const std::string& name) const {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd folder(openat(top_, name.c_str(), kFlags));
    if (geteuid() != 0) fchmodat(top_, name.c_str(), 0700, 0);
    if (!folder.valid()) folder = Fd(openat(top_, name.c_str(), kFlags));
    return folder;
  }

  bool RemoveOrLift(int folder, const std::string& name) {
    if (RemoveAt(folder, name)) return true;
    if (geteuid() != 0) fchmodat(folder, name.c_str(), 0700, 0);
    for (;;) {
      const std::string above = absl::StrCat("lifted.", ++lifted_);
      if (renameat(folder, name.c_str(), top_, above.c_str()) == 0) return true;
      // The job's own name, and in use: a later one will do.
      const bool used =
          errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
      if (!used ||
          faccessat(top_, above.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
      }
    }
  }

  const int top_;
  const std::atomic<bool>& stop_;
  uint64_t lifted_ = 0;
};

}  // namespace

bool RemoveAll(const std::string& path, const std::atomic<bool>& stop) {
  if (RemoveIfSmall(path)) return true;
  if (geteuid() != 0) chmod(path.c_str(), 0700);
  {
    const Fd top(
        open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (top.valid()) Remover(top.get(), stop).Run();
  }
  if (stop) return false;
  if (rmdir(path.c_str()) == 0) return true;
  Log(LogLevel::kWarning, "what a job left can't be removed",
      {{"path", path}, {"error", strerror(errno)}});
  return false;
}

Trash::Trash(const std::string& owner, const std::vector<std::string>& folders)
    : prefix_(absl::StrCat("ccsched-trash-", owner, "-")) {
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename();
      uint64_t number = 0;
      if (!IsAside(name)) continue;
      if (std::sscanf(name.c_str() + prefix_.size(), "%lu", &number) == 1) {
        last_ = std::max(last_, number);
      }
      Add(entry.path());
    }
  }
}

Trash::~Trash() {
  stop_ = true;
  {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Trash::Take(const std::string& path) {
  // Most are small: no thread has to wake up for them.
  if (RemoveIfSmall(path)) return;
  const std::string aside = PutAside(path);
  Add(aside.empty() ? path : aside);  // in its place, if need be
}

std::string Trash::PutAside(const std::string& path) {
  std::string aside =
      absl::StrCat(std::filesystem::path(path).parent_path().string(), "/",
                   prefix_, ++last_);
  return std::rename(path.c_str(), aside.c_str()) == 0 ? aside : "";
}

bool Trash::IsAside(const std::string& path) const {
  return absl::StartsWith(std::filesystem::path(path).filename().string(),
                          prefix_);
}

void Trash::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return paths_.empty(); });
}

void Trash::Add(std::string path) {
  {
    const std::lock_guard lock(mutex_);
    paths_.push_back(std::move(path));
    changed_.notify_all();
  }
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    // With the next, or by the next agent.
    Log(LogLevel::kError, "no thread can be made", {{"error", error.what()}});
  }
}

void Trash::Run() {
  LowerPriority();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !paths_.empty(); });
    if (stop_) return;
    const std::string path = paths_.front();
    lock.unlock();
    Failpoint("agent.trash");
    RemoveAll(path, stop_);
    lock.lock();
    paths_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace ccsched
