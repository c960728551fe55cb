// The finished runs of a sweep, on disk, so that it can be taken up again.
// SPDX-License-Identifier: Apache-2.0
//
// One line of JSON a run, appended when it is done: a sweep may be killed at
// any instant and loses only what was under way.
#ifndef CCSCHED_SIM_SWEEP_STATE_H_
#define CCSCHED_SIM_SWEEP_STATE_H_

#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/sweep.h"

namespace ccsched {

// A digest of a file's bytes; of a folder, of all files in it. Not against
// those who mean harm. Errors: FailedPrecondition naming the file.
absl::StatusOr<std::string> DigestOf(const std::string& path);

class SweepState {
 public:
  // Gives `take` what an earlier sweep has done, key by key, of those whose
  // files (the scenario's trace and grids) are what they were. A torn last
  // line is passed over. What is saved from now on is appended, but never to a
  // file that is something else. Errors: FailedPrecondition naming the file.
  absl::Status Open(
      const std::string& path,
      const std::function<void(const std::string& key,
                               std::vector<SweepPoint> points)>& take);

  // Nothing, before it is open. `key` is JSON; `files` are those it read.
  // Errors: FailedPrecondition naming the file.
  absl::Status Save(const std::string& key,
                    const std::vector<std::string>& files,
                    const std::vector<SweepPoint>& points);

 private:
  absl::StatusOr<std::string> Digest(const std::string& path);

  std::string path_;
  std::ofstream out_;
  std::map<std::string, std::string> digests_;  // by path
};

}  // namespace ccsched

#endif  // CCSCHED_SIM_SWEEP_STATE_H_
