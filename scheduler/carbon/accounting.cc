// Turns energy over time into rows of the ledger: joules, PUE, CO2e.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/accounting.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

// Exact CO2e of a row in milligrams, PUE included.
double Milligrams(double joules, double pue, double grams_per_kwh) {
  return joules / kJoulesPerKwh * pue * grams_per_kwh * 1000;
}

}  // namespace

std::vector<AccountRow> SplitEnergy(const EnergyUse& use, double pue,
                                    absl::Span<const GridSlice> slices) {
  Account account(pue);
  account.Add(use.start, use.end, use.energy, slices);
  return account.Take(/*everything=*/true);
}

double Account::Add(absl::Time from, absl::Time to,
                    std::optional<Joules> energy,
                    absl::Span<const GridSlice> slices) {
  if (from >= to) return 0;
  const absl::Duration whole = to - from;
  if (until_) from = std::max(from, *until_);
  if (from >= to) return 0;
  const double part = absl::FDivDuration(to - from, whole);
  for (const GridSlice& slice : slices) {
    const absl::Time a = std::max(from, slice.start);
    const absl::Time b = std::min(to, slice.end);
    if (a >= b) continue;
    std::optional<double> joules;
    if (energy) joules = energy->value() * absl::FDivDuration(b - a, whole);
    Extend(a, b, joules, slice);
  }
  until_ = to;
  return part;
}

void Account::Extend(absl::Time from, absl::Time to,
                     std::optional<double> joules, const GridSlice& slice) {
  std::optional<double> intensity;
  if (slice.intensity) intensity = slice.intensity->value();
  const bool same = !rows_.empty() && rows_.back().row.end == from &&
                    rows_.back().known == joules.has_value() &&
                    rows_.back().row.intensity == intensity &&
                    rows_.back().row.estimated == slice.estimated &&
                    rows_.back().row.data_version == slice.data_version &&
                    HourOf(rows_.back().row.start) == HourOf(from);
  if (!same) {
    Open open;
    open.row.start = from;
    open.row.pue = pue_;
    open.row.intensity = intensity;
    open.row.estimated = slice.estimated;
    open.row.data_version = slice.data_version;
    open.known = joules.has_value();
    rows_.push_back(std::move(open));
  }
  Open& open = rows_.back();
  open.row.end = to;
  if (!joules) return;
  open.joules += *joules;
  total_ += Joules(*joules);
  if (intensity) {
    carbon_ += GramsCo2e(Milligrams(*joules, pue_, *intensity) / 1000);
  }
}

std::vector<AccountRow> Account::Take(bool everything) {
  std::vector<AccountRow> out;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const bool last = i + 1 == rows_.size();
    if (last && !everything) break;
    Open& open = rows_[i];
    AccountRow row = open.row;
    double exact = joules_given_;
    double exact_mg = milligrams_given_;
    int64_t rounded = joules_rounded_;
    int64_t rounded_mg = milligrams_rounded_;
    if (open.known) {
      exact += open.joules;
      row.joules = std::llround(exact) - rounded;
      rounded += *row.joules;
      if (row.intensity) {
        exact_mg += Milligrams(open.joules, pue_, *row.intensity);
        row.milligrams = std::llround(exact_mg) - rounded_mg;
        rounded_mg += *row.milligrams;
      }
    }
    out.push_back(std::move(row));
    if (last) break;  // it may still grow
    joules_given_ = exact;
    milligrams_given_ = exact_mg;
    joules_rounded_ = rounded;
    milligrams_rounded_ = rounded_mg;
  }
  if (rows_.size() > 1) rows_.erase(rows_.begin(), rows_.end() - 1);
  return out;
}

std::optional<GramsCo2e> Emission(KilowattHours energy, double pue,
                                  absl::Time from, absl::Time to,
                                  absl::Span<const GridSlice> slices) {
  GramsCo2e sum;
  absl::Time covered = from;
  for (const GridSlice& slice : slices) {
    const absl::Time a = std::max(from, slice.start);
    const absl::Time b = std::min(to, slice.end);
    if (a >= b) continue;
    if (!slice.intensity || a > covered) return std::nullopt;
    sum +=
        energy * pue * absl::FDivDuration(b - a, to - from) * *slice.intensity;
    covered = b;
  }
  if (covered < to) return std::nullopt;
  return sum;
}

}  // namespace ccsched
