// The figures of runs as JSON, CSV and a table.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_RESULTS_TEXT_H_
#define CCSCHED_SIM_RESULTS_TEXT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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
// Rows of cells under a header, columns aligned; numbers to the right.
std::string AlignTable(const std::vector<std::vector<std::string>>& rows);
// The same in `width` columns of a terminal (0: in as many as it takes). Where
// there is no room, columns of these names are left out, the first of them
// first, and named in a line below.
std::string FitTable(std::vector<std::vector<std::string>> rows, size_t width,
                     const std::vector<std::string>& spare);

}  // namespace ccsched

#endif  // CCSCHED_SIM_RESULTS_TEXT_H_
