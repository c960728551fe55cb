// A cluster over TLS, with certificates on both sides: it runs jobs, and takes
// nobody who has none.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/shell.h"
#include "tests/fault/process.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Makes an authority and certificates that it signed, for a day.
constexpr char kMakeCertificates[] = R"(
set -eu
new_key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
new_key ca
openssl req -x509 -new -key ca.key -days 1 -subj /CN=authority -out ca.pem
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > names
for who in server client alice bob; do
  new_key $who
  openssl req -new -key $who.key -subj /CN=$who -out $who.csr
  openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
    -days 1 -extfile names -out $who.pem
done
)";

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::string pattern = fs::temp_directory_path() / "ccsched-tls-XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~TlsTest() override {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }

  std::string In(const std::string& name) const { return dir_ + "/" + name; }
  // The address that the scheduler says it serves at; empty if it says none.
  std::string WaitForAddress() const {
    std::string address;
    Eventually(absl::Seconds(20), [&] {
      std::ifstream in(In("scheduler.log"));
      for (std::string line; std::getline(in, line);) {
        const size_t at = line.find("127.0.0.1:");
        if (at == std::string::npos) continue;
        address = line.substr(at, line.find('"', at) - at);
      }
      return !address.empty();
    });
    return address;
  }
  // `roles`: more of the listen configuration.
  void StartScheduler(const std::string& roles = "") {
    const CommandResult made =
        RunCommand({"/bin/sh", "-c", kMakeCertificates}, dir_, {});
    ASSERT_EQ(made.status, 0) << made.err;
    std::ofstream(In("cluster.yaml"))
        << "version: 1\n"
           "listen: {address: '127.0.0.1:0', tls_certificate: "
        << In("server.pem") << ", tls_key: " << In("server.key")
        << ", tls_client_ca: " << In("ca.pem") << roles
        << "}\n"
           "regions: [{name: grid}]\n"
           "sites: [{name: here, region: grid, pools: [{accelerator: cpu, "
           "idle_watts: 1, active_watts: 9}]}]\n"
           "policy: fcfs\n";
    scheduler_ = Process::Start(
        {CCSCHEDD, "--config", In("cluster.yaml"), "--state", In("state")},
        In("scheduler.log"));
    address_ = WaitForAddress();
    ASSERT_FALSE(address_.empty());
  }
  std::string SchedulerLog() const {
    std::ifstream in(In("scheduler.log"));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Process StartAgent(const std::string& node) {
    return Process::Start({CCSCHED_AGENT,
                           "--scheduler",
                           address_,
                           "--node",
                           node,
                           "--site",
                           "here",
                           "--accelerator",
                           "cpu",
                           "--count",
                           "1",
                           "--state",
                           In(node),
                           "--tls-ca",
                           In("ca.pem"),
                           "--tls-certificate",
                           In("client.pem"),
                           "--tls-key",
                           In("client.key"),
                           "--meter",
                           "model"},
                          In(node + ".log"));
  }
  CommandResult Ccsched(std::vector<std::string> args) const {
    args.insert(args.begin(), {CCSCHED, "--address", address_});
    return RunCommand(args, dir_, {"NO_COLOR=1"});
  }
  CommandResult As(const std::string& who,
                   std::vector<std::string> args) const {
    args.insert(args.begin(),
                {"--tls-ca", In("ca.pem"), "--tls-certificate",
                 In(who + ".pem"), "--tls-key", In(who + ".key")});
    return Ccsched(args);
  }

  std::string dir_, address_;
  Process scheduler_;
};

TEST_F(TlsTest, RunsAJobAndTakesNobodyWithoutACertificate) {
  StartScheduler();
  const Process agent = StartAgent("n1");
  const CommandResult ran =
      As("client", {"submit", "--wait", "--", "sh", "-c", "exit 5"});
  EXPECT_EQ(ran.status, 5) << ran.err;

  const CommandResult in_clear = Ccsched({"queue"});
  EXPECT_EQ(in_clear.status, 3);
  EXPECT_THAT(in_clear.err, HasSubstr("one that uses TLS needs --tls-ca"));
  EXPECT_EQ(Ccsched({"--tls-ca", In("ca.pem"), "queue"}).status, 3);

  const CommandResult no_file = Ccsched({"--tls-ca", In("none.pem"), "queue"});
  EXPECT_EQ(no_file.status, 2);
  EXPECT_THAT(no_file.err, HasSubstr("none.pem can't be read"));
  const CommandResult half = Ccsched(
      {"--tls-ca", In("ca.pem"), "--tls-key", In("client.key"), "queue"});
  EXPECT_EQ(half.status, 2);
  EXPECT_THAT(half.err, HasSubstr("must be given together"));
}

TEST_F(TlsTest, AUserSteersOwnJobsAndNeitherOthersNorTheCluster) {
  StartScheduler(", operators: [server], agents: [client]");
  const Process agent = StartAgent("n1");
  std::ofstream(In("alice.yaml")) << "user: alice\ncommand: [sleep, '600']\n";
  std::ofstream(In("bob.yaml")) << "user: bob\ncommand: ['true']\n";

  const CommandResult others = As("alice", {"submit", In("bob.yaml")});
  EXPECT_NE(others.status, 0);
  EXPECT_THAT(others.err, HasSubstr("you are 'alice' by your certificate"));
  const CommandResult agents = As("client", {"submit", In("bob.yaml")});
  EXPECT_THAT(agents.err, HasSubstr("an agent has no jobs"));
  const CommandResult own = As("alice", {"submit", "--hold", In("alice.yaml")});
  EXPECT_EQ(own.status, 0) << own.err;

  EXPECT_EQ(As("bob", {"queue"}).status, 0);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"cancel", "1"},
        {"logs", "1"},
        {"hold", "1"}}) {
    EXPECT_THAT(As("bob", command).err, HasSubstr("only 'alice'"))
        << command[0];
  }
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"drain", "n1", "--reason", "test"},
        {"policy", "set", "fcfs"}}) {
    EXPECT_THAT(As("alice", command).err, HasSubstr("only an operator"))
        << command[0];
    EXPECT_EQ(As("server", command).status, 0) << command[0];
  }
  EXPECT_EQ(As("server", {"submit", In("bob.yaml")}).status, 0);
  const CommandResult cancelled = As("alice", {"cancel", "1"});
  EXPECT_EQ(cancelled.status, 0) << cancelled.out << cancelled.err;
}

// Roles are read again with the configuration, all of it or nothing.
TEST_F(TlsTest, RolesChangeWithAReloadAndAreOnRecord) {
  StartScheduler(", operators: [server], agents: [client]");
  const Process agent = StartAgent("n1");
  const auto nodes = [&](const std::string& wanted) {
    return Eventually(absl::Seconds(20), [&] {
      return As("server", {"nodes", "-o", "json"}).out.find(wanted) !=
             std::string::npos;
    });
  };
  const auto reload = [&](const std::string& from, const std::string& to,
                          const std::string& said) {
    std::ifstream in(In("cluster.yaml"));
    std::string text(std::istreambuf_iterator<char>(in), {});
    text.replace(text.find(from), from.size(), to);
    std::ofstream(In("cluster.yaml")) << text;
    scheduler_.Signal(SIGHUP);
    return Eventually(absl::Seconds(20), [&] {
      return SchedulerLog().find(said) != std::string::npos;
    });
  };
  ASSERT_TRUE(nodes("\"up\""));
  std::ofstream(In("job.yaml")) << "user: alice\ncommand: ['true']\n";
  ASSERT_EQ(As("alice", {"submit", "--hold", In("job.yaml")}).status, 0);

  // All users, by mistake, would be operators: nothing changes.
  ASSERT_TRUE(
      reload("operators: [server]", "operators: ['*']", "names nobody apart"));
  EXPECT_THAT(As("alice", {"drain", "n1", "--reason", "x"}).err,
              HasSubstr("only an operator"));
  EXPECT_EQ(As("server", {"drain", "n1", "--reason", "x"}).status, 0);

  ASSERT_TRUE(reload("operators: ['*'], agents: [client]",
                     "operators: [bob], agents: [server]",
                     "\"act\":\"reload\",\"target\":\"configuration\","
                     "\"detail\":\"\",\"outcome\":\"done\""));
  EXPECT_THAT(As("server", {"undrain", "n1"}).err,
              HasSubstr("only an operator"));
  EXPECT_EQ(As("bob", {"undrain", "n1"}).status, 0);
  EXPECT_TRUE(nodes("\"silent\"")) << "its agent is none any more";
  EXPECT_EQ(As("bob", {"cancel", "--reason", "tidying", "1"}).status, 0);
  const std::string shown = As("alice", {"show", "1", "-o", "json"}).out;
  EXPECT_THAT(shown, HasSubstr("\"by\":\"bob\""));
  EXPECT_THAT(shown, HasSubstr("tidying"));
  const CommandResult audit = As("bob", {"audit", "-o", "csv"});
  EXPECT_THAT(audit.out, HasSubstr(",server,drain,node n1,,x\n")) << audit.err;
  EXPECT_THAT(audit.out, HasSubstr(",bob,cancel,job 1,1,tidying\n"));
  EXPECT_EQ(As("bob", {"audit", "--by", "alice", "-o", "csv"}).out,
            "at,by,act,target,job_id,detail\n")
      << "what was refused is not done";
  EXPECT_THAT(As("alice", {"audit"}).err, HasSubstr("only an operator"));
  EXPECT_THAT(SchedulerLog(),
              HasSubstr("\"by\":\"alice\",\"act\":\"drain\",\"target\":"
                        "\"node n1\",\"detail\":\"x\",\"outcome\":"
                        "\"PERMISSION_DENIED"));
}

TEST_F(TlsTest, AUserRunsNoNode) {
  StartScheduler(", operators: [server], agents: [alice]");
  const Process agent = StartAgent("n1");  // shows the client's certificate
  const bool said = Eventually(absl::Seconds(20), [&] {
    std::ifstream in(In("n1.log"));
    const std::string log(std::istreambuf_iterator<char>(in), {});
    return log.find("only an agent may run a node") != std::string::npos;
  });
  EXPECT_TRUE(said);
  EXPECT_EQ(As("server", {"nodes", "-o", "json"}).out.find("n1"),
            std::string::npos);
}

}  // namespace
}  // namespace ccsched::testing
