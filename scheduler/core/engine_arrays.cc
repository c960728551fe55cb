// The scheduler as a pure state machine: arrays with a limit ("0-99%5").
// SPDX-License-Identifier: Apache-2.0
//
// The limit is kept before the queue, so that no policy has to know of it: at
// most so many of the array's jobs are anywhere between the queue and their
// end. A held job gives up its place.
#include <utility>

#include "scheduler/core/engine_state.h"

namespace ccsched {

void Engine::State::JoinArray(JobId id, const ArrayLimit& limit) {
  LimitedArray& array = arrays_[limit.array];
  array.at_most = limit.at_most;
  ++array.members;
  in_array_[id] = {.array = limit.array};
}

bool Engine::State::EnterArray(JobId id) {
  if (in_array_.empty()) return true;
  const auto found = in_array_.find(id);
  if (found == in_array_.end()) return true;
  ArrayMember& member = found->second;
  LimitedArray& array = arrays_[member.array];
  if (array.inside >= array.at_most) {
    array.line.insert(id);
    return false;
  }
  ++array.inside;
  member.inside = true;
  return true;
}

void Engine::State::LeaveArray(JobRef ref) {
  if (in_array_.empty()) return;
  const JobId id = jobs_[ref].spec.id;
  const auto found = in_array_.find(id);
  if (found == in_array_.end()) return;
  const JobId array_id = found->second.array;
  LimitedArray& array = arrays_[array_id];
  if (std::exchange(found->second.inside, false)) --array.inside;
  array.line.erase(id);
  if (IsTerminal(jobs_[ref].state)) {
    in_array_.erase(found);
    if (--array.members == 0) {
      arrays_.erase(array_id);
      return;
    }
  }
  while (array.inside < array.at_most && !array.line.empty()) {
    const JobId next = *array.line.begin();
    array.line.erase(array.line.begin());
    in_array_[next].inside = true;
    ++array.inside;
    const JobRef follower = jobs_.Find(next);
    Move(follower, Trigger::kDependenciesMet);
    if (Admit(follower)) {
      Enqueue(follower);
    } else {
      Move(follower, Trigger::kHold);
      GiveUpPlace(next);
    }
  }
}

void Engine::State::GiveUpPlace(JobId id) {
  const auto found = in_array_.find(id);
  if (found == in_array_.end() || !found->second.inside) return;
  found->second.inside = false;
  --arrays_[found->second.array].inside;
}

void Engine::State::RestoreInArray(JobRef ref, const ArrayLimit& limit) {
  const Job& job = jobs_[ref];
  const JobId id = job.spec.id;
  JoinArray(id, limit);
  if (job.state == JobState::kHeld || after_.contains(id)) return;
  LimitedArray& array = arrays_[limit.array];
  if (job.state == JobState::kBlocked) {
    array.line.insert(id);
  } else {
    in_array_[id].inside = true;
    ++array.inside;
  }
}

std::optional<ArrayLimit> Engine::waits_for(JobId id) const {
  const auto member = state_->in_array_.find(id);
  if (member == state_->in_array_.end()) return std::nullopt;
  const State::LimitedArray& array = state_->arrays_.at(member->second.array);
  if (!array.line.contains(id)) return std::nullopt;
  return ArrayLimit{member->second.array, array.at_most};
}

}  // namespace ccsched
