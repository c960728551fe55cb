// Roles by the name on a certificate: who may operate, run nodes, act for whom.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scheduler/rpc/listen_address.h"

namespace ccsched {
namespace {

using ::testing::HasSubstr;

v1::ListenConfig WithRoles() {
  v1::ListenConfig config;
  config.set_address("0.0.0.0:7390");
  config.set_tls_key("key.pem");
  config.set_tls_certificate("cert.pem");
  config.set_tls_client_ca("ca.pem");
  config.add_operators("olga");
  config.add_agents("node-*");
  config.add_agents("gpu1");
  return config;
}

TEST(AccessTest, WithoutRolesEverybodyMayDoAll) {
  const Access access{v1::ListenConfig()};
  EXPECT_FALSE(access.on());
  for (const char* name : {"", "alice"}) {
    EXPECT_TRUE(access.MayOperate(name).ok());
    EXPECT_TRUE(access.MayRunNodes(name).ok());
    EXPECT_TRUE(access.MayActFor(name, "bob").ok());
  }
}

TEST(AccessTest, AnOperatorMayDoAllButRunNodes) {
  const Access access(WithRoles());
  EXPECT_TRUE(access.MayOperate("olga").ok());
  EXPECT_TRUE(access.MayActFor("olga", "bob").ok());
  EXPECT_TRUE(absl::IsPermissionDenied(access.MayRunNodes("olga")));
}

TEST(AccessTest, AUserMayActForNobodyElse) {
  const Access access(WithRoles());
  EXPECT_TRUE(access.MayActFor("alice", "alice").ok());
  EXPECT_TRUE(absl::IsPermissionDenied(access.MayActFor("alice", "bob")));
  EXPECT_TRUE(absl::IsPermissionDenied(access.MayActFor("alice", "")));
  EXPECT_TRUE(absl::IsPermissionDenied(access.MayOperate("alice")));
  EXPECT_TRUE(absl::IsPermissionDenied(access.MayRunNodes("alice")));
  EXPECT_THAT(std::string(access.MayOperate("alice").message()),
              HasSubstr("you are 'alice' by your certificate"));
}

TEST(AccessTest, AnAgentRunsNodesAndHasNoJobs) {
  const Access access(WithRoles());
  for (const char* name : {"node-7", "node-", "gpu1"}) {
    EXPECT_TRUE(access.MayRunNodes(name).ok()) << name;
    EXPECT_TRUE(absl::IsPermissionDenied(access.MayActFor(name, name)));
    EXPECT_TRUE(absl::IsPermissionDenied(access.MayOperate(name)));
  }
  for (const char* name : {"node", "gpu12", "xnode-1"}) {
    EXPECT_FALSE(access.MayRunNodes(name).ok()) << name;
  }
}

TEST(AccessTest, NobodyWithoutANameMayDoAnything) {
  const Access access(WithRoles());
  EXPECT_FALSE(access.MayOperate("").ok());
  EXPECT_FALSE(access.MayRunNodes("").ok());
  EXPECT_FALSE(access.MayActFor("", "").ok());
}

TEST(AccessTest, RolesThatWereReplacedHoldFromThenOn) {
  Access access(WithRoles());
  v1::ListenConfig other = WithRoles();
  other.set_operators(0, "alice");
  other.clear_agents();
  other.add_agents("gpu1");
  access.Replace(other);
  EXPECT_TRUE(access.MayOperate("alice").ok());
  EXPECT_FALSE(access.MayOperate("olga").ok());
  EXPECT_FALSE(access.MayRunNodes("node-7").ok());
  EXPECT_TRUE(access.MayRunNodes("gpu1").ok());
  access.Replace(v1::ListenConfig());
  EXPECT_FALSE(access.on());
  EXPECT_TRUE(access.MayOperate("olga").ok());
}

TEST(AccessTest, ACallerWithoutACertificateIsLocalOrAnAddress) {
  for (const char* peer :
       {"unix:", "unix:/run/ccsched.sock", "unix-abstract:x",
        "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711", "ipv6:[::1]:4711",
        "ipv6:%5B::ffff:127.0.0.1%5D:4711"}) {
    EXPECT_EQ(CallerAt(peer), "local") << peer;
  }
  EXPECT_EQ(CallerAt("ipv4:10.1.2.3:4711"), "10.1.2.3");
  EXPECT_EQ(CallerAt("ipv6:%5Bfe80::1%5D:4711"), "fe80::1");
  EXPECT_EQ(CallerAt("ipv4:12.7.0.1:80"), "12.7.0.1");
  EXPECT_EQ(CallerAt(""), "");
  EXPECT_EQ(CallerAt("ipv4"), "ipv4");
}

TEST(AccessTest, RolesNeedCertificatesAndEachOther) {
  EXPECT_TRUE(CheckListenConfig(WithRoles()).ok());
  v1::ListenConfig config = WithRoles();
  config.clear_agents();
  EXPECT_THAT(std::string(CheckListenConfig(config).message()),
              HasSubstr("operators and agents must be given together"));
  config = WithRoles();
  config.clear_tls_client_ca();
  EXPECT_THAT(std::string(CheckListenConfig(config).message()),
              HasSubstr("tls_client_ca"));
  for (const char* name : {"", "*"}) {
    config = WithRoles();
    config.add_agents(name);
    EXPECT_TRUE(absl::IsInvalidArgument(CheckListenConfig(config))) << name;
  }
}

}  // namespace
}  // namespace ccsched
