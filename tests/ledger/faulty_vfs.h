// A SQLite file system that fails, fills up or counts, on demand.
// SPDX-License-Identifier: Apache-2.0
//
//   FaultyVfs::Install();  // as "faulty", over the system's own
//   FaultyVfs::FailFrom(3, SQLITE_FULL);  // the third write, and all after
//   FaultyVfs::Heal();
#ifndef CCSCHED_TESTS_LEDGER_FAULTY_VFS_H_
#define CCSCHED_TESTS_LEDGER_FAULTY_VFS_H_

#include <cstdint>
#include <string>

namespace ccsched {

class FaultyVfs {
 public:
  static constexpr const char* kName = "faulty";
  static void Install();
  // The operation number `n` from now (1: the next) and all later ones fail
  // with SQLite's `code`. Operations are writes, truncations and syncs.
  static void FailFrom(int64_t n, int code);
  // The operation number `n` from now alone fails.
  static void FailOnce(int64_t n, int code);
  static void Heal();
  // How many operations failed since the last call.
  static int64_t TakeFailures();
  // Writes to files ending in "-wal" that no sync has followed yet.
  static int64_t UnsyncedLogWrites();
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_LEDGER_FAULTY_VFS_H_
