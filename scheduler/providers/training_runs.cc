// Training runs read from YAML, their grid from a series where one is named.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccsched/v1/footprint.pb.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/utc.h"
#include "scheduler/providers/footprint_command.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {
namespace {

// The mean intensity over the run's time: at constant power the weights of the
// hours are their lengths within it.
absl::StatusOr<GramsPerKwh> MeanIntensity(const v1::FootprintGrid& grid,
                                          const std::string& folder,
                                          double days) {
  if (grid.intensity().empty()) {
    return absl::InvalidArgumentError("grid.intensity is missing: a CSV file");
  }
  if (!grid.has_start()) {
    return absl::InvalidArgumentError("grid.start is missing");
  }
  ASSIGN_OR_RETURN(const GapRule gaps, ParseGapRule(grid.gaps()));
  const std::string path =
      (std::filesystem::path(folder) / grid.intensity()).string();
  ASSIGN_OR_RETURN(const GridColumn column,
                   ReadGridCsv(path, grid.column(), gaps));
  if (!column.basis.starts_with("average-")) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "column \"%s\" of %s is not an intensity", grid.column(), path));
  }
  const absl::Time start = FromProto(grid.start());
  const absl::Time end = start + absl::Hours(24) * days;
  if (!column.series.Covers(start, end)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s has %s to %s, the run is from %s to %s", path,
        FormatUtc(column.series.start()), FormatUtc(column.series.end()),
        FormatUtc(start), FormatUtc(end)));
  }
  return GramsPerKwh(column.series.IntegralHours(start, end) /
                     absl::ToDoubleHours(end - start));
}

// The grid and the PUE of a site of the running scheduler.
absl::Status FillFromSite(const v1::FootprintRun& in, const SiteSource& sites,
                          std::vector<std::string>& remarks, TrainingRun& run) {
  if (!in.has_start()) return absl::InvalidArgumentError("start is missing");
  if (sites == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("site: ", in.site(), ": no scheduler to ask"));
  }
  const absl::Time start = FromProto(in.start());
  ASSIGN_OR_RETURN(const KnownSite site,
                   sites(in.site(), start, start + absl::Hours(24) * run.days));
  run.gross = site.intensity;
  if (!in.has_pue()) run.pue = site.pue;
  if (run.datacenter.empty()) run.datacenter = in.site();
  if (site.estimated) {
    remarks.push_back(
        absl::StrCat(run.name, ": some hours of the grid are estimated"));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingRun> Convert(const v1::FootprintRun& in,
                                    const std::string& folder,
                                    const SiteSource& sites,
                                    std::vector<std::string>& remarks) {
  for (const auto& [there, name] :
       {std::pair(in.has_chips(), "chips"), std::pair(in.has_days(), "days"),
        std::pair(in.has_watts(), "watts"),
        std::pair(in.has_pue() || !in.site().empty(), "pue"),
        std::pair(
            in.has_gross_g_per_kwh() || in.has_grid() || !in.site().empty(),
            "gross_g_per_kwh (or grid, or site)")}) {
    if (!there) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is missing"));
    }
  }
  if (in.has_gross_g_per_kwh() + in.has_grid() + !in.site().empty() > 1) {
    return absl::InvalidArgumentError(
        "of gross_g_per_kwh, grid and site one is enough");
  }
  TrainingRun run;
  run.name = in.name();
  run.model = in.model().empty() ? in.name() : in.model();
  run.accelerator = in.accelerator();
  run.datacenter = in.datacenter();
  run.chips = in.chips();
  run.days = in.days();
  run.watts = Watts(in.watts());
  run.pue = in.has_pue() ? in.pue() : 1;
  run.gross = GramsPerKwh(in.gross_g_per_kwh());
  if (in.has_net_g_per_kwh()) run.net = GramsPerKwh(in.net_g_per_kwh());
  if (in.has_tflops()) run.tflops = in.tflops();
  if (in.has_total_flops()) run.total_flops = in.total_flops();
  if (in.has_cfe()) run.cfe = in.cfe();
  const v1::FootprintPrinted& p = in.printed();
  if (p.has_energy_kwh()) run.printed.energy_kwh = p.energy_kwh();
  if (p.has_gross_co2e_kg()) run.printed.gross_co2e_kg = p.gross_co2e_kg();
  if (p.has_net_co2e_kg()) run.printed.net_co2e_kg = p.net_co2e_kg();
  RETURN_IF_ERROR(CheckRun(run));
  if (!in.site().empty()) {
    RETURN_IF_ERROR(FillFromSite(in, sites, remarks, run));
    RETURN_IF_ERROR(CheckRun(run));
  }
  if (in.has_grid()) {
    ASSIGN_OR_RETURN(run.gross, MeanIntensity(in.grid(), folder, run.days));
    RETURN_IF_ERROR(CheckRun(run));
  }
  return run;
}

}  // namespace

absl::StatusOr<std::vector<TrainingRun>> ReadTrainingRuns(
    const std::string& path, const SiteSource& sites,
    std::vector<std::string>& remarks) {
  v1::FootprintFile file;
  YamlSource source;
  RETURN_IF_ERROR(ReadYamlFile(path, file, &source));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::vector<TrainingRun> runs;
  std::set<std::string> names;
  for (int i = 0; i < file.runs_size(); ++i) {
    const std::string at = source.At(absl::StrFormat("runs[%d]", i));
    absl::StatusOr<TrainingRun> run =
        Convert(file.runs(i), folder, sites, remarks);
    if (absl::IsUnavailable(run.status())) return run.status();
    if (!run.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(at, ": ", std::string(run.status().message())));
    }
    if (!names.insert(run->name).second) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: another run is named \"%s\" too", at, run->name));
    }
    runs.push_back(*std::move(run));
  }
  if (runs.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":1: no runs in the file"));
  }
  return runs;
}

}  // namespace ccsched
