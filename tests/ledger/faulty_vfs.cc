// A SQLite file system that fails, fills up or counts, on demand.
// SPDX-License-Identifier: Apache-2.0
#include "tests/ledger/faulty_vfs.h"

#include <sqlite3.h>

#include <mutex>
#include <new>
#include <string_view>

namespace ccsched {
namespace {

struct Plan {
  std::mutex mutex;
  int64_t countdown = 0;  // 0: nothing is planned
  bool once = false;
  int code = SQLITE_OK;
  int64_t failures = 0;
  int64_t unsynced = 0;
};
Plan plan;

// The error of the next operation, or SQLITE_OK.
int Fault() {
  std::lock_guard<std::mutex> lock(plan.mutex);
  if (plan.countdown == 0) return SQLITE_OK;
  if (plan.countdown > 1) {
    --plan.countdown;
    return SQLITE_OK;
  }
  if (plan.once) plan.countdown = 0;
  ++plan.failures;
  return plan.code;
}

struct File {
  sqlite3_file base;
  bool log;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* Real(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->real();
}

int Close(sqlite3_file* file) {
  return Real(file)->pMethods->xClose(Real(file));
}
int Read(sqlite3_file* file, void* to, int n, sqlite3_int64 at) {
  return Real(file)->pMethods->xRead(Real(file), to, n, at);
}
int Write(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
  if (int code = Fault(); code != SQLITE_OK) return code;
  if (reinterpret_cast<File*>(file)->log) {
    std::lock_guard<std::mutex> lock(plan.mutex);
    ++plan.unsynced;
  }
  return Real(file)->pMethods->xWrite(Real(file), from, n, at);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (int code = Fault(); code != SQLITE_OK) return code;
  return Real(file)->pMethods->xTruncate(Real(file), size);
}
int Sync(sqlite3_file* file, int flags) {
  if (int code = Fault(); code != SQLITE_OK) return code;
  if (reinterpret_cast<File*>(file)->log) {
    std::lock_guard<std::mutex> lock(plan.mutex);
    plan.unsynced = 0;
  }
  return Real(file)->pMethods->xSync(Real(file), flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Real(file)->pMethods->xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xLock(Real(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xUnlock(Real(file), level);
}
int CheckLock(sqlite3_file* file, int* result) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), result);
}
int Control(sqlite3_file* file, int op, void* arg) {
  return Real(file)->pMethods->xFileControl(Real(file), op, arg);
}
int SectorSize(sqlite3_file* file) {
  return Real(file)->pMethods->xSectorSize(Real(file));
}
int Characteristics(sqlite3_file* file) {
  return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
}
int ShmMap(sqlite3_file* file, int page, int size, int extend,
           void volatile** to) {
  return Real(file)->pMethods->xShmMap(Real(file), page, size, extend, to);
}
int ShmLock(sqlite3_file* file, int offset, int n, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, n, flags);
}
void ShmBarrier(sqlite3_file* file) {
  Real(file)->pMethods->xShmBarrier(Real(file));
}
int ShmUnmap(sqlite3_file* file, int remove) {
  return Real(file)->pMethods->xShmUnmap(Real(file), remove);
}

constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckLock,
                                         Control,
                                         SectorSize,
                                         Characteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
         int* out_flags) {
  auto* below = static_cast<sqlite3_vfs*>(vfs->pAppData);
  auto* opened = new (file) File();
  opened->base.pMethods = nullptr;
  opened->log = name != nullptr && std::string_view(name).ends_with("-wal");
  int code = below->xOpen(below, name, opened->real(), flags, out_flags);
  if (opened->real()->pMethods != nullptr) opened->base.pMethods = &kMethods;
  return code;
}

}  // namespace

void FaultyVfs::Install() {
  static sqlite3_vfs vfs;
  if (vfs.zName != nullptr) return;
  sqlite3_vfs* below = sqlite3_vfs_find(nullptr);
  vfs = *below;
  vfs.pNext = nullptr;
  vfs.zName = kName;
  vfs.pAppData = below;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
  vfs.xOpen = Open;
  sqlite3_vfs_register(&vfs, 0);
}

void FaultyVfs::FailFrom(int64_t n, int code) {
  std::lock_guard<std::mutex> lock(plan.mutex);
  plan.countdown = n;
  plan.code = code;
  plan.once = false;
}

void FaultyVfs::FailOnce(int64_t n, int code) {
  FailFrom(n, code);
  std::lock_guard<std::mutex> lock(plan.mutex);
  plan.once = true;
}

void FaultyVfs::Heal() {
  std::lock_guard<std::mutex> lock(plan.mutex);
  plan.countdown = 0;
}

int64_t FaultyVfs::TakeFailures() {
  std::lock_guard<std::mutex> lock(plan.mutex);
  int64_t failures = plan.failures;
  plan.failures = 0;
  return failures;
}

int64_t FaultyVfs::UnsyncedLogWrites() {
  std::lock_guard<std::mutex> lock(plan.mutex);
  return plan.unsynced;
}

}  // namespace ccsched
