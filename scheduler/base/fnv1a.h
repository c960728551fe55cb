// A short digest of bytes, to tell one reading of data from another.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_FNV1A_H_
#define CCSCHED_SCHEDULER_BASE_FNV1A_H_

#include <cstddef>
#include <cstdint>

namespace ccsched {

// FNV-1a of 64 bits (Fowler, Noll, Vo). Not against those who mean harm.
class Fnv1a {
 public:
  void Add(const void* bytes, size_t size) {
    const auto* p = static_cast<const unsigned char*>(bytes);
    for (size_t i = 0; i < size; ++i) {
      digest_ = (digest_ ^ p[i]) * 0x100000001b3ULL;
    }
  }
  uint64_t digest() const { return digest_; }

 private:
  uint64_t digest_ = 0xcbf29ce484222325ULL;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_FNV1A_H_
