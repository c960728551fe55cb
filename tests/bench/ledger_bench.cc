// How fast submissions become durable, beside what SQLite alone can do.
// SPDX-License-Identifier: Apache-2.0
//
// Usage: ccsched-bench-ledger [SECONDS_PER_LINE [DIRECTORY]]
//
// Both sides commit batches of 1, 10, 100 and 1000 in one thread, durably
// (WAL, synchronous=FULL). "bare" inserts one row of an id and 300 bytes a
// submission; the ledger writes all that a submission leaves behind: itself,
// its state, its decision, and a line of the journal for each batch. Then a
// ledger of 300,000 jobs, two thirds of them ended, is opened and asked.
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/ledger/ledger.h"

namespace ccsched {
namespace {

constexpr size_t kPayloadBytes = 300;

double Seconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // of the committing thread, for each submission
};

// Calls `commit(first, count)` until the time is up.
Rate Measure(double seconds, uint64_t count,
             const std::function<void(uint64_t, uint64_t)>& commit) {
  double begin = Seconds(CLOCK_MONOTONIC);
  double cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
  uint64_t done = 0;
  double elapsed = 0;
  while (elapsed < seconds) {
    commit(done + 1, count);
    done += count;
    elapsed = Seconds(CLOCK_MONOTONIC) - begin;
  }
  cpu = Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  return {static_cast<double>(done) / elapsed,
          cpu * 1e6 / static_cast<double>(done)};
}

void Require(bool ok, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

Rate Bare(const std::string& path, double seconds, uint64_t batch) {
  sqlite3* db = nullptr;
  sqlite3_stmt* insert = nullptr;
  auto run = [&](const char* sql) {
    Require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
            absl::StrCat(path, ": ", sqlite3_errmsg(db)));
  };
  sqlite3_open(path.c_str(), &db);
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "CREATE TABLE t (id INTEGER PRIMARY KEY, payload BLOB)");
  sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?,?)", -1, &insert, nullptr);
  const std::string payload(kPayloadBytes, 'p');
  Rate rate = Measure(seconds, batch, [&](uint64_t first, uint64_t count) {
    run("BEGIN");
    for (uint64_t id = first; id < first + count; ++id) {
      sqlite3_bind_int64(insert, 1, static_cast<int64_t>(id));
      sqlite3_bind_blob(insert, 2, payload.data(),
                        static_cast<int>(payload.size()), SQLITE_STATIC);
      Require(sqlite3_step(insert) == SQLITE_DONE, sqlite3_errmsg(db));
      sqlite3_reset(insert);
    }
    run("COMMIT");
  });
  sqlite3_finalize(insert);
  sqlite3_close(db);
  return rate;
}

void Fill(Batch& batch, uint64_t first, uint64_t count, bool keys) {
  batch.Clear();
  const absl::Time now = absl::FromUnixSeconds(1600000000);
  for (uint64_t id = first; id < first + count; ++id) {
    SubmissionRow& submission = batch.submissions.emplace_back();
    submission.id = JobId(id);
    submission.submitted = now;
    submission.user = "ada";
    submission.project = "engine";
    submission.name = "train";
    submission.payload.assign(kPayloadBytes - 100, 'p');
    if (keys) {  // in no order, as people's keys are
      submission.key = absl::StrCat(absl::Hex(id * 0x9e3779b97f4a7c15u));
    }
    JobStateRow& state = batch.states.emplace_back();
    state.id = submission.id;
    state.state = 3;
    state.changed = now;
    state.wake = now;
    state.planned_site = "oregon";
    DecisionRow& decision = batch.decisions.emplace_back();
    decision.job = submission.id;
    decision.at = now;
    decision.policy = "planner";
    decision.payload.assign(60, 'd');
  }
  batch.step = StepRow{now, std::string(40 * count, 'e'), "digest"};
}

Rate Ours(const std::string& path, double seconds, uint64_t size, bool keys) {
  auto ledger = OpenSqliteLedger(path);
  Require(ledger.ok(), ledger.status().ToString());
  Batch batch;
  double filling = 0;  // what the daemon would do; not the ledger's
  uint64_t filled = 0;
  Rate rate = Measure(seconds, size, [&](uint64_t first, uint64_t count) {
    double cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
    Fill(batch, first, count, keys);
    filling += Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    filled += count;
    absl::Status status = (*ledger)->Commit(batch);
    Require(status.ok(), status.ToString());
  });
  rate.cpu_us -= filling * 1e6 / static_cast<double>(filled);
  return rate;
}

// Jobs up to `ended` have run for two hours and are over; the rest wait.
void Populate(Ledger& ledger, uint64_t jobs, uint64_t ended) {
  const absl::Time start = absl::FromUnixSeconds(1600000000);
  Batch batch;
  for (uint64_t first = 1; first <= jobs; first += 1000) {
    Fill(batch, first, 1000, false);
    for (JobStateRow& state : batch.states) {
      if (state.id.value() > ended) continue;
      state.state = 9;
      AttemptRow& attempt = batch.attempts.emplace_back();
      attempt.job = state.id;
      attempt.epoch = 1;
      attempt.site = state.id.value() % 3 == 0 ? "oregon" : "dublin";
      attempt.count = 8;
      attempt.started = attempt.sent = start + absl::Minutes(first / 10);
      attempt.ended = *attempt.started + absl::Hours(2);
      for (int hour = 0; hour < 2; ++hour) {
        EmissionRow& row = batch.emissions.emplace_back();
        row.job = state.id;
        row.epoch = 1;
        row.start = *attempt.started + absl::Hours(hour);
        row.end = row.start + absl::Hours(1);
        row.joules = 3600000;
        row.intensity = 400;
        row.milligrams = 400000;
        row.method = "measured";
        row.site = row.region = attempt.site;
      }
      batch.baselines.push_back({state.id, 900000, false});
    }
    absl::Status status = ledger.Commit(batch);
    Require(status.ok(), status.ToString());
  }
}

template <typename F>
void Time(const char* what, F f) {
  double begin = Seconds(CLOCK_MONOTONIC);
  size_t rows = f();
  std::printf("%-44s %9.1f ms %10zu rows\n", what,
              (Seconds(CLOCK_MONOTONIC) - begin) * 1e3, rows);
}

void Ask(const std::string& path) {
  constexpr uint64_t kJobs = 300000, kEnded = 200000;
  std::unique_ptr<Ledger> ledger;
  auto open = [&] {
    auto opened = OpenSqliteLedger(path);
    Require(opened.ok(), opened.status().ToString());
    ledger = *std::move(opened);
    return size_t{0};
  };
  open();
  std::printf("\nOf a ledger of %d jobs, %d of them ended:\n",
              static_cast<int>(kJobs), static_cast<int>(kEnded));
  Time("write it", [&] { return Populate(*ledger, kJobs, kEnded), kJobs; });
  ledger.reset();
  Time("open", open);
  LedgerReader& reader = ledger->reader();
  Time("load what lives", [&] { return ledger->Load()->jobs.size(); });
  Time("one job", [&] { return reader.Job(JobId(4711))->attempts.size(); });
  Time("a page of 1000 ended jobs", [&] {
    return reader.Jobs({.states = {9}, .after = JobId(90000), .limit = 1000})
        ->size();
  });
  Time("report by site", [&] { return reader.Report({})->rows.size(); });
  Time("report by region",
       [&] { return reader.Report({.by = ReportBy::kRegion})->rows.size(); });
  Time("report by job, of one hour", [&] {
    const absl::Time from = absl::FromUnixSeconds(1600000000 + 360000);
    return reader
        .Report(
            {.by = ReportBy::kJob, .from = from, .to = from + absl::Hours(1)})
        ->rows.size();
  });
}

void Main(double seconds, const std::string& directory) {
  std::printf(
      "Durable submissions a second, one thread, %.1f s a line; CPU of that\n"
      "thread in us a submission. ratio: the ledger's rate to bare SQLite's.\n"
      "%6s %12s %7s %12s %7s %6s %12s %7s %6s\n",
      seconds, "batch", "bare/s", "us", "ledger/s", "us", "ratio", "keyed/s",
      "us", "ratio");
  for (uint64_t batch : {1, 10, 100, 1000}) {
    std::string base = absl::StrCat(directory, "/", batch);
    Rate bare = Bare(base + "-bare.db", seconds, batch);
    Rate ours = Ours(base + "-ledger.db", seconds, batch, false);
    Rate keyed = Ours(base + "-keyed.db", seconds, batch, true);
    std::printf("%6d %12.0f %7.1f %12.0f %7.1f %6.2f %12.0f %7.1f %6.2f\n",
                static_cast<int>(batch), bare.per_second, bare.cpu_us,
                ours.per_second, ours.cpu_us, ours.per_second / bare.per_second,
                keyed.per_second, keyed.cpu_us,
                keyed.per_second / bare.per_second);
    std::fflush(stdout);
  }
  Ask(directory + "/asked.db");
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) {
  double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  if (seconds <= 0) {
    std::fprintf(stderr, "usage: %s [SECONDS_PER_LINE [DIRECTORY]]\n", argv[0]);
    return 2;
  }
  std::string directory = argc > 2 ? argv[2] : ".";
  std::string made = directory + "/ledger-bench-XXXXXX";
  if (mkdtemp(made.data()) == nullptr) {
    std::perror(made.c_str());
    return 1;
  }
  ccsched::Main(seconds, made);
  std::filesystem::remove_all(made);
  return 0;
}
