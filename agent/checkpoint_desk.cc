// The handshake by which a job saves its state before it is suspended.
// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint_desk.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "agent/boot_clock.h"

namespace ccsched {
namespace {

constexpr size_t kClientsMax = 16;
constexpr int kBacklog = 8;  // of clients that have not been let in yet
constexpr size_t kLineMax = 4096;
constexpr size_t kIdMax = 400;

void Say(int fd, const std::string& line) {
  // A client that does not read is not waited for.
  [[maybe_unused]] const ssize_t n =
      send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Anew: what the job may have put there, a pipe that nobody reads or another
// name of a file that is not its own, is not written to.
void WriteFile(const std::string& path, const std::string& text) {
  unlink(path.c_str());
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t n = write(fd, text.data(), text.size());
  close(fd);
}

}  // namespace

CheckpointDesk::~CheckpointDesk() {
  for (const Client& client : clients_) close(client.fd);
  if (listener_ >= 0) close(listener_);
}

void CheckpointDesk::Open(const std::string& folder,
                          const std::optional<RunAs>& run_as) {
  folder_ = folder;
  const std::string path = folder + "/control";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  unlink(path.c_str());
  bool open =
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(fd, kBacklog) == 0;
  if (open && run_as) {
    // Not what its user may have put there instead by now.
    open = lchown(path.c_str(), run_as->uid, run_as->gid) == 0;
  }
  if (open) {
    listener_ = fd;
  } else {
    close(fd);
  }
}

std::string CheckpointDesk::Status() const {
  if (!until_) return "none\n";
  const int64_t left = std::max<int64_t>(0, *until_ - BootNanos());
  return "suspend " + std::to_string(left / kNanosPerSecond) + " " + reason_ +
         "\n";
}

bool CheckpointDesk::Ask(int64_t until_boot_nanos, const std::string& reason) {
  until_ = until_boot_nanos;
  reason_ = reason;
  saved_ = refused_ = false;
  if (folder_.empty()) return false;
  unlink((folder_ + "/saved").c_str());
  WriteFile(folder_ + "/suspend", Status());
  bool told = false;
  for (Client& client : clients_) {
    if (!client.watches) continue;
    client.watches = false;
    Say(client.fd, Status());
    told = true;
  }
  return told;
}

void CheckpointDesk::Withdraw() {
  until_.reset();
  if (!folder_.empty()) unlink((folder_ + "/suspend").c_str());
}

void CheckpointDesk::ReadFile() {
  if (folder_.empty()) return;
  const int fd = open((folder_ + "/saved").c_str(),
                      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return;
  char text[kLineMax];
  const ssize_t n = read(fd, text, sizeof(text));
  close(fd);
  if (n <= 0) return;
  const std::string line(text, n);
  Take(line.substr(0, line.find('\n')));
}

bool CheckpointDesk::Take(const std::string& seconds_and_id) {
  char* end = nullptr;
  const double seconds = std::strtod(seconds_and_id.c_str(), &end);
  const std::string id = *end == ' ' ? std::string(end + 1) : "";
  // At most a year, so that nanoseconds can count it.
  if (end == seconds_and_id.c_str() || !std::isfinite(seconds) || seconds < 0 ||
      seconds > 3.2e7 || id.empty() || id.size() > kIdMax) {
    return false;
  }
  id_ = id;
  cost_ns_ = static_cast<int64_t>(seconds * 1e9);
  saved_ = true;
  return true;
}

std::string CheckpointDesk::Answer(const std::string& line, Client& client) {
  if (line == "status") return Status();
  if (line == "watch") {
    client.watches = !until_;
    return until_ ? Status() : "";
  }
  if (line == "refuse") {
    refused_ = true;
    return "ok\n";
  }
  if (line.compare(0, 6, "saved ") == 0 && Take(line.substr(6))) return "ok\n";
  return "error: status, watch, saved SECONDS ID, or refuse\n";
}

void CheckpointDesk::AddTo(std::vector<pollfd>& fds) const {
  fds.push_back({listener_, POLLIN, 0});
  for (const Client& client : clients_) fds.push_back({client.fd, POLLIN, 0});
}

void CheckpointDesk::Handle(const pollfd* fds) {
  const bool knock = fds[0].revents != 0;
  size_t i = 1;
  for (auto it = clients_.begin(); it != clients_.end(); ++i) {
    if (fds[i].revents != 0 && !Read(*it)) {
      close(it->fd);
      it = clients_.erase(it);
    } else {
      ++it;
    }
  }
  if (knock) Accept();
}

void CheckpointDesk::Drain() {
  // No more than can have waited: others of the job may go on knocking.
  for (int i = 0; i <= kBacklog && listener_ >= 0 && Accept(); ++i) {
  }
  for (Client& client : clients_) Read(client);
}

bool CheckpointDesk::Accept() {
  const int fd =
      accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return false;
  if (clients_.size() >= kClientsMax) {
    close(fd);
  } else {
    clients_.push_back({.fd = fd, .in = {}, .watches = false});
  }
  return true;
}

// False: the client is gone, or talks too much.
bool CheckpointDesk::Read(Client& client) {
  char buffer[kLineMax];
  const ssize_t n = read(client.fd, buffer, sizeof(buffer));
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  client.in.append(buffer, n);
  for (size_t end; (end = client.in.find('\n')) != std::string::npos;) {
    const std::string line = client.in.substr(0, end);
    client.in.erase(0, end + 1);
    Say(client.fd, Answer(line, client));
  }
  return client.in.size() <= kLineMax;
}

}  // namespace ccsched
