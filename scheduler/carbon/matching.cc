// Clean energy bought, matched hour by hour: net emissions, 24/7 CFE score.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/matching.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {

absl::StatusOr<Matching> MatchHours(absl::Span<const MatchedHour> hours) {
  Matching m;
  KilowattHours carbon_free;
  bool shares_known = true;
  for (size_t i = 0; i < hours.size(); ++i) {
    const MatchedHour& h = hours[i];
    if (!(h.load.value() >= 0) || !(h.clean.value() >= 0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("hour %d: load %g kWh, clean %g kWh: negative", i,
                          h.load.value(), h.clean.value()));
    }
    const KilowattHours matched = std::min(h.load, h.clean);
    const KilowattHours rest = h.load - matched;
    m.load += h.load;
    m.gross += h.load * h.grid;
    m.net += rest * h.residual.value_or(h.grid);
    if (!h.grid_share) {
      shares_known = false;
      continue;
    }
    if (!(*h.grid_share >= 0 && *h.grid_share <= 1)) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "hour %d: carbon-free share %g is not between 0 and 1", i,
          *h.grid_share));
    }
    carbon_free += matched + rest * *h.grid_share;
  }
  if (shares_known && m.load.value() > 0) m.cfe_score = carbon_free / m.load;
  return m;
}

std::vector<double> UncoveredShares(absl::Span<const SiteHour> sites,
                                    KilowattHours shared) {
  KilowattHours left;
  for (const SiteHour& s : sites) {
    left += std::max(s.load - s.own, KilowattHours());
  }
  const double rest = left.value() > 0 ? 1 - std::min(1.0, shared / left) : 1.0;
  std::vector<double> shares;
  for (const SiteHour& s : sites) {
    const KilowattHours open = std::max(s.load - s.own, KilowattHours());
    shares.push_back(s.load.value() > 0 ? open / s.load * rest : 1.0);
  }
  return shares;
}

absl::StatusOr<std::vector<MatchedHour>> HoursOf(
    absl::Span<const AccountRow> rows, const StepSeries& clean,
    const StepSeries& shares, std::optional<GramsPerKwh> residual) {
  struct Sum {
    KilowattHours load;
    GramsCo2e grams;
  };
  std::map<int64_t, Sum> sums;  // by step of `clean`
  for (const AccountRow& row : rows) {
    if (!row.joules || !row.intensity || !clean.Covers(row.start, row.end)) {
      return absl::FailedPreconditionError(
          absl::StrFormat("from %s to %s: %s is not known",
                          FormatUtc(row.start), FormatUtc(row.end),
                          !row.joules      ? "the energy"
                          : !row.intensity ? "the intensity"
                                           : "what clean energy was bought"));
    }
    const KilowattHours energy =
        ToKilowattHours(Joules(static_cast<double>(*row.joules))) * row.pue;
    for (absl::Time t = row.start; t < row.end;) {
      const int64_t i = clean.OffsetUs(t) / clean.step_us();
      const absl::Time until =
          std::min(row.end, clean.start() + clean.step() * (i + 1));
      const KilowattHours part =
          energy * absl::FDivDuration(until - t, row.end - row.start);
      sums[i].load += part;
      sums[i].grams += part * GramsPerKwh(*row.intensity);
      t = until;
    }
  }
  std::vector<MatchedHour> hours;
  for (const auto& [i, sum] : sums) {
    if (!(sum.load.value() > 0)) continue;
    const absl::Time start = clean.start() + clean.step() * i;
    const absl::Time end = start + clean.step();
    MatchedHour& h = hours.emplace_back();
    h.load = sum.load;
    h.clean = KilowattHours(clean.values()[i]);
    h.grid = sum.grams / sum.load;
    h.residual = residual;
    if (shares.Covers(start, end)) {
      h.grid_share = shares.IntegralHours(start, end) /
                     absl::ToDoubleHours(end - start) / 100;
    }
  }
  return hours;
}

}  // namespace ccsched
