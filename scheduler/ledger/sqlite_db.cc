// A SQLite connection and its prepared statements, with Status errors.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/ledger/sqlite_db.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

constexpr int64_t kFuture = std::numeric_limits<int64_t>::max();
constexpr int64_t kPast = std::numeric_limits<int64_t>::min();

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(statement_, other.statement_);
  std::swap(n_, other.n_);
  std::swap(code_, other.code_);
  std::swap(error_, other.error_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Reset() {
  n_ = 0;
  if (statement_ == nullptr) return;  // keeps the error of its preparation
  code_ = SQLITE_OK;
  sqlite3_reset(statement_);
}

bool Statement::Next() {
  if (code_ != SQLITE_OK || statement_ == nullptr) return false;
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    code_ = code;
    error_ = sqlite3_errmsg(sqlite3_db_handle(statement_));
  }
  sqlite3_reset(statement_);
  return false;
}

absl::Status Statement::Run() {
  while (Next()) {
  }
  return status();
}

absl::Status Statement::status() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
  if (code_ == SQLITE_OK) return absl::OkStatus();
  return db_->ToStatus(code_, error_.empty() ? sqlite3_errstr(code_) : error_);
}

void Statement::BindOne(absl::Time v) {
  if (v == absl::InfiniteFuture()) return BindOne(kFuture);
  if (v == absl::InfinitePast()) return BindOne(kPast);
  BindOne(absl::ToUnixMicros(v));
}

void Statement::BindOne(absl::Duration v) {
  if (v == absl::InfiniteDuration()) return BindOne(kFuture);
  if (v == -absl::InfiniteDuration()) return BindOne(kPast);
  BindOne(absl::ToInt64Microseconds(v));
}

void Statement::Get(int i, std::string& v) const {
  const auto* data =
      static_cast<const char*>(sqlite3_column_blob(statement_, i));
  int size = sqlite3_column_bytes(statement_, i);
  if (data == nullptr) {
    v.clear();
  } else {
    v.assign(data, static_cast<size_t>(size));
  }
}

void Statement::Get(int i, absl::Time& v) const {
  int64_t micros = Column<int64_t>(i);
  v = micros == kFuture ? absl::InfiniteFuture()
      : micros == kPast ? absl::InfinitePast()
                        : absl::FromUnixMicros(micros);
}

void Statement::Get(int i, absl::Duration& v) const {
  int64_t micros = Column<int64_t>(i);
  v = micros == kFuture ? absl::InfiniteDuration()
      : micros == kPast ? -absl::InfiniteDuration()
                        : absl::Microseconds(micros);
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(
    const std::string& path, const SqliteOpen& options) {
  std::unique_ptr<SqliteDb> db(new SqliteDb(path));
  int flags = SQLITE_OPEN_NOMUTEX |
              (options.read_only ? SQLITE_OPEN_READONLY
                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  int code =
      sqlite3_open_v2(path.c_str(), &db->handle_, flags,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (code != SQLITE_OK) {
    return db->ToStatus(code, db->handle_ == nullptr
                                  ? sqlite3_errstr(code)
                                  : sqlite3_errmsg(db->handle_));
  }
  sqlite3_extended_result_codes(db->handle_, 1);
  sqlite3_busy_timeout(
      db->handle_, static_cast<int>(absl::ToInt64Milliseconds(options.busy)));
  return db;
}

SqliteDb::~SqliteDb() {
  statements_.clear();
  sqlite3_close_v2(handle_);
}

Statement& SqliteDb::Prepare(const char* sql) {
  std::unique_ptr<Statement>& slot = statements_[sql];
  if (slot != nullptr) return *slot;
  sqlite3_stmt* prepared = nullptr;
  int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &prepared, nullptr);
  slot = std::make_unique<Statement>(this, prepared);
  if (code != SQLITE_OK) slot->Fail(code, sqlite3_errmsg(handle_));
  return *slot;
}

absl::Status SqliteDb::Execute(const std::string& sql) {
  char* text = nullptr;
  int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &text);
  if (code == SQLITE_OK) return absl::OkStatus();
  code = sqlite3_extended_errcode(handle_);
  absl::Status status =
      ToStatus(code, text == nullptr ? sqlite3_errstr(code) : text);
  sqlite3_free(text);
  return status;
}

absl::StatusOr<int64_t> SqliteDb::IntPragma(const char* name) {
  sqlite3_stmt* prepared = nullptr;
  std::string sql = absl::StrCat("PRAGMA ", name);
  int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &prepared, nullptr);
  Statement statement(this, prepared);
  if (code != SQLITE_OK) statement.Fail(code, sqlite3_errmsg(handle_));
  int64_t value = 0;
  if (statement.Bind().Next()) value = statement.Column<int64_t>(0);
  RETURN_IF_ERROR(statement.status());
  return value;
}

void SqliteDb::Rollback() {
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

absl::Status SqliteDb::ToStatus(int code, std::string_view text) const {
  std::string what = absl::StrCat(path_, ": ", ToAbsl(text));
  switch (code & 0xff) {
    case SQLITE_OK:
      return absl::OkStatus();
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat(path_, ": the disk is full"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(what);
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(what);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(what);
    case SQLITE_IOERR:
      return absl::UnavailableError(
          absl::StrCat(what, " (SQLite error ", code, ")"));
    default:
      return absl::InternalError(
          absl::StrCat(what, " (SQLite error ", code, ")"));
  }
}

}  // namespace ccsched
