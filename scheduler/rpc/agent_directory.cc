// Which agent serves which node now, and who reads logs through it.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/agent_directory.h"

#include <utility>
#include <vector>

namespace ccsched {

void AgentDirectory::Set(const std::string& node,
                         std::shared_ptr<AgentLink> link) {
  const std::lock_guard lock(mutex_);
  links_[node] = std::move(link);
}

void AgentDirectory::Remove(const std::string& node, const AgentLink* link) {
  std::vector<std::shared_ptr<LogSink>> orphans;
  {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(node);
    if (found != links_.end() && found->second.get() == link) {
      links_.erase(found);
    }
    for (auto it = requests_.begin(); it != requests_.end();) {
      const auto here = it++;
      if (here->second.link.get() != link) continue;
      orphans.push_back(std::move(here->second.sink));
      requests_.erase(here);
    }
  }
  for (const auto& sink : orphans) {
    sink->Fail(absl::AbortedError("the job's node is not connected"));
  }
}

void AgentDirectory::CloseAll(const absl::Status& why) {
  absl::flat_hash_map<std::string, std::shared_ptr<AgentLink>> links;
  {
    const std::lock_guard lock(mutex_);
    links.swap(links_);
  }
  for (const auto& [node, link] : links) {
    Remove(node, link.get());
    link->Close(why);
  }
}

void AgentDirectory::CloseRefused(
    const std::function<absl::Status(const std::string& name)>& may_run) {
  std::vector<std::shared_ptr<AgentLink>> links;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [node, link] : links_) links.push_back(link);
  }
  // Its end tells the driver, as when an agent goes by itself.
  for (const auto& link : links) {
    const absl::Status allowed = may_run(link->certificate_name());
    if (!allowed.ok()) link->Close(allowed);
  }
}

absl::StatusOr<uint64_t> AgentDirectory::OpenLog(
    const std::string& node, const v1::AttemptKey& key, bool follow,
    std::shared_ptr<LogSink> sink) {
  std::shared_ptr<AgentLink> link;
  v1::SchedulerMessage message;
  uint64_t request;
  {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(node);
    if (found == links_.end()) {
      return absl::AbortedError("node " + node + " is not connected");
    }
    link = found->second;
    request = next_request_++;
    requests_[request] = {link, std::move(sink), key};
  }
  message.mutable_read_log()->set_request_id(request);
  *message.mutable_read_log()->mutable_key() = key;
  message.mutable_read_log()->set_follow(follow);
  if (!link->Send(std::move(message))) {
    const std::lock_guard lock(mutex_);
    requests_.erase(request);
    return absl::AbortedError("node " + node + " is not connected");
  }
  return request;
}

void AgentDirectory::CloseLog(uint64_t request) {
  Request closed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    closed = std::move(found->second);
    requests_.erase(found);
  }
  v1::SchedulerMessage message;
  message.mutable_read_log()->set_request_id(request);
  *message.mutable_read_log()->mutable_key() = closed.key;
  message.mutable_read_log()->set_cancel(true);
  closed.link->Send(std::move(message));
}

bool AgentDirectory::Route(v1::LogData data, std::function<void()> resume) {
  std::shared_ptr<LogSink> sink;
  {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(data.request_id());
    if (found == requests_.end()) return true;
    sink = found->second.sink;
    if (data.end() || !data.error().empty()) requests_.erase(found);
  }
  return sink->Take(std::move(data), std::move(resume));
}

void AgentDirectory::CutStalled(RealTime then) {
  std::vector<std::shared_ptr<LogSink>> stalled;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, request] : requests_) {
      if (request.sink->StalledSince(then)) stalled.push_back(request.sink);
    }
  }
  for (const auto& sink : stalled) {
    sink->Fail(absl::ResourceExhaustedError("this reader is too slow"));
  }
}

}  // namespace ccsched
