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
#include "scheduler/wire/table.h"
#include "scheduler/wire/text.h"

namespace ccsched {

std::vector<Column> OfferColumns() {
  return {{"SITE"},
          {"ACCELERATORS", Align::kRight, 4},
          {"START P50", Align::kLeft, 0, Excess::kKeep},
          {"START P90", Align::kLeft, 6, Excess::kKeep},
          {"FINISH P50", Align::kLeft, 2, Excess::kKeep},
          {"FINISH P90", Align::kLeft, 5, Excess::kKeep},
          {"ENERGY", Align::kRight, 3},
          {"CO2E", Align::kRight},
          {"+ PRICE", Align::kRight, 1}};
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

namespace {

Table OfferTable(const v1::PreviewResponse& preview) {
  std::vector<Column> columns = OfferColumns();
  const bool priced =
      std::any_of(preview.offers().begin(), preview.offers().end(),
                  [](const v1::Offer& offer) { return offer.has_cost(); });
  if (priced) columns.push_back({"MONEY", Align::kRight});
  columns.push_back({"CHOSEN"});
  columns.push_back({"NOTE", Align::kLeft, 0, Excess::kWrap});
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
  return table;
}

void PrintReason(const v1::PreviewResponse& preview, std::ostream& out) {
  if (preview.reason().text().empty()) return;
  out << "\n"
      << Printable(preview.policy()) << ": "
      << Printable(preview.reason().text(), 2000) << "\n";
}

void PrintNotes(const v1::PreviewResponse& preview, Context& context) {
  context.out.flush();
  for (const std::string& note : preview.notes()) {
    context.err << "ccsched: " << Printable(note, 1000) << "\n";
  }
}

}  // namespace

void PrintOffers(const v1::PreviewResponse& preview, const std::string& format,
                 Context& context) {
  std::ostream& out = context.out;
  std::vector<Record> records;
  for (const v1::Offer& offer : preview.offers()) {
    records.push_back(OfferRecordOf(offer));
  }
  if (format == "json") {
    Record head;
    head.Add("policy", preview.policy());
    head.AddRecord("reason", ReasonRecordOf(preview.reason()));
    head.AddList("notes", preview.notes());
    return PrintJson(out, "offers", head, "offers", records);
  }
  if (format == "csv") {
    PrintCsv(context, OfferRecordOf(v1::Offer()), records);
  } else {
    ShowTable(OfferTable(preview), context);
    PrintReason(preview, out);
  }
  PrintNotes(preview, context);
}

void AskWithOffers(const v1::PreviewResponse& preview, Context& context) {
  ShowTableInMessages(OfferTable(preview), context);
  PrintReason(preview, context.err);
  PrintNotes(preview, context);
}

}  // namespace ccsched
