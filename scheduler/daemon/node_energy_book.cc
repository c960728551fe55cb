// What the nodes' meters report, split into ledger rows by hour and intensity.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/node_energy_book.h"

#include <algorithm>
#include <utility>

namespace ccsched {
namespace {

constexpr std::chrono::minutes kOpenMax{30};
// An agent measures how long by one clock and says when by another: a gap or an
// overlap of less than a fiftieth of the stretch is no more than that.
constexpr int64_t kSlack = 50;

}  // namespace

NodeEnergyBook::Energy NodeEnergyBook::Report(const MeteredPlace& place,
                                              absl::Time from, absl::Time to,
                                              const Energy& said,
                                              const SliceSource& slices,
                                              RealTime now) {
  Book& book = books_[place.node];
  if (from >= to) return {};
  const absl::Time said_from = from;
  const absl::Duration apart = from - book.until;
  if (book.until != absl::InfinitePast() &&
      absl::AbsDuration(apart) <= (to - from) / kSlack) {
    from = book.until;  // it goes on where the last one ended
  }
  const absl::Time begin = std::max(from, book.until);
  if (begin >= to) return {};
  const double part = absl::FDivDuration(to - begin, to - from);
  Energy rest{said.metered * part, said.unallocated * part};
  if (from < begin) {
    if (const auto counted = book.lately.Since(said_from)) {
      rest.metered = std::max(Joules(), said.metered - counted->metered);
      rest.unallocated = std::clamp(said.unallocated - counted->unallocated,
                                    Joules(), rest.metered);
    }
  }
  book.lately.Add(from < begin ? begin : said_from, rest);
  if (book.metered &&
      (book.place.method != place.method || book.place.region != place.region ||
       now - book.opened >= kOpenMax)) {
    TakeFrom(book, /*everything=*/true);
  }
  book.place = place;
  if (!book.metered) {
    book.metered.emplace(place.pue);
    book.unallocated.emplace(place.pue);
    book.opened = now;
  }
  const std::vector<GridSlice> split = slices(begin, to);
  book.metered->Add(begin, to, rest.metered, split);
  book.unallocated->Add(begin, to, rest.unallocated, split);
  book.until = to;
  TakeFrom(book, /*everything=*/false);
  return rest;
}

void NodeEnergyBook::TakeFrom(Book& book, bool everything) {
  if (!book.metered) return;
  const std::vector<AccountRow> all = book.metered->Take(everything);
  const std::vector<AccountRow> idle = book.unallocated->Take(everything);
  for (size_t i = 0; i < all.size(); ++i) {
    NodeEnergyRow& row = ready_.emplace_back();
    row.node = book.place.node;
    row.start = all[i].start;
    row.end = all[i].end;
    row.metered = *all[i].joules;
    // Both are rounded, each by itself.
    row.unallocated = std::min(*idle[i].joules, row.metered);
    row.pue = all[i].pue;
    row.intensity = idle[i].intensity;
    row.milligrams = idle[i].milligrams;
    row.method = book.place.method;
    row.intensity_estimated = idle[i].estimated;
    row.data_version = idle[i].data_version;
  }
  if (everything) {
    book.metered.reset();
    book.unallocated.reset();
  }
}

std::vector<NodeEnergyRow> NodeEnergyBook::Take() {
  return std::exchange(ready_, {});
}

std::vector<NodeEnergyRow> NodeEnergyBook::TakeAll(
    std::optional<RegionId> region) {
  for (auto& [node, book] : books_) {
    if (!region || book.place.region == *region) {
      TakeFrom(book, /*everything=*/true);
    }
  }
  return Take();
}

}  // namespace ccsched
