// What a test sets and the preloaded shim obeys: clock, disk.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_FAULT_SHIM_H_
#define CCSCHED_TESTS_FAULT_SHIM_H_

#include <atomic>
#include <cstdint>

namespace ccsched::testing {

// Names the file that holds a ShimState, mapped by both sides.
inline constexpr char kShimVariable[] = "CCSCHED_SHIM";

// All zero: nothing is changed.
struct ShimState {
  // Added to the wall clock. Clocks since boot are left alone, as they are
  // when somebody sets a machine's time.
  std::atomic<int64_t> clock_offset_ns;
  // Each fsync and fdatasync, and each write to a file, takes so much longer.
  std::atomic<int64_t> sync_delay_us;
  std::atomic<int64_t> write_delay_us;
  // Writes to plain files fail: ENOSPC.
  std::atomic<int64_t> disk_full;
};

}  // namespace ccsched::testing

#endif  // CCSCHED_TESTS_FAULT_SHIM_H_
