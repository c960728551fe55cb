// A wire into a network namespace, by a pair of virtual interfaces.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/namespace_wire.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/fault/process.h"

namespace ccsched::testing {
namespace {

constexpr char kIp[] = "/usr/sbin/ip";

// 10.X.Y.4n: X and Y from the process's number, so that tests side by side
// do not meet.
std::string Address(int number, int end) {
  const int pid = getpid();
  return absl::StrCat("10.", 128 + pid % 100, ".", pid / 100 % 250, ".",
                      4 * number + end);
}

bool Run(std::vector<std::string> words) {
  words.insert(words.begin(), kIp);
  Process process = Process::Start(words, "/dev/null");
  return process.Wait(absl::Seconds(20)) == 0;
}

}  // namespace

bool NamespacesWork() {
  static const bool work = [] {
    if (geteuid() != 0 || access(kIp, X_OK) != 0) return false;
    return NamespaceWire(59).ok();
  }();
  return work;
}

std::string NamespaceWire::NearAddress(int number) {
  return Address(number, 1);
}

NamespaceWire::NamespaceWire(int number)
    : near_(Address(number, 1)),
      far_(Address(number, 2)),
      name_(absl::StrCat("ccf", getpid(), "n", number)),
      link_(absl::StrCat("ccf", getpid(), "h", number)) {
  ok_ = Ip({"netns", "add", name_}) &&
        Ip({"link", "add", link_, "type", "veth", "peer", "name", "up0",
            "netns", name_}) &&
        Ip({"addr", "add", near_ + "/30", "dev", link_}) &&
        Ip({"link", "set", link_, "up"}) &&
        IpInside({"addr", "add", far_ + "/30", "dev", "up0"}) &&
        IpInside({"link", "set", "up0", "up"}) &&
        IpInside({"link", "set", "lo", "up"});
}

NamespaceWire::~NamespaceWire() {
  Block(false, false);
  Ip({"link", "del", link_});
  Ip({"netns", "del", name_});
}

bool NamespaceWire::Ip(const std::vector<std::string>& words) const {
  return Run(words);
}

bool NamespaceWire::IpInside(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {"-n", name_};
  all.insert(all.end(), words.begin(), words.end());
  return Run(all);
}

void NamespaceWire::Block(bool towards_scheduler, bool towards_agent) {
  if (std::exchange(up_blocked_, towards_scheduler) != towards_scheduler) {
    IpInside({"route", towards_scheduler ? "add" : "del", "blackhole",
              near_ + "/32"});
  }
  if (std::exchange(down_blocked_, towards_agent) != towards_agent) {
    Ip({"route", towards_agent ? "add" : "del", "blackhole", far_ + "/32"});
  }
}

void NamespaceWire::Cut() {
  Ip({"link", "set", link_, "down"});
  Ip({"link", "set", link_, "up"});
}

std::vector<std::string> NamespaceWire::Prefix() const {
  return {kIp, "netns", "exec", name_};
}

}  // namespace ccsched::testing
