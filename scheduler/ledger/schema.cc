// The schema's version in a file, and bringing an older one up to date.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/schema.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"

namespace ccsched {

extern const char kSchemaSql[];  // schema_sql.cc, from schema.sql

namespace {

std::vector<std::string_view> Split(std::string_view sql) {
  constexpr std::string_view kMark = "\n-- @version ";
  std::vector<std::string_view> steps;
  size_t at = sql.find(kMark);
  while (at != std::string_view::npos) {
    size_t next = sql.find(kMark, at + 1);
    steps.push_back(sql.substr(at + 1, next - at));
    at = next;
  }
  return steps;
}

// The version of an acceptable file; 0: it is empty.
absl::StatusOr<int64_t> FileVersion(SqliteDb& db) {
  ASSIGN_OR_RETURN(int64_t application, db.IntPragma("application_id"));
  ASSIGN_OR_RETURN(int64_t version, db.IntPragma("user_version"));
  if (application != kLedgerApplicationId) {
    Statement& tables = db.Prepare("SELECT count(*) FROM sqlite_schema");
    int64_t count = 0;
    if (tables.Bind().Next()) count = tables.Column<int64_t>(0);
    RETURN_IF_ERROR(tables.status());
    if (application != 0 || version != 0 || count != 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          db.path(), ": a SQLite database, but not a ccsched ledger"));
    }
    return 0;
  }
  if (version > SchemaVersion()) {
    return absl::FailedPreconditionError(
        absl::StrCat(db.path(), ": written by a newer version (schema ",
                     version, "; this one knows up to ", SchemaVersion(), ")"));
  }
  return version;
}

absl::Status Apply(SqliteDb& db, int64_t from, int64_t to) {
  RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
  for (int64_t v = from; v < to; ++v) {
    RETURN_IF_ERROR(db.Execute(std::string(SchemaSteps()[v])));
  }
  RETURN_IF_ERROR(
      db.Execute(absl::StrCat("PRAGMA application_id = ", kLedgerApplicationId,
                              "; PRAGMA user_version = ", to)));
  return db.Execute("COMMIT");
}

}  // namespace

const std::vector<std::string_view>& SchemaSteps() {
  static const auto* const kSteps =
      new std::vector<std::string_view>(Split(kSchemaSql));
  return *kSteps;
}

absl::Status MigrateSchema(SqliteDb& db, int64_t to) {
  ASSIGN_OR_RETURN(int64_t from, FileVersion(db));
  if (from >= to) return absl::OkStatus();
  absl::Status status = Apply(db, from, to);
  if (!status.ok()) db.Rollback();
  return status;
}

absl::Status CheckSchema(SqliteDb& db) {
  ASSIGN_OR_RETURN(int64_t version, FileVersion(db));
  if (version == SchemaVersion()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(db.path(), ": written by an older version (schema ", version,
                   "); start the scheduler on it once to bring it to schema ",
                   SchemaVersion()));
}

}  // namespace ccsched
