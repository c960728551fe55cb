// A wire that a test can cut.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vector>

namespace ccsched::testing {
namespace {

constexpr size_t kMostOnTheWay = 1 << 20;

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

int NewSocket() {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

}  // namespace

Proxy::Proxy(const std::string& listen_path, const std::string& target)
    : target_(target), listener_(NewSocket()) {
  const sockaddr_un address = Address(listen_path);
  bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(listener_, 16);
  thread_ = std::thread([this] { Run(); });
}

Proxy::~Proxy() {
  stop_ = true;
  thread_.join();
  for (Link& link : links_) Close(link);
  close(listener_);
}

void Proxy::Close(Link& link) {
  close(link.agent);
  close(link.scheduler);
}

void Proxy::Accept() {
  const int agent =
      accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (agent < 0) return;
  const int scheduler = NewSocket();
  const sockaddr_un address = Address(target_);
  if (connect(scheduler, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    close(agent);
    close(scheduler);
    return;
  }
  links_.push_back({.agent = agent, .scheduler = scheduler});
}

// Moves bytes; false when the connection has ended.
bool Proxy::Pump(int from, int to, std::string& buffer, bool blocked) {
  char bytes[65536];
  if (buffer.size() < kMostOnTheWay) {
    const ssize_t n = read(from, bytes, sizeof(bytes));
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n > 0) buffer.append(bytes, n);
  }
  if (blocked || buffer.empty()) return true;
  const ssize_t n = send(to, buffer.data(), buffer.size(), MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) return false;
  if (n > 0) buffer.erase(0, n);
  return true;
}

void Proxy::Carry(Link& link) {
  link.dead = link.dead ||
              !Pump(link.agent, link.scheduler, link.up, block_up_) ||
              !Pump(link.scheduler, link.agent, link.down, block_down_);
}

void Proxy::Run() {
  while (!stop_) {
    std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
    for (const Link& link : links_) {
      fds.push_back({link.agent, POLLIN, 0});
      fds.push_back({link.scheduler, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), 5);
    Accept();
    const bool cut = cut_.exchange(false);
    for (Link& link : links_) {
      if (cut) link.dead = true;
      Carry(link);
      if (link.dead) Close(link);
    }
    links_.remove_if([](const Link& link) { return link.dead; });
  }
}

}  // namespace ccsched::testing
