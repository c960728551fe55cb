// Turns energy over time into rows of the ledger: joules, PUE, CO2e.
// SPDX-License-Identifier: Apache-2.0
//
//   Account account(pue);
//   account.Add(from, to, Joules(3.6e6), record.Slices(region, from, to));
//   for (const AccountRow& row : account.Take()) …
#ifndef CCSCHED_SCHEDULER_CARBON_ACCOUNTING_H_
#define CCSCHED_SCHEDULER_CARBON_ACCOUNTING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/grid_record.h"

namespace ccsched {

// Energy used at constant power over [start, end), before PUE. Absent energy
// is unknown, never zero.
struct EnergyUse {
  absl::Time start, end;
  std::optional<Joules> energy;
};

// One stretch within one step of the intensity. Integers, rounded once: the
// rows of one use sum exactly to its rounded totals (each is the difference of
// rounded running sums, so it is within one unit of its own exact value).
struct AccountRow {
  absl::Time start, end;
  std::optional<int64_t> joules;  // of the machines, before PUE
  double pue = 1;
  std::optional<double> intensity;    // gCO2e/kWh; absent: unknown
  std::optional<int64_t> milligrams;  // CO2e, PUE included
  bool estimated = false;             // of the intensity
  std::string data_version;
};

// Splits one use over the slices of the intensity, which must cover it in order
// as GridRecord::Slices returns them. REQUIRES: start < end, pue >= 1, and the
// slices begin at or before start and end at or after end.
std::vector<AccountRow> SplitEnergy(const EnergyUse& use, double pue,
                                    absl::Span<const GridSlice> slices);

// The account of one attempt: takes samples as they come and gives rows, one a
// slice, without losing fractions of a joule between samples.
class Account {
 public:
  explicit Account(double pue) : pue_(pue) {}

  // Adds energy over [from, to). Samples come in the order of time; of one that
  // overlaps what was added before, only the part beyond it counts, in
  // proportion (a repeated report is not billed twice). Returns the part that
  // was added, 0 to 1.
  double Add(absl::Time from, absl::Time to, std::optional<Joules> energy,
             absl::Span<const GridSlice> slices);

  // The rows so far that nothing can be added to any more (their slice ended),
  // or all of them with `everything`. Each is returned once, but the last one
  // of `everything`: it comes again, larger, if more is added to it (the ledger
  // replaces rows by their start).
  std::vector<AccountRow> Take(bool everything = false);

  Joules total() const { return total_; }
  GramsCo2e carbon() const { return carbon_; }

 private:
  // A row that may still grow, exact.
  struct Open {
    AccountRow row;
    bool known = true;
    double joules = 0;
  };

  void Extend(absl::Time from, absl::Time to, std::optional<double> joules,
              const GridSlice& slice);

  double pue_;
  std::optional<absl::Time> until_;
  std::vector<Open> rows_;
  Joules total_;
  GramsCo2e carbon_;
  // Exact and rounded sums of the rows given for good.
  double joules_given_ = 0, milligrams_given_ = 0;
  int64_t joules_rounded_ = 0, milligrams_rounded_ = 0;
};

// What `energy` at constant power over [from, to) emits, PUE included; absent
// if the intensity of a part is unknown.
std::optional<GramsCo2e> Emission(KilowattHours energy, double pue,
                                  absl::Time from, absl::Time to,
                                  absl::Span<const GridSlice> slices);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_ACCOUNTING_H_
