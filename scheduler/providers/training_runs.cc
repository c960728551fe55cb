// Training runs read from YAML, their grid from a series where one is named.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/training_runs.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/carbon/utc.h"
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

// What the file says by itself; its grid comes later.
absl::StatusOr<TrainingRun> Convert(const v1::FootprintRun& in) {
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
  return run;
}

absl::Status FillGrid(const v1::FootprintRun& in, const std::string& folder,
                      const SiteSource& sites,
                      std::vector<std::string>& remarks, TrainingRun& run) {
  if (!in.site().empty()) {
    RETURN_IF_ERROR(FillFromSite(in, sites, remarks, run));
  }
  if (in.has_grid()) {
    ASSIGN_OR_RETURN(run.gross, MeanIntensity(in.grid(), folder, run.days));
  }
  return CheckRun(run);
}

absl::Status At(const std::string& where, const absl::Status& status) {
  if (status.ok() || absl::IsUnavailable(status)) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(where, ": ", std::string(status.message())));
}

}  // namespace

absl::StatusOr<TrainingRunFile> TrainingRunFile::Read(const std::string& path) {
  TrainingRunFile out;
  RETURN_IF_ERROR(ReadYamlFile(path, out.file_, &out.source_));
  // Files without one were always taken.
  const std::string version =
      out.file_.version() == 0 ? "" : WrongVersion(out.file_.version());
  if (!version.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(out.source_.At("version"), ": version: ", version));
  }
  out.folder_ = std::filesystem::path(path).parent_path().string();
  std::set<std::string> names;
  for (int i = 0; i < out.file_.runs_size(); ++i) {
    absl::StatusOr<TrainingRun> run = Convert(out.file_.runs(i));
    if (!run.ok()) return At(out.Where(i), run.status());
    if (!names.insert(run->name).second) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: another run is named \"%s\" too", out.Where(i), run->name));
    }
    out.runs_.push_back(*std::move(run));
  }
  if (out.runs_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":1: no runs in the file"));
  }
  return out;
}

std::string TrainingRunFile::Where(int run) const {
  return source_.At(absl::StrFormat("runs[%d]", run));
}

absl::Status TrainingRunFile::Fill(const std::string& name,
                                   const SiteSource& sites,
                                   std::vector<std::string>& remarks) {
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].name != name || !filled_.insert(name).second) continue;
    const auto n = static_cast<int>(i);
    RETURN_IF_ERROR(At(
        Where(n), FillGrid(file_.runs(n), folder_, sites, remarks, runs_[i])));
  }
  return absl::OkStatus();
}

}  // namespace ccsched
