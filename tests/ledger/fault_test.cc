// A disk that fails or fills loses nothing acknowledged and applies no half.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "scheduler/ledger/sqlite_ledger.h"
#include "tests/ledger/faulty_vfs.h"
#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using testing::HasSubstr;

// A batch that touches every table, of jobs `first` to `first + 49`.
Batch Everything(uint64_t first) {
  Batch batch;
  for (uint64_t id = first; id < first + 50; ++id) {
    batch.submissions.push_back(Submission(id, absl::StrCat("key ", id)));
    batch.submissions.back().payload.assign(500, 'p');
    batch.states.push_back(State(id));
    batch.attempts.push_back(Attempt(id));
    batch.decisions.push_back(Decision(id));
    batch.emissions.push_back(Emission(id, 1, 0));
    batch.baselines.push_back({JobId(id), 5, false});
  }
  batch.nodes = {Node(first)};
  batch.grids = {Grid("A", first, true)};
  batch.step = StepRow{At(first), std::string(2000, 'e'), "d"};
  batch.settings = {{absl::StrCat("s", first), "v"}};
  return batch;
}

// Fails unless exactly the batches of `firsts` are in the ledger, whole.
void ExpectBatches(Ledger& ledger, const std::vector<uint64_t>& firsts) {
  Snapshot snapshot = ledger.Load().value();
  EXPECT_EQ(snapshot.jobs.size(), 50 * firsts.size());
  EXPECT_EQ(snapshot.nodes.size(), firsts.size());
  EXPECT_EQ(snapshot.grids.size(), firsts.size());
  EXPECT_EQ(snapshot.settings.size(), firsts.size());
  EXPECT_EQ(ledger.reader().Steps(0, 1000)->size(), firsts.size());
  for (uint64_t first : firsts) {
    for (uint64_t id : {first, first + 25, first + 49}) {
      JobRecord record = ledger.reader().Job(JobId(id)).value();
      EXPECT_EQ(record.attempts.size(), 1);
      EXPECT_TRUE(record.decision.has_value());
      EXPECT_EQ(record.milligrams, 440000);
      EXPECT_EQ(record.baseline_milligrams, 5);
      EXPECT_TRUE(ledger.FindKey(absl::StrCat("key ", id)).value().has_value());
    }
  }
}

absl::StatusOr<std::unique_ptr<SqliteLedger>> OpenFaulty(
    const std::string& path) {
  FaultyVfs::Install();
  SqliteLedgerOptions options;
  options.open.vfs = FaultyVfs::kName;
  // Only the commit's own operations are to be counted.
  options.checkpoint.passive_pages = int64_t{1} << 40;
  return SqliteLedger::Open(path, options);
}

class LedgerFaultTest : public testing::TestWithParam<int> {
 protected:
  void TearDown() override { FaultyVfs::Heal(); }
};

TEST_P(LedgerFaultTest, EveryFailingOperationFailsTheWholeCommitAndNoMore) {
  absl::StatusCode expected = GetParam() == SQLITE_FULL
                                  ? absl::StatusCode::kResourceExhausted
                                  : absl::StatusCode::kUnavailable;
  TempDir dir;
  auto ledger = OpenFaulty(dir.File()).value();
  std::vector<uint64_t> firsts = {1};
  ASSERT_TRUE(ledger->Commit(Everything(1)).ok());
  int64_t failing = 1;
  for (bool failed = true; failed; failing += failing < 20 ? 1 : 7) {
    uint64_t first = firsts.back() + 50;
    FaultyVfs::TakeFailures();
    FaultyVfs::FailFrom(failing, GetParam());
    absl::Status status = ledger->Commit(Everything(first));
    failed = FaultyVfs::TakeFailures() > 0;
    FaultyVfs::Heal();
    EXPECT_EQ(status.ok(), !failed)
        << "operation " << failing << ": " << status;
    if (failed) {
      EXPECT_EQ(status.code(), expected) << status;
      ExpectBatches(*ledger, firsts);
      // Space is back: the same batch goes in.
      status = ledger->Commit(Everything(first));
      ASSERT_TRUE(status.ok()) << status;
    }
    firsts.push_back(first);
  }
  EXPECT_GT(failing, 10) << "a commit of this size writes many pages";
  ExpectBatches(*ledger, firsts);
  ledger.reset();
  ExpectBatches(*OpenLedger(dir.File()), firsts);
}

TEST_P(LedgerFaultTest, AFailedCommitIsNotThereAfterReopeningEither) {
  for (int64_t failing : {1, 2, 5, 9}) {
    TempDir dir;
    auto ledger = OpenFaulty(dir.File()).value();
    ASSERT_TRUE(ledger->Commit(Everything(1)).ok());
    FaultyVfs::FailOnce(failing, GetParam());
    EXPECT_FALSE(ledger->Commit(Everything(51)).ok());
    FaultyVfs::Heal();
    ledger.reset();
    ExpectBatches(*OpenLedger(dir.File()), {1});
  }
}

INSTANTIATE_TEST_SUITE_P(FullOrBroken, LedgerFaultTest,
                         testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE),
                         [](const testing::TestParamInfo<int>& info) {
                           return info.param == SQLITE_FULL ? "Full" : "Broken";
                         });

TEST(LedgerDurabilityTest, ACommitReturnsAfterItsLogIsSynced) {
  TempDir dir;
  auto ledger = OpenFaulty(dir.File()).value();
  for (uint64_t first = 1; first < 500; first += 50) {
    ASSERT_TRUE(ledger->Commit(Everything(first)).ok());
    EXPECT_EQ(FaultyVfs::UnsyncedLogWrites(), 0);
  }
}

TEST(LedgerDurabilityTest, AFailingCheckpointHarmsNothing) {
  FaultyVfs::Install();
  TempDir dir;
  SqliteLedgerOptions options;
  options.open.vfs = FaultyVfs::kName;
  options.checkpoint.passive_pages = 20;
  options.checkpoint.restart_pages = 60;
  options.checkpoint.truncate_pages = 90;
  auto ledger = SqliteLedger::Open(dir.File(), options).value();
  std::vector<uint64_t> firsts;
  int refused = 0;
  for (uint64_t first = 1; first < 5000; first += 50) {
    FaultyVfs::FailOnce(11 + first % 70, SQLITE_FULL);
    absl::Status status = ledger->Commit(Everything(first));
    FaultyVfs::Heal();
    if (status.ok()) {
      firsts.push_back(first);
    } else {
      ++refused;
    }
  }
  ExpectBatches(*ledger, firsts);
  ledger.reset();
  ExpectBatches(*OpenLedger(dir.File()), firsts);
  EXPECT_GT(firsts.size(), 0);
  EXPECT_GT(refused, 0);
}

TEST(LedgerDurabilityTest, TheLogStaysBoundedUnderConstantWrites) {
  TempDir dir;
  SqliteLedgerOptions options;
  options.checkpoint.passive_pages = 50;
  options.checkpoint.restart_pages = 200;
  options.checkpoint.truncate_pages = 300;
  auto ledger = SqliteLedger::Open(dir.File(), options).value();
  uintmax_t longest = 0;
  for (uint64_t first = 1; first < 20000; first += 50) {
    ASSERT_TRUE(ledger->Commit(Everything(first)).ok());
    longest = std::max(longest,
                       std::filesystem::file_size(dir.File("ledger.db-wal")));
  }
  // 400 commits of some 40 pages would make 65 MB.
  EXPECT_LT(longest, 16 << 20);
}

// In a mount namespace of its own: what is mounted goes with the process.
int FillADisk(const std::string& dir) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", dir.c_str(), "tmpfs", 0, "size=3m") != 0) {
    return 77;
  }
  auto ledger = OpenSqliteLedger(dir + "/ledger.db");
  if (!ledger.ok()) return 1;
  { std::ofstream(dir + "/ballast") << std::string(1 << 20, 'b'); }
  uint64_t first = 1;
  absl::Status status;
  while (status.ok() && first < 100000) {
    status = (*ledger)->Commit(Everything(first));
    if (status.ok()) first += 50;
  }
  if (!absl::IsResourceExhausted(status)) return 2;
  if ((*ledger)->Load()->jobs.size() != first - 1) return 3;
  std::filesystem::remove(dir + "/ballast");
  if (!(*ledger)->Commit(Everything(first)).ok()) return 4;
  ledger->reset();
  ledger = OpenSqliteLedger(dir + "/ledger.db");
  if (!ledger.ok() || (*ledger)->Load()->jobs.size() != first + 49) return 5;
  return 0;
}

TEST(LedgerDurabilityTest, ARealFullDiskRefusesAndTakesAgainWhenFreed) {
  TempDir dir;
  pid_t child = fork();
  if (child == 0)
    _exit(FillADisk(std::filesystem::path(dir.File()).parent_path()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "mounting a small disk needs privileges";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(LedgerDurabilityTest, DamageIsSaidNotServed) {
  TempDir dir;
  {
    auto ledger = OpenLedger(dir.File());
    for (uint64_t first = 1; first < 1000; first += 50) {
      ASSERT_TRUE(ledger->Commit(Everything(first)).ok());
    }
  }
  auto size = std::filesystem::file_size(dir.File());
  {
    std::fstream file(dir.File(), std::ios::in | std::ios::out);
    file.seekp(4096);
    file << std::string(size - 8192, '\x5a');
  }
  auto ledger = OpenSqliteLedger(dir.File());
  absl::Status status =
      ledger.ok() ? (*ledger)->Load().status() : ledger.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("ledger.db"));
}

TEST(LedgerDurabilityTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  TempDir dir;
  std::string text(5000, 'x');
  { std::ofstream(dir.File()) << text; }
  auto ledger = OpenSqliteLedger(dir.File());
  EXPECT_EQ(ledger.status().code(), absl::StatusCode::kDataLoss);
  std::ifstream file(dir.File());
  std::string now((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(now, text);
  EXPECT_EQ(OpenSqliteLedger(dir.File("no/such/dir")).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ccsched
