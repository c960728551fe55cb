// A SQLite connection and its prepared statements, with Status errors.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path));
//   Statement& s = db->Prepare("SELECT name FROM nodes WHERE id = ?");
//   s.Bind(7);
//   while (s.Next()) name = s.Column<std::string>(0);
//   RETURN_IF_ERROR(s.status());
//
// A connection serves one thread at a time.
#ifndef CCSCHED_SCHEDULER_LEDGER_SQLITE_DB_H_
#define CCSCHED_SCHEDULER_LEDGER_SQLITE_DB_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/base/ids.h"

namespace ccsched {

class SqliteDb;

// Bytes rather than text.
struct Blob {
  std::string_view bytes;
};

// A prepared statement of one connection. After an error, Next() is false and
// status() says why; Bind() begins anew.
class Statement {
 public:
  Statement() = default;
  Statement(SqliteDb* db, sqlite3_stmt* statement)
      : db_(db), statement_(statement) {}
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Resets, then binds the values to ?1, ?2, ... What they refer to must live
  // until the statement has run.
  template <typename... T>
  Statement& Bind(const T&... values) {
    Reset();
    (BindOne(values), ...);
    return *this;
  }
  // Moves to the next row; false at the end and on an error.
  bool Next();
  // Runs to the end. Returns what went wrong.
  absl::Status Run();
  // The error of the last Next, or OK. Leaves the statement reset.
  absl::Status status();
  // Makes the statement report this error.
  void Fail(int code, std::string text) {
    code_ = code;
    error_ = std::move(text);
  }

  // The value in column `i` of the present row.
  template <typename T>
  T Column(int i) const {
    T value;
    Get(i, value);
    return value;
  }
  // Reads columns from `first` on into `values`, tied together.
  template <typename... T>
  void Read(int first, std::tuple<T&...> values) const {
    std::apply([&](T&... v) { (Get(first++, v), ...); }, values);
  }

 private:
  void Reset();
  void BindOne(std::nullopt_t) { Check(sqlite3_bind_null(statement_, ++n_)); }
  void BindOne(double v) { Check(sqlite3_bind_double(statement_, ++n_, v)); }
  void BindOne(std::string_view v) {
    Check(sqlite3_bind_text(statement_, ++n_, Pointer(v),
                            static_cast<int>(v.size()), SQLITE_STATIC));
  }
  void BindOne(const std::string& v) { BindOne(std::string_view(v)); }
  void BindOne(Blob v) {
    Check(sqlite3_bind_blob64(statement_, ++n_, Pointer(v.bytes),
                              v.bytes.size(), SQLITE_STATIC));
  }
  void BindOne(absl::Time v);
  void BindOne(absl::Duration v);
  template <typename T>
  std::enable_if_t<std::is_integral_v<T>> BindOne(T v) {
    Check(sqlite3_bind_int64(statement_, ++n_, static_cast<int64_t>(v)));
  }
  template <typename Tag, typename Rep>
  void BindOne(Id<Tag, Rep> v) {
    BindOne(v.value());
  }
  template <typename T>
  void BindOne(const std::optional<T>& v) {
    v ? BindOne(*v) : BindOne(std::nullopt);
  }
  template <typename... T>
  void BindOne(const std::tuple<T...>& values) {
    std::apply([&](const auto&... v) { (BindOne(v), ...); }, values);
  }

  template <typename T>
  std::enable_if_t<std::is_integral_v<T>> Get(int i, T& v) const {
    v = static_cast<T>(sqlite3_column_int64(statement_, i));
  }
  void Get(int i, double& v) const { v = sqlite3_column_double(statement_, i); }
  void Get(int i, std::string& v) const;
  void Get(int i, absl::Time& v) const;
  void Get(int i, absl::Duration& v) const;
  template <typename Tag, typename Rep>
  void Get(int i, Id<Tag, Rep>& v) const {
    v = Id<Tag, Rep>(Column<Rep>(i));
  }
  template <typename T>
  void Get(int i, std::optional<T>& v) const {
    if (sqlite3_column_type(statement_, i) == SQLITE_NULL) {
      v.reset();
    } else {
      Get(i, v.emplace());
    }
  }

  static const char* Pointer(std::string_view v) {
    return v.data() == nullptr ? "" : v.data();
  }
  void Check(int code) {
    if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  }

  SqliteDb* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int n_ = 0;             // bound so far
  int code_ = SQLITE_OK;  // the first error since Bind
  std::string error_;     // its text
};

struct SqliteOpen {
  bool read_only = false;
  std::string vfs;  // empty: the system's own
  // Waits so long for another connection's lock.
  absl::Duration busy = absl::Seconds(10);
};

class SqliteDb {
 public:
  // Errors: as ToStatus.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(
      const std::string& path, const SqliteOpen& options = {});
  ~SqliteDb();
  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;

  // The statement of this text, prepared once. `sql` must be a literal: it is
  // known by its address. An error shows when it is run.
  Statement& Prepare(const char* sql);
  // Runs one or many statements without values.
  absl::Status Execute(const std::string& sql);
  // The value of `PRAGMA name`.
  absl::StatusOr<int64_t> IntPragma(const char* name);
  // Rolls back what is open, if anything is.
  void Rollback();

  // What SQLite's error means. ResourceExhausted: the disk is full;
  // PermissionDenied: not writable; DataLoss: damaged, or not SQLite;
  // Unavailable: in use, or the disk failed; AlreadyExists: a unique value is
  // there already.
  absl::Status ToStatus(int code, std::string_view text) const;
  sqlite3* handle() { return handle_; }
  const std::string& path() const { return path_; }

 private:
  explicit SqliteDb(std::string path) : path_(std::move(path)) {}

  std::string path_;
  sqlite3* handle_ = nullptr;
  absl::flat_hash_map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_LEDGER_SQLITE_DB_H_
