// Times and durations in eight bytes: whole microseconds, for what is kept.
// SPDX-License-Identifier: Apache-2.0
//
//   PackedTime wake = now + absl::Hours(1);
//   if (wake <= now) …       // as absl::Time
//   heap.Push(wake.us());    // the number itself: no conversion
//
// The scheduler counts in microseconds: its clock, its record and its traces
// do. Where very many times are kept they are kept as that; everything else
// goes on with absl's, into which these turn by themselves. Infinite stays
// infinite; what is finer than a microsecond is cut off.
#ifndef CCSCHED_SCHEDULER_BASE_PACKED_TIME_H_
#define CCSCHED_SCHEDULER_BASE_PACKED_TIME_H_

#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace ccsched {

class PackedDuration {
 public:
  constexpr PackedDuration() = default;
  PackedDuration(absl::Duration d)  // NOLINT(google-explicit-constructor)
      : us_(absl::ToInt64Microseconds(d)) {}
  operator absl::Duration() const {  // NOLINT(google-explicit-constructor)
    if (us_ == kMax) return absl::InfiniteDuration();
    if (us_ == kMin) return -absl::InfiniteDuration();
    return absl::Microseconds(us_);
  }
  static constexpr PackedDuration Infinite() { return PackedDuration(kMax); }
  static constexpr PackedDuration Micros(int64_t us) {
    return PackedDuration(us);
  }

  // The greatest and the least number stand for what is infinite.
  constexpr int64_t us() const { return us_; }

  PackedDuration& operator+=(absl::Duration d) {
    return *this = absl::Duration(*this) + d;
  }

 private:
  static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  explicit constexpr PackedDuration(int64_t us) : us_(us) {}

  int64_t us_ = 0;
};

class PackedTime {
 public:
  constexpr PackedTime() = default;  // 1970, as absl::Time
  PackedTime(absl::Time t)           // NOLINT(google-explicit-constructor)
      : us_(absl::ToUnixMicros(t)) {}
  operator absl::Time() const {  // NOLINT(google-explicit-constructor)
    if (us_ == kMax) return absl::InfiniteFuture();
    if (us_ == kMin) return absl::InfinitePast();
    return absl::FromUnixMicros(us_);
  }
  static constexpr PackedTime InfiniteFuture() { return PackedTime(kMax); }
  static constexpr PackedTime InfinitePast() { return PackedTime(kMin); }
  static constexpr PackedTime FromUnixMicros(int64_t us) {
    return PackedTime(us);
  }

  constexpr int64_t us() const { return us_; }

 private:
  static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  explicit constexpr PackedTime(int64_t us) : us_(us) {}

  int64_t us_ = 0;
};

// Of two packed ones; of one and absl's, absl's own do. Templates, so that
// nothing is converted to get here.
template <typename T>
concept Packed = std::same_as<T, PackedTime> || std::same_as<T, PackedDuration>;
template <Packed T>
constexpr auto operator<=>(T a, T b) {
  return a.us() <=> b.us();
}
template <Packed T>
constexpr bool operator==(T a, T b) {
  return a.us() == b.us();
}
template <Packed T>
requires std::same_as<T, PackedTime> absl::Duration operator-(T a, T b) {
  return absl::Time(a) - absl::Time(b);
}
template <Packed T, Packed D>
requires std::same_as<T, PackedTime> && std::same_as<D, PackedDuration>
    absl::Time operator+(T t, D d) {
  return absl::Time(t) + absl::Duration(d);
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_PACKED_TIME_H_
