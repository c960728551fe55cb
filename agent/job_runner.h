// Starts, stops and ends the attempts of this node, each exactly once.
// SPDX-License-Identifier: Apache-2.0
//
// The order is always: what is to happen is recorded and put on disk, then it
// happens or is reported. Settle, called after each batch of events, has all
// that came since the last write put there with one; what happens then waits
// for it, and nothing else does: a disk may take seconds, and the node must not
// be silent for as long. So it is with the files of an attempt, which are made
// for its start and removed after its end by a second thread, and with who its
// user is, which is asked before anything else.
#ifndef CCSCHED_AGENT_JOB_RUNNER_H_
#define CCSCHED_AGENT_JOB_RUNNER_H_

#include <signal.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/attempt_meter.h"
#include "agent/attempt_store.h"
#include "agent/cluster_time.h"
#include "agent/event_loop.h"
#include "agent/launch.h"
#include "agent/run_file.h"
#include "agent/sample_outbox.h"
#include "agent/spawn.h"
#include "agent/trash.h"
#include "agent/users.h"
#include "agent/worker.h"
#include "ccsched/v1/agents.pb.h"

namespace ccsched {

// What can stand in the way of starts. Each comes and goes by itself.
enum class Obstacle {
  kJournal,     // it can't be written
  kSupervisor,  // it is not this agent's
  kStart,       // one has failed, and not for anything of its job
  kEnding,      // it ends its jobs, and then itself
};

struct RunnerOptions {
  LaunchSettings launch;
  std::string supervisor;  // path of the program
  UserDirectory::Options users;
};

class JobRunner {
 public:
  using Ended = std::function<void(AttemptId)>;
  using Unfit = std::function<void(Obstacle, const std::string&)>;

  // REQUIRES: `loop`, `store` and `meter` outlive this.
  JobRunner(EventLoop& loop, AttemptStore& store, AttemptMeter& meter,
            RunnerOptions options, Send send);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // Told of each attempt whose processes are all gone.
  void set_ended(Ended ended) { ended_ = std::move(ended); }

  // Told why this node can start nothing now, as soon as that shows: before the
  // start that showed it is reported. An empty text tells that the journal is
  // written again, or that a later start has gone well; whether one would,
  // who listens has to try.
  void set_unfit(Unfit unfit) { unfit_ = std::move(unfit); }

  // Takes up what an earlier agent left. Call once, before anything else.
  void Adopt();
  // From now on times are those of this clock, and power is modelled so. It was
  // said at most `age` ago.
  void SetClock(const v1::Registered& registered, absl::Duration age);

  void Start(const v1::StartAttempt& start);
  void Stop(const v1::StopAttempt& stop);
  void Acknowledge(const v1::Acknowledge& acknowledge);
  // Begins to put on disk what is not there yet, unless that is under way. Then
  // what was accepted is started, what has ended is reported.
  void Settle();

  // Every attempt on record, as still running: for Register. What has ended
  // is reported after it, its last energy sample first.
  std::vector<v1::AttemptStatus> Known() const;
  void ReportEnded();
  // Sends the energy of each running attempt, and the node's, since the last
  // time.
  void Sample();
  SampleOutbox& samples() { return samples_; }

  // Tells every job's supervisor to end it and itself. From now on starts are
  // refused: also those that are on record, and what is being started ends.
  void EndAll();
  // The agent stops: what is not started yet is refused, and what the next one
  // would have to estimate goes on disk. Waits for both.
  void Leave();
  // Runs, or is about to.
  bool IsRunning(AttemptId id) const;
  size_t running_count() const { return running_.size(); }
  // Nothing runs or is about to, and all ends are on record.
  bool idle() const;

 private:
  struct Running {
    Supervised supervised;  // no process yet: it is being started
    AttemptMeter::State use;
    std::optional<int> stop;  // see EncodeStop
    // While it is asked to suspend: looks whether it has declined.
    std::optional<EventLoop::Timer> suspend_look;
    uint64_t declined_before = 0;
  };
  // A start, and who its user is, if that had to be asked.
  struct Wanted {
    v1::StartAttempt start;
    std::optional<absl::StatusOr<User>> user;
  };
  // Is started once that is on disk.
  struct Accepted {
    AttemptId id;
    LaunchSpec spec;
    std::string script;
    // Has to end instead, in this way.
    std::optional<v1::Outcome> over;
  };
  // What waits for the disk.
  struct Batch {
    std::deque<Accepted> accepted;
    std::vector<AttemptId> finished;
  };
  struct Removal {
    AttemptId id;
    std::string tmp;
    bool done = false;
  };
  // What the second thread does now: either of the two.
  struct FileWork {
    std::optional<AttemptId> start;
    absl::StatusOr<Supervised> started;
    std::vector<Removal> removals;
  };

  // As running, whatever it is.
  static v1::AttemptStatus StatusOf(AttemptId id, const KnownAttempt& attempt);
  void AdoptOne(AttemptId id);
  void SetUnfit(Obstacle obstacle, const std::string& why);
  void Track(AttemptId id, Running running);
  // As soon as its process is known.
  void Follow(AttemptId id, Running& running);
  void OnGone(AttemptId id);
  // Whatever a dead supervisor left of it.
  void KillAllOf(AttemptId id, const std::string& tag);
  void JudgeDeath(const siginfo_t& info, bool lived, v1::AttemptStatus& status);
  void OnUserFound(AttemptId id, absl::StatusOr<User> user);
  void Accept(const Wanted& wanted);
  bool WaitsForOlder(const Wanted& wanted);
  // An attempt whose start was taken, and its job can't be.
  void RefuseFor(AttemptId id, const absl::Status& why);
  void EndAtOnce(AttemptId id, v1::Outcome outcome, const std::string& message,
                 bool node_at_fault = false);
  void OnStartFailed(const std::string& why);
  void RefuseToStart(AttemptId id);
  void NextFiles();
  void BeginSpawn(const Accepted& accepted);
  void BeginRemoval();
  void OnFiles();
  void OnSpawned(AttemptId id, absl::StatusOr<Supervised> supervised);
  void OnRemoved(const Removal& removal);
  void AcceptStarts();
  void OnCommitted();
  void OnCommitFailed(const absl::Status& status, Batch batch);
  const Accepted* FindAccepted(AttemptId id) const;
  Accepted* FindAccepted(AttemptId id);
  // The newer attempt that waits for one of this job to be gone, if any.
  void LetNext(uint64_t job);
  void SignalStop(AttemptId id, Running& running, int value);
  void LookForDecline(AttemptId id);
  void Finish(const v1::AttemptStatus& status,
              const std::optional<v1::EnergySample>& sample);
  void Report(const v1::AttemptStatus& status);
  void ReportFinished(AttemptId id);
  // Whether the end of an attempt that has ended is on disk: only then is it
  // told to anyone.
  bool IsRecorded(AttemptId id) const;
  void ReportRefused(AttemptId id, const std::string& message);
  std::string NewTag(AttemptId id) const;

  EventLoop& loop_;
  AttemptStore& store_;
  AttemptMeter& meter_;
  const RunnerOptions options_;
  const Send send_;
  SampleOutbox samples_;
  Ended ended_;
  Unfit unfit_;
  std::optional<ClusterTime> time_;
  std::map<AttemptId, Running> running_;
  std::map<AttemptId, v1::StartAttempt> asked_;  // whose users are asked for
  std::vector<Wanted> starts_;                   // not looked at yet
  Batch batch_;                                  // of the next write
  Batch committing_;                             // of the one under way
  std::deque<Accepted> on_record_;               // to be started
  std::set<AttemptId> to_remove_;  // what ended and was acknowledged
  // Wait for an older attempt of the same job to be gone.
  std::map<uint64_t, Wanted> waiting_;
  bool no_starts_ = false;  // any more
  bool ending_ = false;     // all jobs
  bool retry_armed_ = false;
  bool journal_fails_ = false;
  std::optional<int64_t> failed_at_ns_;  // the last start that did
  int deaths_ = 0;  // of supervisors, of themselves, one after another
  std::optional<FileWork> files_;
  UserDirectory users_;
  RunFilePool run_files_;  // the thread's, as the next
  Trash trash_;
  TmpPool tmps_;
  Worker files_worker_;  // last: it is waited for before the rest goes
};

}  // namespace ccsched

#endif  // CCSCHED_AGENT_JOB_RUNNER_H_
