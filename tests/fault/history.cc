// What clients were told and what jobs did, and the proof that they agree.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/history.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {

bool IsTerminalState(v1::JobState state) {
  return state == v1::JOB_SUCCEEDED || state == v1::JOB_FAILED ||
         state == v1::JOB_CANCELLED || state == v1::JOB_TIMED_OUT;
}

std::string History::Script(const std::string& key, double seconds,
                            int exit_code) const {
  const std::string file = absl::StrCat(dir_, "/", key);
  // The lock is held by the shell's descriptor 9, which its children share.
  return absl::StrCat(
      "exec 9>>", file, ".lock; flock -n 9 || echo overlap $CCSCHED_EPOCH >> ",
      file, "; echo start $CCSCHED_EPOCH >> ", file, "; sleep ", seconds,
      "; echo end $CCSCHED_EPOCH >> ", file, "; exit ", exit_code);
}

Deeds History::ReadDeeds(const std::string& key) const {
  Deeds deeds;
  std::ifstream in(absl::StrCat(dir_, "/", key));
  std::string what;
  uint32_t epoch;
  while (in >> what >> epoch) {
    if (what == "start") deeds.started.push_back(epoch);
    if (what == "end") deeds.ended.push_back(epoch);
    if (what == "overlap") ++deeds.overlaps;
  }
  return deeds;
}

std::set<std::string> History::KeysThatRan() const {
  std::set<std::string> keys;
  for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
    if (entry.path().extension() != ".lock") {
      keys.insert(entry.path().filename().string());
    }
  }
  return keys;
}

void History::CheckJob(const std::string& key, const v1::Job& job,
                       std::vector<std::string>* violations) const {
  const auto violation = [&](const std::string& what) {
    violations->push_back(
        absl::StrCat("job ", job.id(), " (", key, ") ", what));
  };
  const Deeds deeds = ReadDeeds(key);
  if (!IsTerminalState(job.state())) {
    return violation(
        absl::StrCat("never ended: it is ", v1::JobState_Name(job.state())));
  }
  if (deeds.overlaps > 0) violation("ran twice at once");
  std::set<uint32_t> recorded;
  for (const v1::Attempt& attempt : job.attempts()) {
    if (!recorded.insert(attempt.epoch()).second) {
      violation(absl::StrCat("has attempt ", attempt.epoch(), " twice"));
    }
    if (!attempt.has_ended()) {
      violation(
          absl::StrCat("has ended, attempt ", attempt.epoch(), " has not"));
    }
  }
  std::set<uint32_t> seen;
  for (const uint32_t epoch : deeds.started) {
    if (!seen.insert(epoch).second) {
      violation(absl::StrCat("started epoch ", epoch, " twice"));
    }
    if (!recorded.contains(epoch)) {
      violation(absl::StrCat("ran epoch ", epoch, ", not in the ledger"));
    }
  }
  const int exit_code = tried_.at(key);
  const bool may_be_killed = killed_jobs_ || cancelled_.contains(key);
  if (job.state() == v1::JOB_SUCCEEDED) {
    if (exit_code != 0) violation("succeeded with a bad exit code");
    if (deeds.ended.empty()) violation("succeeded without having run");
    // After the run that succeeded nothing may start.
    if (!deeds.ended.empty() && !may_be_killed &&
        deeds.started.back() > deeds.ended.back()) {
      violation("ran again after it had succeeded");
    }
  }
  if (job.state() == v1::JOB_FAILED && exit_code == 0 && !may_be_killed) {
    violation("failed, though its process did not");
  }
  if (job.state() == v1::JOB_CANCELLED && !cancelled_.contains(key)) {
    violation("was cancelled by nobody");
  }
}

std::vector<std::string> History::Violations(TestCluster& cluster) const {
  std::vector<std::string> violations;
  std::map<uint64_t, std::string> ids;
  for (const auto& [key, id] : acknowledged_) {
    const auto [other, is_new] = ids.emplace(id, key);
    if (!is_new) {
      violations.push_back(absl::StrCat("job id ", id, " was given to ", key,
                                        " and to ", other->second));
    }
    const absl::StatusOr<v1::Job> job = cluster.Get(id);
    if (!job.ok()) {
      violations.push_back(absl::StrCat("job ", id, " (", key,
                                        ") was acknowledged and is lost: ",
                                        std::string(job.status().message())));
      continue;
    }
    if (job->spec().name() != key) {
      violations.push_back(absl::StrCat("job ", id, " is ", job->spec().name(),
                                        ", was acknowledged as ", key));
    }
    CheckJob(key, *job, &violations);
  }
  for (const std::string& key : KeysThatRan()) {
    if (!tried_.contains(key)) {
      violations.push_back(key + " ran and was never submitted");
    }
  }
  return violations;
}

}  // namespace ccsched::testing
