// Older files are brought up to date, newer and foreign ones left alone.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/ledger/sqlite_db.h"
#include "tests/ledger/ledger_rows.h"

namespace ccsched {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::unique_ptr<SqliteDb> OpenDb(const std::string& path) {
  return SqliteDb::Open(path).value();
}

// A file as the first version wrote it, with a slice that was restated.
std::unique_ptr<SqliteDb> MakeVersion1(const std::string& path) {
  auto db = OpenDb(path);
  EXPECT_TRUE(MigrateSchema(*db, 1).ok());
  absl::Status status = db->Execute(R"(
    PRAGMA journal_mode = WAL;
    INSERT INTO submissions VALUES
      (1, 5, 'ada', 'engine', 'old', 'k', x'00ff', NULL, 1, 'virginia', 'v100');
    INSERT INTO keys VALUES ('k', 1, 1);
    INSERT INTO jobs_ended VALUES
      (1, 9, 1, 0, 8, NULL, '', '', 0, 6, 7, 0, 0, 0, '');
    INSERT INTO attempts VALUES
      (1 << 20 | 1, 'oregon', 'a100', 4, 'n1:4', 5, 6, 7200000006, 'succeeded',
       0, NULL, '');
    INSERT INTO emissions VALUES
      (1 << 20 | 1, 6, 0, 3600000006, 100, 1.0, 400, 7000, 'measured', 1, 'a',
       'oregon', 'US-NW'),
      (1 << 20 | 1, 6, 1, 3600000006, 100, 1.0, 500, 8000, 'measured', 0, 'b',
       'oregon', 'US-NW'),
      (1 << 20 | 1, 3600000006, 0, 7200000006, 50, 1.0, 400, 20, 'measured', 1,
       'a', 'oregon', 'US-NW');
    INSERT INTO steps VALUES (1, 9, x'01', x'02'))");
  EXPECT_TRUE(status.ok()) << status;
  return db;
}

TEST(SchemaTest, AnOldFileIsBroughtUpToDateWithAllThatItHolds) {
  TempDir dir;
  MakeVersion1(dir.File());
  auto ledger = OpenLedger(dir.File());
  JobRecord job = ledger->reader().Job(JobId(1)).value();
  EXPECT_EQ(job.submission.name, "old");
  EXPECT_EQ(job.submission.payload, std::string("\x00\xff", 2));
  EXPECT_EQ(job.milligrams, 8020) << "the restated slice counts once";
  EXPECT_EQ(job.joules, 150);
  auto all = ledger->reader().Emissions(JobId(1), true).value();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].superseded_by, 1);
  EXPECT_FALSE(all[1].superseded_by.has_value());
  EXPECT_THAT(EstimatedIn(*ledger, "US-NW", absl::FromUnixSeconds(0),
                          absl::FromUnixSeconds(1'000'000)),
              SizeIs(1));
  EXPECT_TRUE(ledger->FindKey("k").value().has_value());
  ledger.reset();
  EXPECT_EQ(OpenDb(dir.File())->IntPragma("user_version").value(),
            SchemaVersion());
}

TEST(SchemaTest, AnOldFileIsNotReadBesideItsScheduler) {
  TempDir dir;
  MakeVersion1(dir.File());
  auto reader = OpenSqliteLedgerReader(dir.File());
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(reader.status().message()),
              HasSubstr("written by an older version (schema 1)"));
}

TEST(SchemaTest, AMigrationThatFailsChangesNothing) {
  TempDir dir;
  ASSERT_TRUE(MakeVersion1(dir.File())
                  ->Execute("CREATE TABLE emissions_to_restate (x)")
                  .ok());
  EXPECT_FALSE(OpenSqliteLedger(dir.File()).ok());
  auto db = OpenDb(dir.File());
  EXPECT_EQ(db->IntPragma("user_version").value(), 1);
  EXPECT_FALSE(db->Execute("SELECT superseded_by FROM emissions").ok());
  ASSERT_TRUE(db->Execute("DROP TABLE emissions_to_restate").ok());
  EXPECT_TRUE(OpenSqliteLedger(dir.File()).ok());
}

TEST(SchemaTest, ANewerFileIsRefusedAndLeftAlone) {
  TempDir dir;
  OpenLedger(dir.File());
  ASSERT_TRUE(OpenDb(dir.File())->Execute("PRAGMA user_version = 99").ok());
  for (absl::Status status : {OpenSqliteLedger(dir.File()).status(),
                              OpenSqliteLedgerReader(dir.File()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("written by a newer version (schema 99"));
  }
  EXPECT_EQ(OpenDb(dir.File())->IntPragma("user_version").value(), 99);
}

TEST(SchemaTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  TempDir dir;
  ASSERT_TRUE(OpenDb(dir.File())->Execute("CREATE TABLE t (x)").ok());
  auto ledger = OpenSqliteLedger(dir.File());
  EXPECT_EQ(ledger.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ledger.status().message()),
              HasSubstr("not a ccsched ledger"));
  auto db = OpenDb(dir.File());
  EXPECT_EQ(db->IntPragma("application_id").value(), 0);
  EXPECT_FALSE(std::filesystem::exists(dir.File("ledger.db-wal")));
}

}  // namespace
}  // namespace ccsched
