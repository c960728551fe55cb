// Strong unit types of power, energy, carbon and money, with their arithmetic.
// SPDX-License-Identifier: Apache-2.0
//
//   GramsCo2e g = Watts(1000) * absl::Hours(1) * GramsPerKwh(400);  // 400 g
//
// Only products that mean something compile: `Watts + KilowattHours` does not.
// Doubles leave a unit by value() alone, inside a formula.
#ifndef CCSCHED_SCHEDULER_BASE_UNITS_H_
#define CCSCHED_SCHEDULER_BASE_UNITS_H_

#include <compare>

#include "absl/time/time.h"

namespace ccsched {

// A double with a unit. `Tag` makes each unit its own type.
template <typename Tag>
class Unit {
 public:
  constexpr Unit() = default;
  constexpr explicit Unit(double value) : value_(value) {}
  constexpr double value() const { return value_; }

  constexpr Unit operator-() const { return Unit(-value_); }
  constexpr Unit& operator+=(Unit o) {
    value_ += o.value_;
    return *this;
  }
  constexpr Unit& operator-=(Unit o) {
    value_ -= o.value_;
    return *this;
  }
  constexpr Unit& operator*=(double f) {
    value_ *= f;
    return *this;
  }
  friend constexpr Unit operator+(Unit a, Unit b) { return a += b; }
  friend constexpr Unit operator-(Unit a, Unit b) { return a -= b; }
  friend constexpr Unit operator*(Unit a, double f) { return a *= f; }
  friend constexpr Unit operator*(double f, Unit a) { return a *= f; }
  friend constexpr Unit operator/(Unit a, double f) {
    return Unit(a.value_ / f);
  }
  friend constexpr double operator/(Unit a, Unit b) {
    return a.value_ / b.value_;
  }
  friend constexpr auto operator<=>(Unit, Unit) = default;

 private:
  double value_ = 0;
};

using Watts = Unit<struct WattsTag>;
using KilowattHours = Unit<struct KilowattHoursTag>;
using Joules = Unit<struct JoulesTag>;
// Carbon intensity of electricity: grams of CO2-equivalent per kWh.
using GramsPerKwh = Unit<struct GramsPerKwhTag>;
using GramsCo2e = Unit<struct GramsCo2eTag>;
// Money is kept in the currency that its series names; it is never converted.
using Money = Unit<struct MoneyTag>;
using MoneyPerKwh = Unit<struct MoneyPerKwhTag>;

inline KilowattHours operator*(Watts p, absl::Duration t) {
  return KilowattHours(p.value() * absl::ToDoubleHours(t) / 1000);
}
inline KilowattHours operator*(absl::Duration t, Watts p) { return p * t; }
inline constexpr GramsCo2e operator*(KilowattHours e, GramsPerKwh i) {
  return GramsCo2e(e.value() * i.value());
}
inline constexpr GramsCo2e operator*(GramsPerKwh i, KilowattHours e) {
  return e * i;
}
inline constexpr GramsPerKwh operator/(GramsCo2e g, KilowattHours e) {
  return GramsPerKwh(g.value() / e.value());
}
inline constexpr Money operator*(KilowattHours e, MoneyPerKwh p) {
  return Money(e.value() * p.value());
}

// 1 kWh = 3.6e6 J, by definition.
inline constexpr double kJoulesPerKwh = 3.6e6;
inline constexpr Joules ToJoules(KilowattHours e) {
  return Joules(e.value() * kJoulesPerKwh);
}
inline constexpr KilowattHours ToKilowattHours(Joules e) {
  return KilowattHours(e.value() / kJoulesPerKwh);
}

// The international avoirdupois pound is 453.59237 g, by definition.
inline constexpr GramsPerKwh FromPoundsPerMwh(double pounds_per_mwh) {
  return GramsPerKwh(pounds_per_mwh * 0.45359237);
}

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_BASE_UNITS_H_
