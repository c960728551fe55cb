// A wire that a test can cut: a proxy between an agent and the scheduler.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_PROXY_H_
#define CCSCHED_TESTS_FAULT_PROXY_H_

#include <atomic>
#include <list>
#include <string>
#include <thread>

#include "tests/fault/wire.h"

namespace ccsched::testing {

// Listens on a unix socket and forwards every connection to another. A
// blocked direction keeps its connections open and its bytes back, as a
// network that drops packets does; they arrive when it is unblocked.
class Proxy final : public Wire {
 public:
  // REQUIRES: `listen` does not exist.
  Proxy(const std::string& listen, const std::string& target);
  ~Proxy() override;
  Proxy(const Proxy&) = delete;

  void Block(bool towards_scheduler, bool towards_agent) override {
    block_up_ = towards_scheduler;
    block_down_ = towards_agent;
  }
  // Closes every connection; new ones are taken as before.
  void Cut() override { cut_ = true; }

 private:
  struct Link {
    int agent = -1;
    int scheduler = -1;
    std::string up, down;  // bytes on their way
    bool dead = false;
  };
  void Run();
  void Accept();
  void Carry(Link& link);
  static bool Pump(int from, int to, std::string& buffer, bool blocked);
  static void Close(Link& link);

  const std::string target_;
  int listener_ = -1;
  std::list<Link> links_;
  std::atomic<bool> block_up_{false}, block_down_{false}, cut_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_PROXY_H_
