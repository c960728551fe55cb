// How long a page of a listing is.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_PAGE_H_
#define CCSCHED_SCHEDULER_RPC_PAGE_H_

#include <algorithm>
#include <cstdint>

namespace ccsched {

// `asked` entries, 100 if that is 0, and never more than 1,000.
inline uint32_t PageSize(uint32_t asked) {
  return asked == 0 ? 100 : std::min<uint32_t>(asked, 1000);
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_PAGE_H_
