// The users of this machine, for jobs that run as who submitted them.
// SPDX-License-Identifier: Apache-2.0
#include "agent/users.h"

#include <grp.h>
#include <pwd.h>

#include <climits>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ccsched {

absl::StatusOr<User> FindUser(const std::string& name) {
  std::vector<char> buffer(65536);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) !=
          0 ||
      found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("user: this node has no user '", name, "'"));
  }
  User user{.name = name,
            .home = entry.pw_dir,
            .shell = entry.pw_shell,
            .ids = {.uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}}};
  // As many as the kernel takes.
  int count = NGROUPS_MAX;
  std::vector<gid_t> groups(count);
  if (getgrouplist(name.c_str(), entry.pw_gid, groups.data(), &count) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("user: '", name, "' is in more groups than can be had"));
  }
  user.ids.groups.assign(groups.begin(), groups.begin() + count);
  return user;
}

}  // namespace ccsched
