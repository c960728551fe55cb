// What clients were told and what jobs did, and the proof that they agree.
// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/history.h"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace ccsched::testing {
namespace {

// All clocks are one machine's: what a job writes down lies between the two
// times on record, but for how finely these are kept.
constexpr absl::Duration kSlack = absl::Milliseconds(50);
// Where agent and supervisor were killed together, what the supervisor said
// last counts: it says so every two seconds.
constexpr absl::Duration kLostSlack = absl::Seconds(3);
// Each row of the ledger is rounded to a joule.
constexpr double kRounding = 10;

absl::Time ToTime(const google::protobuf::Timestamp& t) {
  return absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos());
}

}  // namespace

bool IsTerminalState(v1::JobState state) {
  return state == v1::JOB_SUCCEEDED || state == v1::JOB_FAILED ||
         state == v1::JOB_CANCELLED || state == v1::JOB_TIMED_OUT;
}

std::string History::Script(const std::string& key, double seconds,
                            int exit_code) const {
  const std::string file = absl::StrCat(dir_, "/", key);
  const auto note = [&](const char* what) {
    return absl::StrCat("echo ", what,
                        " $CCSCHED_EPOCH $CCSCHED_RANK `date +%s%N` >> ", file,
                        "; ");
  };
  // The first rank of a gang holds the lock for all, by the shell's descriptor
  // 9, which its children share.
  return absl::StrCat(note("began"), "[ $CCSCHED_RANK = 0 ] || { sleep ",
                      seconds, "; ", note("done"), "exit ", exit_code,
                      "; }; exec 9>>", file, ".lock; flock -n 9 || ",
                      note("overlap"), note("start"), "sleep ", seconds, "; ",
                      note("end"), note("done"), "exit ", exit_code);
}

Deeds History::ReadDeeds(const std::string& key) const {
  Deeds deeds;
  std::ifstream in(absl::StrCat(dir_, "/", key));
  std::string line, what;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    uint32_t epoch = 0;
    uint32_t rank = 0;
    int64_t ns = 0;
    if (!(words >> what >> epoch)) continue;
    words >> rank >> ns;
    if (what == "overlap") ++deeds.overlaps;
    if (what == "start") deeds.started.push_back(epoch);
    if (what == "end") deeds.ended.push_back(epoch);
    if (what == "began") {
      deeds.ranks[epoch][rank].began = absl::FromUnixNanos(ns);
    }
    if (what == "done") {
      deeds.ranks[epoch][rank].done = absl::FromUnixNanos(ns);
    }
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
                       const Violation& violation) const {
  if (!IsTerminalState(job.state())) {
    return violation(
        absl::StrCat("never ended: it is ", v1::JobState_Name(job.state())));
  }
  const Deeds deeds = ReadDeeds(key);
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
  CheckStates(key, job, deeds, violation);
  CheckAttempts(job, deeds, violation);
}

void History::CheckStates(const std::string& key, const v1::Job& job,
                          const Deeds& deeds,
                          const Violation& violation) const {
  const int exit_code = tried_.at(key);
  if (job.state() == v1::JOB_SUCCEEDED) {
    if (exit_code != 0) violation("succeeded with a bad exit code");
    if (deeds.ended.empty()) violation("succeeded without having run");
    // The attempt on record as its success is the last that ever started.
    uint32_t succeeded = 0;
    for (const v1::Attempt& attempt : job.attempts()) {
      if (attempt.outcome() == "succeeded") succeeded = attempt.epoch();
    }
    for (const uint32_t epoch : deeds.started) {
      if (epoch > succeeded) violation("ran again after it had succeeded");
    }
  }
  if (job.state() == v1::JOB_FAILED && exit_code == 0) {
    // Chaos kills processes of jobs from outside, too.
    const v1::Attempt& last = job.attempts(job.attempts_size() - 1);
    if (last.signal() != SIGKILL) {
      violation(absl::StrCat("failed, though its process did not: ",
                             job.state_note()));
    }
  }
  if (job.state() == v1::JOB_CANCELLED && !cancelled_.contains(key)) {
    violation("was cancelled by nobody");
  }
}

// Times and energy on record against what the job itself wrote down.
void History::CheckAttempts(const v1::Job& job, const Deeds& deeds,
                            const Violation& violation) {
  double kwh = 0;
  for (const v1::Attempt& attempt : job.attempts()) {
    // A part of a gang may have taken energy though the gang never started.
    kwh += attempt.energy_kwh();
    if (attempt.has_started() && attempt.has_ended()) {
      const auto found = deeds.ranks.find(attempt.epoch());
      const auto ranks = found == deeds.ranks.end()
                             ? std::map<uint32_t, RankDeeds>()
                             : found->second;
      CheckTimes(attempt, ranks, violation);
      CheckEnergy(attempt, ranks, violation);
    }
  }
  if (std::fabs(job.energy_kwh() - kwh * kPue) >
      0.01 * kwh + kRounding / 3.6e6) {
    violation(absl::StrCat("has ", job.energy_kwh(), " kWh on record, its ",
                           "attempts together ", kwh * kPue));
  }
}

void History::CheckTimes(const v1::Attempt& attempt,
                         const std::map<uint32_t, RankDeeds>& ranks,
                         const Violation& violation) {
  const std::string name = absl::StrCat("attempt ", attempt.epoch());
  // A gang has started when all of it has: its parts are on record apart.
  absl::Time last = absl::InfinitePast();
  for (int rank = 0; rank < attempt.nodes_size(); ++rank) {
    const absl::Time started = ToTime(attempt.nodes(rank).started());
    last = std::max(last, started);
    const auto deeds = ranks.find(rank);
    if (deeds == ranks.end() || !deeds->second.began) continue;
    if (*deeds->second.began >= started - kSlack) continue;
    violation(absl::StrCat(name, " rank ", rank, " ran ",
                           absl::FormatDuration(started - *deeds->second.began),
                           " before the ledger says that it started"));
  }
  if (last != ToTime(attempt.started())) {
    violation(absl::StrCat(name, " did not start with the last of its parts"));
  }
  const absl::Time ended = ToTime(attempt.ended()) +
                           (attempt.outcome() == "lost" ? kLostSlack : kSlack);
  for (const auto& [rank, deeds] : ranks) {
    if (!deeds.done || *deeds.done <= ended) continue;
    violation(absl::StrCat(
        name, " ran ",
        absl::FormatDuration(*deeds.done - ToTime(attempt.ended())),
        " after the ledger says that it ended"));
  }
}

// Modelled: of each accelerator between idle and at work, by the use of
// processors, for as long as its part of the attempt was there: from its own
// start on. A gang ends with its last part; each was there at least for as long
// as it says, or, of a lost one, as its supervisor can have said.
void History::CheckEnergy(const v1::Attempt& attempt,
                          const std::map<uint32_t, RankDeeds>& ranks,
                          const Violation& violation) {
  const absl::Time ended = ToTime(attempt.ended());
  const auto seconds = [](absl::Duration d) {
    return std::max(0.0, absl::ToDoubleSeconds(d));
  };
  const absl::Duration unsaid =
      attempt.outcome() == "lost" ? kLostSlack : absl::ZeroDuration();
  double least_s = 0;
  double most_s = 0;
  for (int rank = 0; rank < attempt.nodes_size(); ++rank) {
    const double count = attempt.nodes(rank).count();
    const absl::Time started = ToTime(attempt.nodes(rank).started());
    const auto deeds = ranks.find(rank);
    if (attempt.nodes_size() == 1) {
      least_s += count * seconds(ended - started - kSlack);
    } else if (deeds != ranks.end() && deeds->second.began &&
               deeds->second.done) {
      const absl::Duration ran = *deeds->second.done - *deeds->second.began;
      least_s += count * seconds(ran - unsaid);
    }
    most_s += count * seconds(ended - started + kSlack);
  }
  const double joules = attempt.energy_kwh() * 3.6e6;
  const double least = 0.98 * kIdleWatts * least_s - kRounding;
  const double most = 1.02 * kActiveWatts * most_s + kRounding;
  if (joules >= least && joules <= most) return;
  violation(absl::StrCat("attempt ", attempt.epoch(), " has ", joules,
                         " J on record, not between ", least, " and ", most,
                         " (", attempt.energy_method(), ")"));
}

// Both sides of a job, for who looks into a violation.
std::string History::Describe(const std::string& key,
                              const v1::Job& job) const {
  std::string text = absl::StrCat(":\n  ", job.ShortDebugString(), "\n");
  std::ifstream in(absl::StrCat(dir_, "/", key));
  for (std::string line; std::getline(in, line);) {
    absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
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
    const size_t before = violations.size();
    CheckJob(key, *job, [&, number = id, name = key](const std::string& what) {
      violations.push_back(
          absl::StrCat("job ", number, " (", name, ") ", what));
    });
    if (violations.size() > before) violations.back() += Describe(key, *job);
  }
  for (const std::string& key : KeysThatRan()) {
    if (!tried_.contains(key)) {
      violations.push_back(key + " ran and was never submitted");
    }
  }
  return violations;
}

}  // namespace ccsched::testing
