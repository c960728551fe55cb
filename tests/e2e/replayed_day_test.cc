// A day of a real cluster, with kills, restarts, reloads and other policies,
// comes out of its ledger again, decision by decision.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/e2e/shell.h"

namespace ccsched::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Three sites, half an hour a second, leases of seconds, projects with shares
// and a budget that is soon used up.
class ReplayedDayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "ccsched-replay-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    Must({"dev", "up", "--clock-rate", "1800", "--start",
          "2026-06-15T17:00:00Z"});
    Must({"dev", "down"});
    Configure(R"("version": 1,)", R"("version": 1,
 "lease": "2s", "heartbeat": "300ms",
 "projects": [
  {"name": "vision", "share": 3, "budget": {"co2e_kg": 1, "period": "month"},
   "action": "hold"},
  {"name": "speech", "share": 1}],)");
    Must({"dev", "up"});
    // Saves its state when asked to, else works for two seconds.
    std::ofstream(dir_ + "/saves.sh")
        << "( " << CCSCHED << " checkpoint wait && " << CCSCHED
        << " checkpoint saved state ) &\nsleep 2\nkill $! 2>/dev/null\n"
           "exit 0\n";
  }
  void TearDown() override {
    Ccsched({"dev", "down"});
    if (HasFailure()) {
      std::cerr << "kept for inspection: " << dir_ << '\n';
      return;
    }
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }

  CommandResult Ccsched(std::vector<std::string> args) {
    args.insert(args.begin(), CCSCHED);
    return RunCommand(args, dir_,
                      {"CCSCHED_DEV_DIR=" + dir_ + "/dev", "NO_COLOR=1"});
  }
  std::string Must(std::vector<std::string> args) {
    const CommandResult result = Ccsched(args);
    EXPECT_EQ(result.status, 0) << args[0] << ": " << result.err;
    return result.out;
  }
  // Submits, and returns the number of the first job.
  uint64_t Submit(std::vector<std::string> args) {
    args.insert(args.begin(), {"submit", "--parsable"});
    const std::string out = Must(args);
    return strtoull(out.c_str(), nullptr, 10);
  }

  void Configure(const std::string& before, const std::string& after) {
    const std::string path = dir_ + "/dev/cluster.yaml";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    ASSERT_TRUE(absl::StrContains(text.str(), before)) << text.str();
    std::ofstream(path) << absl::StrReplaceAll(text.str(), {{before, after}});
  }
  void Signal(const std::string& name, int number) {
    pid_t pid = 0;
    std::ifstream(dir_ + "/dev/run/" + name + ".pid") >> pid;
    ASSERT_GT(pid, 0) << name;
    kill(pid, number);
  }
  Json Replayed(const std::string& state) {
    const CommandResult result =
        Ccsched({"sim", "replay", state, "-o", "json"});
    Json j = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(j.is_discarded()) << result.out << result.err;
    EXPECT_EQ(result.status, j.value("same", false) ? 0 : 1);
    return j;
  }

  // Jobs of every kind, and what people do to them.
  void Work() {
    const uint64_t speech =
        Submit({"--array", "0-29%4", "--max-delay", "6h", "--runtime", "15m",
                "--project", "speech", "--", "sleep", "0.3"});
    Submit({"--array", "0-9", "--max-delay", "1h", "--runtime", "10m",
            "--project", "vision", "--accelerators", "2", "--", "sleep",
            "0.2"});
    for (int i = 0; i < 3; ++i) {
      Submit({"--suspendable", "--grace", "10m", "--checkpoint", "1m",
              "--restart", "1m", "--max-delay", "12h", "--runtime", "1h", "--",
              "sh", "saves.sh"});
    }
    const uint64_t elastic =
        Submit({"--elastic", "1:6", "--accelerators", "2", "--max-delay", "0s",
                "--runtime", "2h", "--", "sh", "saves.sh"});
    const uint64_t after = Submit(
        {"--after", absl::StrCat(elastic), "--max-delay", "3h", "--", "true"});
    Must({"hold", absl::StrCat(after)});
    // Any of these may come too late.
    Ccsched({"cancel", absl::StrCat(speech + 7)});
    Ccsched({"hold", absl::StrCat(speech + 9)});
    absl::SleepFor(absl::Milliseconds(500));
    Ccsched({"resize", "--accelerators", "4", absl::StrCat(elastic)});
    Ccsched({"release", absl::StrCat(speech + 9)});
    Must({"release", absl::StrCat(after)});
  }

  std::string dir_;
};

// Writes into a copy of the ledger what was never decided.
void ForgetADecision(const std::string& ledger) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(ledger.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db,
                         "UPDATE steps SET decisions = x'' WHERE sequence = "
                         "(SELECT max(sequence) FROM steps "
                         "WHERE length(decisions) > 0)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(sqlite3_changes(db), 1);
  sqlite3_close(db);
}

TEST_F(ReplayedDayTest, ComesOutAgainOverKillsRestartsAndReloads) {
  const std::vector<std::string> policies = {"fcfs",    "lowest-window",
                                             "planner", "wait-awhile",
                                             "planner", "carbon-scaler"};
  for (size_t round = 0; round < policies.size(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    Must({"policy", "set", policies[round]});
    Work();
    switch (round) {
      case 0:  // jobs end while there is no scheduler
        Signal("ccschedd", SIGKILL);
        absl::SleepFor(absl::Seconds(1));
        Must({"dev", "up"});
        break;
      case 1:  // a node is silent until its lease is over
        Signal("coalport-1", SIGKILL);
        absl::SleepFor(absl::Seconds(4));
        Must({"dev", "up"});
        break;
      case 2:  // the budget gets room
        Configure(R"("co2e_kg": 1)", R"("co2e_kg": 9)");
        Signal("ccschedd", SIGHUP);
        break;
      case 3:
        Must({"drain", "windhaven-1", "--reason", "a test"});
        absl::SleepFor(absl::Milliseconds(300));
        Must({"undrain", "windhaven-1"});
        break;
      case 4:
        for (const char* name :
             {"ccschedd", "coalport-1", "solarville-1", "windhaven-1"}) {
          Signal(name, SIGKILL);
        }
        Must({"dev", "up"});
        break;
      default:
        Must({"dev", "down"});
        Must({"dev", "up"});
    }
    const Json now = Replayed(dir_ + "/dev/state");
    EXPECT_EQ(now["same"], true) << now.dump(1);
  }
  // The record goes on to the end of the day.
  absl::SleepFor(absl::Seconds(3));
  Must({"dev", "down"});
  const Json all = Replayed(dir_ + "/dev/state");
  EXPECT_EQ(all["same"], true) << all.dump(1);
  EXPECT_EQ(all["boots"], 5);
  EXPECT_EQ(all["jobs"], 270);
  EXPECT_GT(all["steps"], 300);
  EXPECT_GT(all["decisions"], 400);

  fs::copy(dir_ + "/dev/state", dir_ + "/forged", fs::copy_options::recursive);
  ForgetADecision(dir_ + "/forged/ledger.db");
  const Json forged = Replayed(dir_ + "/forged");
  EXPECT_EQ(forged["same"], false);
  EXPECT_EQ(forged["difference"]["recorded"], "nothing more") << forged.dump(1);
}

}  // namespace
}  // namespace ccsched::testing
