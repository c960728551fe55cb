// A small seeded generator whose sequence is the same on every machine.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_BASE_RANDOM_H_
#define CCSCHED_SCHEDULER_BASE_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <numbers>

namespace ccsched {

// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014. Not for secrets. The distributions below use no
// library code whose results differ between implementations, but for the
// elementary functions of libm.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1), with 53 bits.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, n). REQUIRES: n > 0. The bias is below n / 2^64.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >>
                                 64);
  }
  // Exponential with the given mean.
  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }
  // Standard normal (Box and Muller 1958; one of the pair is dropped).
  double Normal() {
    const double r = std::sqrt(-2 * std::log1p(-Uniform()));
    return r * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_RANDOM_H_
