// The table of offers: where and when a job could run, and what that emits.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CLI_OFFERS_H_
#define CCSCHED_SCHEDULER_CLI_OFFERS_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "ccsched/v1/jobs.pb.h"
#include "scheduler/cli/context.h"
#include "scheduler/wire/table.h"

namespace ccsched {

// `format` is table, json or csv.
void PrintOffers(const v1::PreviewResponse& preview, const std::string& format,
                 Context& context);
// The same among the messages, as a table: a question follows.
void AskWithOffers(const v1::PreviewResponse& preview, Context& context);

// What every table of offers has: site to price of capacity, in this order.
std::vector<Column> OfferColumns();
// An offer's row of these; `style` is that of its site and its carbon.
std::vector<Cell> OfferCells(const v1::Offer& offer,
                             Style style = Style::kPlain);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CLI_OFFERS_H_
