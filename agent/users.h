// The users of this machine, for jobs that run as who submitted them.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_USERS_H_
#define CCSCHED_AGENT_USERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/boot_clock.h"
#include "agent/event_loop.h"
#include "agent/launch_spec.h"
#include "agent/patient_calls.h"

namespace ccsched {

struct User {
  std::string name;
  std::string home;  // "/" if it is not there
  RunAs ids;
};

// Asks the system's user database and looks for the home folder: either may be
// far away and never answer. Errors: NotFound if this machine has no such user;
// Unavailable if the database does not say.
absl::StatusOr<User> FindUser(const std::string& name);

// As whom this process runs, and where jobs do that name no folder.
struct Self {
  std::string user;  // empty if that is not known
  std::string home;  // "/" if that is not to be entered
};
Self FindSelf();

// Who a user is, without waiting for it: on threads, and for so long.
class UserDirectory {
 public:
  using Find = std::function<absl::StatusOr<User>(const std::string&)>;
  using Found = std::function<void(absl::StatusOr<User>)>;
  struct Options {
    Find find = FindUser;
    int64_t patience_ns = 20 * kNanosPerSecond;
    // What hangs keeps one: others are looked up beside it.
    size_t threads_max = 8;
  };

  // REQUIRES: `loop` outlives this.
  UserDirectory(EventLoop& loop, Options options);
  ~UserDirectory();
  UserDirectory(const UserDirectory&) = delete;
  UserDirectory& operator=(const UserDirectory&) = delete;

  // `found` is called once, on the loop, after this has returned. Errors: those
  // of FindUser; Unavailable if there is no answer in time.
  void Look(const std::string& name, Found found);

 private:
  struct Asked {
    Found found;
    EventLoop::Timer timer;
  };
  void Answer(uint64_t number, absl::StatusOr<User> user);

  EventLoop& loop_;
  const Options options_;
  uint64_t last_ = 0;
  std::map<uint64_t, Asked> asked_;
  PatientCalls calls_;
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_USERS_H_
