// What the first process of a job's container tells the job's supervisor.
// SPDX-License-Identifier: Apache-2.0
#include "agent/init_notes.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/pidfd.h"

namespace ccsched {
namespace {

void Close(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

// The process that the kernel says a message is from, by its number here; 0 if
// it is not seen from here.
pid_t SenderOf(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) {
      continue;
    }
    ucred from{};
    std::memcpy(&from, CMSG_DATA(c), sizeof(from));
    return from.pid;
  }
  return 0;
}

}  // namespace

void WriteInitNote(const InitNote& note) {
  [[maybe_unused]] const ssize_t n =
      send(kInitNotesFd, &note, sizeof(note), MSG_NOSIGNAL | MSG_DONTWAIT);
}

InitNotes::~InitNotes() {
  Close(near_);
  Close(far_);
  Close(process_);
}

bool InitNotes::Open() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  near_ = ends[0];
  far_ = ends[1];
  const int on = 1;
  return setsockopt(near_, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0;
}

void InitNotes::CloseFarEnd() { Close(far_); }

void InitNotes::Read() {
  while (near_ >= 0) {
    InitNote note;
    iovec bytes{&note, sizeof(note)};
    // Descriptors that a job may send along are dropped with the message.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t n = recvmsg(near_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Close(near_);  // all that could write are gone
    if (n == sizeof(note)) Take(note, SenderOf(message));
  }
}

// The first that says so is the one: it does before it begins the command,
// which might find the socket and write to it too.
void InitNotes::Take(const InitNote& note, pid_t sender) {
  if (note.kind == InitNote::kRuns && !runs_ && sender > 0) {
    runs_ = true;
    process_ = pidfd_open(sender, 0);
  } else if (note.kind == InitNote::kEnded && runs_ && !ended_) {
    ended_ = note.status;
  }
}

void InitNotes::Signal(int number) const {
  if (process_ < 0) return;
  pidfd_send_signal(process_, number, nullptr, 0);
}

}  // namespace ccsched
