// Training runs read from YAML, their grid from a series where one is named.
// SPDX-License-Identifier: Apache-2.0
//
//   ASSIGN_OR_RETURN(auto file, TrainingRunFile::Read("runs.yaml"));
//   RETURN_IF_ERROR(file.Fill("mine", sites, remarks));  // of what is wanted
//   Use(file.runs());
#ifndef CCSCHED_SCHEDULER_PROVIDERS_TRAINING_RUNS_H_
#define CCSCHED_SCHEDULER_PROVIDERS_TRAINING_RUNS_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ccsched/v1/footprint.pb.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/footprint.h"
#include "scheduler/wire/yaml.h"

namespace ccsched {

// What a running scheduler knows of one of its sites over a time.
struct KnownSite {
  GramsPerKwh intensity;  // the mean; gross
  double pue = 1;
  bool estimated = false;  // some hours are
};
using SiteSource = std::function<absl::StatusOr<KnownSite>(
    const std::string& site, absl::Time start, absl::Time end)>;

// Not thread safe.
class TrainingRunFile {
 public:
  // Errors: NotFound, InvalidArgument as "file:line: …".
  static absl::StatusOr<TrainingRunFile> Read(const std::string& path);

  // In the order of the file, names unique. A run that names a grid or a site
  // has no intensity (nor a site's PUE) before it is filled.
  const std::vector<TrainingRun>& runs() const { return runs_; }
  // Reads the grid of the run of that name, or asks `sites` for it, once;
  // nothing to do if there is none. `remarks` takes what a reader must know.
  // Errors: InvalidArgument as "file:line: …"; Unavailable of `sites`.
  absl::Status Fill(const std::string& name, const SiteSource& sites,
                    std::vector<std::string>& remarks);

 private:
  std::string Where(int run) const;

  v1::FootprintFile file_;
  YamlSource source_;
  std::string folder_;
  std::vector<TrainingRun> runs_;
  std::set<std::string> filled_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_PROVIDERS_TRAINING_RUNS_H_
