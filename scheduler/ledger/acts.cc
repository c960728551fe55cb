// Reads the audit trail: who did what.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/status.h"
#include "scheduler/ledger/rows.h"
#include "scheduler/ledger/sqlite_reader.h"

namespace ccsched {

absl::StatusOr<std::vector<ActRow>> SqliteReader::Acts(JobId id) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  Statement& s = db->Prepare("SELECT " CCSCHED_ACT_COLUMNS
                             " FROM acts WHERE job = ? ORDER BY id");
  std::vector<ActRow> rows;
  s.Bind(id);
  while (s.Next()) s.Read(0, ActFields(rows.emplace_back()));
  RETURN_IF_ERROR(s.status());
  return rows;
}

absl::StatusOr<std::vector<NumberedAct>> SqliteReader::Acts(
    const ActFilter& filter) {
  ASSIGN_OR_RETURN(ReadPool::Lease db, pool_.Take());
  // Numbers begin at 1, so without `below` this is at < to. The index
  // acts_by_at ends with the number: a page costs what it has, wherever it is.
  Statement& s =
      db->Prepare("SELECT id, " CCSCHED_ACT_COLUMNS
                  " FROM acts WHERE at >= ?1 AND (at, id) < (?2, ?3) "
                  "AND (?4 = '' OR caller = ?4) "
                  "AND (?5 = '' OR instr(?5, ',' || act || ',') > 0) "
                  "ORDER BY at DESC, id DESC LIMIT ?6");
  const std::string what =
      filter.what.empty()
          ? ""
          : absl::StrCat(",", absl::StrJoin(filter.what, ","), ",");
  s.Bind(filter.from, filter.to, filter.below, filter.by, what, filter.limit);
  std::vector<NumberedAct> rows;
  while (s.Next()) {
    NumberedAct& row = rows.emplace_back();
    row.number = s.Column<uint64_t>(0);
    s.Read(1, ActFields(row.act));
  }
  RETURN_IF_ERROR(s.status());
  return rows;
}

}  // namespace ccsched
