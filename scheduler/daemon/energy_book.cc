// The energy of one attempt as its nodes report it, split into ledger rows.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/energy_book.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

// Starts and ends are on record in whole ones; what nodes report is finer.
constexpr absl::Duration kRecordStep = absl::Microseconds(1);

}  // namespace

AttemptEnergy::AttemptEnergy(const std::vector<uint32_t>& counts, Watts active,
                             double pue, absl::Time start, SliceSource slices)
    : active_(active), slices_(std::move(slices)), account_(pue), done_(start) {
  for (const uint32_t count : counts) {
    Part& part = parts_.emplace_back();
    part.count = count;
    part.until = start;
  }
}

void AttemptEnergy::Append(Part& part, absl::Time to,
                           std::optional<double> watts) {
  part.ahead.push_back({to, watts.value_or(0), watts.has_value()});
  part.until = to;
}

void AttemptEnergy::Weaken(const std::string& method) {
  const auto rank = [](const std::string& m) {
    return m == "measured" ? 0 : m == "modelled" ? 1 : 2;
  };
  if (rank(method) > rank(method_)) {
    method_ = rank(method) == 1 ? "modelled" : "estimated";
  }
}

void AttemptEnergy::Fill(Part& part, absl::Time to) {
  if (to - part.until < kRecordStep) return;
  Weaken("estimated");
  if (active_ > Watts(0)) {
    const Watts power = active_ * part.count;
    part.lately.Add(part.until, ToJoules(power * (to - part.until)));
    Append(part, to, power.value());
  } else {
    part.lately.Clear();
    Append(part, to, std::nullopt);
  }
}

void AttemptEnergy::Report(size_t part, absl::Time from, absl::Time to,
                           Joules joules, const std::string& method) {
  Part& p = parts_[part];
  if (p.ended || from >= to || to <= p.until) return;
  Fill(p, from);
  const absl::Time begin = std::max(from, p.until);
  Joules rest = joules * absl::FDivDuration(to - begin, to - from);
  if (from < begin) {
    const std::optional<Joules> counted = p.lately.Since(from);
    if (counted) rest = std::max(Joules(), joules - *counted);
  }
  Weaken(method);
  p.lately.Add(begin, rest);
  Append(p, to, rest.value() / absl::ToDoubleSeconds(to - p.until));
  Settle();
}

void AttemptEnergy::Started(size_t part, absl::Time at) {
  Part& p = parts_[part];
  if (p.until < at) Append(p, at, 0.0);
}

void AttemptEnergy::Ended(size_t part, absl::Time at) {
  Part& p = parts_[part];
  if (p.ended) return;
  Fill(p, at);
  p.ended = true;
  Settle();
}

// Takes step after step to the next moment at which some part's power changes,
// as far as every part that still runs has reported.
void AttemptEnergy::Settle() {
  for (;;) {
    std::optional<absl::Time> next;
    bool running_without_report = false;
    for (const Part& part : parts_) {
      if (!part.ahead.empty()) {
        const absl::Time end = part.ahead.front().end;
        next = next ? std::min(*next, end) : end;
      } else if (!part.ended) {
        running_without_report = true;
      }
    }
    if (!next || running_without_report) return;
    double watts = 0;
    bool known = true;
    for (Part& part : parts_) {
      if (part.ahead.empty()) continue;
      watts += part.ahead.front().watts;
      known = known && part.ahead.front().known;
      if (part.ahead.front().end <= *next) part.ahead.pop_front();
    }
    if (*next <= done_) continue;
    std::optional<Joules> energy;
    if (known) energy = Joules(watts * absl::ToDoubleSeconds(*next - done_));
    account_.Add(done_, *next, energy, slices_(done_, *next));
    done_ = *next;
  }
}

std::vector<AccountRow> AttemptEnergy::Take(bool everything) {
  return account_.Take(everything);
}

}  // namespace ccsched
