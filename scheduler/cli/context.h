// What every command shares: streams, colour, the way to the scheduler.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_CONTEXT_H_
#define CCSCHED_SCHEDULER_CLI_CONTEXT_H_

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "scheduler/cli/client.h"

namespace ccsched {

// The exit status of every command (see `ccsched --help`); with --wait it is
// the job's own.
enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,       // what was asked for failed
  kExitWrong = 2,        // the request was wrong
  kExitUnreachable = 3,  // the scheduler could not be reached
};

struct Context {
  Context(std::ostream& data, std::ostream& messages)
      : out(data), err(messages) {}

  std::ostream& out;  // data
  std::ostream& err;  // messages
  bool out_colour = false;
  bool out_terminal = false;
  bool err_terminal = false;
  bool in_terminal = false;
  int out_width = 80;
  std::string address;                           // --address
  std::string tls_ca, tls_certificate, tls_key;  // --tls-…: PEM files
  std::function<std::string(const char*)> env;   // empty if it is not set
  std::function<void(absl::Duration)> sleep = absl::SleepFor;

  // The client of the scheduler that the user means: --address, then
  // CCSCHED_ADDRESS, then the embedded cluster's, then 127.0.0.1:7390.
  Client& client();
  std::string Address() const;
  // The address with the TLS files: --tls-… over CCSCHED_TLS_….
  Endpoint endpoint() const;
  // The embedded cluster's folder: CCSCHED_DEV_DIR, or one below the home.
  std::string DevDir() const;
  // For tests: what client() gives from now on.
  void set_client(std::unique_ptr<Client> client) {
    client_ = std::move(client);
  }

  // Prints a message, line by line, with nothing in it that steers a terminal:
  // it may name what was given, or what a scheduler said.
  void Say(const std::string& message);
  // Prints "ccsched: message" and returns the exit status that fits.
  int Fail(const absl::Status& status);
  // The same for a request that is wrong by itself.
  int Wrong(const std::string& message);

 private:
  std::unique_ptr<Client> client_;
};

// InvalidArgument, NotFound, AlreadyExists, OutOfRange, Unimplemented: 2.
// Unavailable and DeadlineExceeded: 3. Others: 1.
int ExitCodeOf(const absl::Status& status);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_CONTEXT_H_
