// Prints offers.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/offers.h"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/cli/table.h"

namespace ccsched {

std::vector<Column> OfferColumns() {
  return {{"SITE"},
          {"ACCELERATORS", Align::kRight},
          {"START P50"},
          {"START P90"},
          {"FINISH P50"},
          {"FINISH P90"},
          {"ENERGY", Align::kRight},
          {"CO2E", Align::kRight},
          {"+ PRICE", Align::kRight}};
}

std::vector<Cell> OfferCells(const v1::Offer& offer, Style style) {
  return {
      {offer.site(), style},
      absl::StrCat(offer.count(), " ", offer.accelerator()),
      // Decisions on record from before there were predictions have one start.
      offer.has_start_p50() ? ShortTime(true, offer.start_p50())
                            : ShortTime(offer.has_start(), offer.start()),
      ShortTime(offer.has_start_p90(), offer.start_p90()),
      ShortTime(offer.has_finish_p50(), offer.finish_p50()),
      ShortTime(offer.has_finish_p90(), offer.finish_p90()),
      EnergyText(offer.energy_kwh() > 0 ? std::optional(offer.energy_kwh())
                                        : std::nullopt),
      {CarbonText(CCSCHED_OPTIONAL(offer, co2e_g)), style},
      CarbonText(offer.price_g())};
}

void PrintOffers(const v1::PreviewResponse& preview, const std::string& format,
                 bool colour, std::ostream& out) {
  std::vector<Record> records;
  for (const v1::Offer& offer : preview.offers()) {
    records.push_back(OfferRecordOf(offer));
  }
  if (format == "csv") {
    return PrintCsv(out, OfferRecordOf(v1::Offer()), records);
  }
  if (format == "json") {
    Record head;
    head.Add("policy", preview.policy());
    head.AddRecord("reason", ReasonRecordOf(preview.reason()));
    return PrintJson(out, "offers", head, "offers", records);
  }
  std::vector<Column> columns = OfferColumns();
  const bool priced =
      std::any_of(preview.offers().begin(), preview.offers().end(),
                  [](const v1::Offer& offer) { return offer.has_cost(); });
  if (priced) columns.push_back({"MONEY", Align::kRight});
  columns.push_back({"CHOSEN"});
  columns.push_back({"NOTE"});
  Table table(std::move(columns));
  for (const v1::Offer& offer : preview.offers()) {
    const Style style = offer.chosen() ? Style::kGreen : Style::kPlain;
    std::vector<Cell> cells = OfferCells(offer, style);
    if (priced) cells.emplace_back(CostText(offer), style);
    cells.emplace_back(offer.chosen() ? "*" : "", style);
    cells.emplace_back(absl::StrCat(
        offer.note(), offer.estimated() ? " (forecast extended)" : ""));
    table.Add(std::move(cells));
  }
  table.Print(out, colour);
  if (!preview.reason().text().empty()) {
    out << "\n" << preview.policy() << ": " << preview.reason().text() << "\n";
  }
}

}  // namespace ccsched
