// NVIDIA accelerators by the metrics of a DCGM exporter.
// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>

#include "agent/boot_clock.h"
#include "agent/dcgm_text.h"
#include "agent/meter.h"
#include "agent/spawn.h"

namespace ccsched {
namespace {

constexpr timeval kTimeout{.tv_sec = 0, .tv_usec = 500000};
// All of it: the agent does nothing else meanwhile.
constexpr int64_t kAnswerNsMax = 2 * kNanosPerSecond;
constexpr size_t kAnswerBytesMax = 16 << 20;

// A connected socket; invalid if there is none within the timeout.
Fd ConnectTo(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Fd();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.substr(0, colon).c_str(),
                  address.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return Fd();
  }
  Fd connected;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Fd fd(socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
    if (!fd.valid()) continue;
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof(kTimeout));
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof(kTimeout));
    if (connect(fd.get(), a->ai_addr, a->ai_addrlen) == 0) {
      connected = std::move(fd);
      break;
    }
  }
  freeaddrinfo(found);
  return connected;
}

// The body of GET /metrics; nothing unless the answer is a whole 200.
std::optional<std::string> Fetch(const std::string& address) {
  const Fd fd = ConnectTo(address);
  if (!fd.valid()) return std::nullopt;
  const std::string request = "GET /metrics HTTP/1.0\r\nHost: " + address +
                              "\r\nAccept: text/plain\r\n\r\n";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::nullopt;
  }
  const int64_t until = BootNanos() + kAnswerNsMax;
  std::string answer;
  char buffer[65536];
  ssize_t n;
  while ((n = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0) {
    answer.append(buffer, n);
    if (answer.size() > kAnswerBytesMax || BootNanos() > until) {
      return std::nullopt;
    }
  }
  const size_t body = answer.find("\r\n\r\n");
  if (n < 0 || body == std::string::npos ||
      answer.compare(0, 5, "HTTP/") != 0 || answer.substr(8, 4) != " 200") {
    return std::nullopt;
  }
  return answer.substr(body + 4);
}

class DcgmMeter : public Meter {
 public:
  DcgmMeter(std::string address, size_t count)
      : address_(std::move(address)), count_(count) {}
  std::string name() const override { return "dcgm"; }
  size_t device_count() const override { return count_; }
  std::vector<DeviceReading> Read() override {
    const auto text = Fetch(address_);
    std::vector<DeviceReading> readings;
    if (text) readings = ParseDcgm(*text);
    readings.resize(count_);  // what is missing is unknown
    return readings;
  }

 private:
  const std::string address_;
  const size_t count_;
};

}  // namespace

std::unique_ptr<Meter> OpenDcgm(const std::string& address) {
  const auto text = Fetch(address);
  const size_t count = text ? ParseDcgm(*text).size() : 0;
  if (count == 0) return nullptr;
  return std::make_unique<DcgmMeter>(address, count);
}

}  // namespace ccsched
