// The formats that others read emissions in, from rows of a report.
// SPDX-License-Identifier: Apache-2.0
//
// Pure functions: the caller has the rows and writes the text. What is unknown
// is left empty, never 0.
#ifndef CCSCHED_SCHEDULER_CARBON_REPORT_FORMATS_H_
#define CCSCHED_SCHEDULER_CARBON_REPORT_FORMATS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace ccsched {

// A stretch of constant power and intensity.
struct ReportInterval {
  absl::Time start, end;
  std::optional<double> energy_kwh;  // PUE included
  std::optional<double> intensity;   // gCO2e/kWh, location-based
  std::optional<double> co2e_g;
  std::optional<double> pue;  // absent: the entry's
};

// A job, or whatever else the report is by (then `name` is the key).
struct ReportEntry {
  std::string id;    // "42"
  std::string name;  // of the job, or the report's key
  std::string user, project;
  std::string site, region;
  std::string country, country_code;  // "Germany", "DEU"; where known
  std::string accelerator;
  uint32_t accelerators = 0;
  absl::Time start, end;   // first start, last end
  absl::Duration running;  // without pauses
  double pue = 1;
  std::optional<double> energy_kwh;             // PUE included
  std::optional<double> co2e_g;                 // location-based
  std::optional<double> net_co2e_g;             // market-based
  std::optional<double> lost_kwh, lost_co2e_g;  // on the grid, in neither
  std::optional<double> baseline_co2e_g;
  std::string method = "modelled";        // measured modelled estimated
  std::string training_type;              // for huggingface; empty: left out
  bool estimated = false;                 // some intensity is a forecast
  std::vector<ReportInterval> intervals;  // for mlperf and impact-framework
};

// emissions.csv of CodeCarbon: kg, kWh, W; one row an entry.
std::string CodeCarbonCsv(absl::Span<const ReportEntry> entries);

// The `co2_eq_emissions` block of a Hugging Face model card (grams), all
// entries summed, with a sentence ready to paste below it. Errors:
// FailedPrecondition if the emission of an entry is unknown.
absl::StatusOr<std::string> HuggingFaceCard(
    absl::Span<const ReportEntry> entries);
std::string ModelCardSentence(const ReportEntry& entry);

// GHG Protocol Scope 2: location-based and market-based tonnes side by side.
std::string GhgScope2Csv(absl::Span<const ReportEntry> entries);

// The node logs of MLPerf Training power, one an entry, each preceded by a line
// "# power/result_0/node_K.txt". Readings at 1 Hz from the intervals' mean
// power; shorter runs get 60. Errors: FailedPrecondition if the energy of an
// entry is unknown or has no intervals.
absl::StatusOr<std::string> MlperfPowerLogs(
    absl::Span<const ReportEntry> entries);

// A manifest of the Green Software Foundation's Impact Framework (YAML).
std::string ImpactFrameworkYaml(absl::Span<const ReportEntry> entries);

// By the names that `ccsched report --format` takes: codecarbon, huggingface,
// ghg, mlperf, impact-framework. Errors: InvalidArgument for another name, and
// those of the functions above.
absl::StatusOr<std::string> FormatReport(std::string_view format,
                                         absl::Span<const ReportEntry> entries);

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_REPORT_FORMATS_H_
