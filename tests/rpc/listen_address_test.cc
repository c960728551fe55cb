// The scheduler listens near by, or with TLS, or not at all.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/rpc/server.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

v1::ListenConfig On(const std::string& address) {
  v1::ListenConfig config;
  config.set_address(address);
  return config;
}

TEST(ListenAddressTest, IsFreeOnThisMachine) {
  for (const char* address : {"127.0.0.1:7390", "127.0.0.1:0", "localhost:80",
                              "[::1]:7390", "unix:/run/ccsched.sock"}) {
    EXPECT_TRUE(CheckListenConfig(On(address)).ok()) << address;
  }
}

TEST(ListenAddressTest, NeedsTlsBeyondThisMachine) {
  for (const char* address :
       {"0.0.0.0:7390", "[::]:7390", "scheduler.example:7390", "10.0.0.1:1",
        "127.0.0.1.example:7390", "127.evil:1"}) {
    const absl::Status refused = CheckListenConfig(On(address));
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << address;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("tls_certificate"));
  }
  v1::ListenConfig config = On("0.0.0.0:7390");
  config.set_tls_key("key.pem");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckListenConfig(config)));
  config.set_tls_certificate("cert.pem");
  EXPECT_TRUE(CheckListenConfig(config).ok());
}

TEST(ListenAddressTest, MustBeAnAddress) {
  for (const char* address :
       {"", "7390", ":7390", "localhost:http", "localhost:70000", "unix:"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckListenConfig(On(address))))
        << address;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      CheckListenConfig(On("unix:/" + std::string(120, 'x')))));
}

TEST(ListenAddressTest, NamesATlsFileThatCantBeRead) {
  v1::ListenConfig config = On("127.0.0.1:0");
  config.set_tls_key("/nowhere/key.pem");
  config.set_tls_certificate("/nowhere/cert.pem");
  Inbox inbox(1);
  const auto server = Server::Start(config, {.inbox = &inbox});
  EXPECT_TRUE(absl::IsNotFound(server.status()));
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("/nowhere/key.pem"));
}

}  // namespace
}  // namespace ccsched
