// The figures of runs as JSON, CSV and a table.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RESULTS_TEXT_H_
#define CCSCHED_SIM_RESULTS_TEXT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/wire/table.h"
#include "sim/result.h"
#include "sim/workload.h"

namespace ccsched {

// One run of ccsched.sim/v1. `timing`: false leaves CPU times null, so that
// equal runs give equal bytes.
nlohmann::ordered_json ResultJson(const SimResult& result, bool timing);

// The whole of ccsched.sim/v1, with a line end.
std::string ResultsJson(const std::string& scenario, uint64_t seed,
                        const WorkloadFacts& facts,
                        const std::vector<SimResult>& results, bool timing);
// One row a run, one column a figure.
std::string ResultsCsv(const std::vector<SimResult>& results, bool timing);
std::string ResultsTable(const std::string& scenario,
                         const std::vector<SimResult>& results,
                         size_t width = 0);

// "1.234 t", "98.7 kg", "12.3 g".
std::string MassText(GramsCo2e mass);
// "3.1 d", "2.10 h", "45 s".
std::string WaitText(absl::Duration wait);
// The column that names a run, which is never cut, and one of figures.
inline Column FirstColumn(std::string name) {
  return {std::move(name), Align::kLeft, 0, Excess::kKeep, ""};
}
inline Column Figure(std::string name, int spare = 0, std::string brief = "") {
  return {std::move(name), Align::kRight, spare, Excess::kCut,
          std::move(brief)};
}
// A table in `width` columns of a terminal (0: in as many as it takes); what
// had no room is named in a line below.
std::string TableText(const Table& table, size_t width);

}  // namespace ccsched

#endif  // CCSCHED_SIM_RESULTS_TEXT_H_
