// The Jobs service: submits, shows and steers jobs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_

#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/agent_directory.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/rpc/rare_calls.h"
#include "scheduler/rpc/watch_hub.h"

namespace ccsched {

// What changes anything goes through the inbox; what is recorded is read from
// the ledger directly. Thread safe. Does not own what it is given, which must
// outlive the server.
class JobsService : public RareService<v1::Jobs, v1::Jobs::CallbackService> {
 public:
  JobsService(const Access* access, Inbox* inbox, LedgerReader* reader,
              WatchHub* hub, AgentDirectory* directory, RareCalls& calls);

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerReadReactor<v1::SubmitBulkRequest>* SubmitBulk(
      grpc::CallbackServerContext* context,
      v1::SubmitBulkResponse* response) override;
  grpc::ServerWriteReactor<v1::Job>* Watch(
      grpc::CallbackServerContext* context,
      const v1::WatchJobsRequest* request) override;
  grpc::ServerWriteReactor<v1::LogChunk>* Logs(
      grpc::CallbackServerContext* context,
      const v1::LogsRequest* request) override;

 private:
  using Context = grpc::CallbackServerContext;

  void ServeAction(RareCalls& calls, const std::string& method,
                   JobActionKind kind);
  void Act(JobActionKind kind, const Context& context,
           const v1::JobActionRequest& request,
           const Reply<v1::JobActionResponse>& reply);

  // Whether the caller may steer the job, or read its output.
  absl::Status MayTouch(const Context& context, uint64_t job) const;

  const Access* const access_;
  Inbox* const inbox_;
  LedgerReader* const reader_;
  WatchHub* const hub_;
  AgentDirectory* const directory_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_
