// The users of this machine, for jobs that run as who submitted them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/base/failpoint.h"

namespace ccsched {
namespace {

constexpr size_t kEntryBytesMax = 1 << 20;

// Some of the libraries behind it say of an unknown user that it is one of
// these errors. Source: getpwnam(3), "ERRORS".
bool IsUnknown(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
         error == EPERM;
}

// An entry of the user database, and the text that it points to.
struct Entry {
  passwd entry{};
  std::vector<char> text = std::vector<char>(65536);
};

// What `get`, getpwnam_r or its like for one user, finds; null and why, 0 if
// there is no such user.
template <typename Get>
std::unique_ptr<Entry> FindEntry(const Get& get, int& error) {
  auto found = std::make_unique<Entry>();
  std::vector<char>& text = found->text;
  passwd* result = nullptr;
  error = ERANGE;
  while (error == ERANGE || error == EINTR) {
    error = get(&found->entry, text.data(), text.size(), &result);
    if (error != ERANGE) continue;
    if (text.size() >= kEntryBytesMax) break;
    text.resize(2 * text.size());
  }
  if (result == nullptr) found.reset();
  return found;
}

}  // namespace

absl::StatusOr<User> FindUser(const std::string& name) {
  Failpoint("agent.users");
  int error = 0;
  const std::unique_ptr<Entry> found = FindEntry(
      [&](auto... buffer) { return getpwnam_r(name.c_str(), buffer...); },
      error);
  if (found == nullptr && IsUnknown(error)) {
    return absl::NotFoundError(
        absl::StrCat("user: this node has no user '", name, "'"));
  }
  if (found == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("user: this node's user database does not say who '", name,
                     "' is: ", strerror(error)));
  }
  const passwd& entry = found->entry;
  User user{.name = name,
            .home = entry.pw_dir,
            .ids = {.uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}}};
  // As many as the kernel takes.
  int count = NGROUPS_MAX;
  std::vector<gid_t> groups(count);
  if (getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("user: '", name, "' is in more groups than can be had"));
  }
  user.ids.groups.assign(groups.begin(), groups.begin() + count);
  if (access(user.home.c_str(), F_OK) != 0) user.home = "/";
  return user;
}

Self FindSelf() {
  int error = 0;
  const std::unique_ptr<Entry> found = FindEntry(
      [](auto... buffer) { return getpwuid_r(getuid(), buffer...); }, error);
  Self self;
  if (found != nullptr) {
    self = {.user = found->entry.pw_name, .home = found->entry.pw_dir};
  }
  if (access(self.home.c_str(), X_OK) != 0) self.home = "/";
  return self;
}

UserDirectory::UserDirectory(EventLoop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      calls_(loop, options_.threads_max) {}

UserDirectory::~UserDirectory() {
  for (const auto& [number, asked] : asked_) loop_.Cancel(asked.timer);
}

void UserDirectory::Look(const std::string& name, Found found) {
  const uint64_t number = ++last_;
  // Whether anybody still waits once it is this one's turn.
  const auto wanted = std::make_shared<std::atomic<bool>>(true);
  const int64_t until = BootNanos() + options_.patience_ns;
  asked_[number] = {
      .found = std::move(found),
      .timer = loop_.At(until, [this, number, name, wanted] {
        *wanted = false;
        Answer(number,
               absl::UnavailableError(absl::StrCat(
                   "user: neither this node's user database nor the home "
                   "folder of '",
                   name, "' has answered for ",
                   options_.patience_ns / kNanosPerSecond, " s")));
      })};
  calls_.Begin([this, number, name, wanted,
                find = options_.find]() -> PatientCalls::Then {
    if (!*wanted) return nullptr;
    return [this, number, user = find(name)] { Answer(number, user); };
  });
}

void UserDirectory::Answer(uint64_t number, absl::StatusOr<User> user) {
  const auto asked = asked_.find(number);
  if (asked == asked_.end()) return;  // too late
  const Asked answered = std::move(asked->second);
  asked_.erase(asked);
  loop_.Cancel(answered.timer);
  answered.found(std::move(user));
}

}  // namespace ccsched
