// A listener on a port of its own of the loopback address, for a fake server.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_AGENT_LOOPBACK_H_
#define CCSCHED_TESTS_AGENT_LOOPBACK_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

#include "agent/spawn.h"

namespace ccsched {

class LoopbackListener {
 public:
  LoopbackListener()
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), plain, size) != 0 ||
        listen(listener_.get(), 5) != 0 ||
        getsockname(listener_.get(), plain, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }
  // Waits for the next connection.
  Fd Accept() const { return Fd(accept(listener_.get(), nullptr, nullptr)); }

 private:
  const Fd listener_;
  int port_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_AGENT_LOOPBACK_H_
