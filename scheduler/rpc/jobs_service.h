// The Jobs service: submits, shows and steers jobs.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_
#define CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_

#include "ccsched/v1/jobs.grpc.pb.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/agent_directory.h"
#include "scheduler/rpc/inbox.h"
#include "scheduler/rpc/watch_hub.h"

namespace ccsched {

// What changes anything goes through the inbox; what is recorded is read from
// the ledger directly. Thread safe. Does not own what it is given, which must
// outlive the server.
class JobsService : public v1::Jobs::CallbackService {
 public:
  JobsService(const Access* access, Inbox* inbox, LedgerReader* reader,
              WatchHub* hub, AgentDirectory* directory)
      : access_(access),
        inbox_(inbox),
        reader_(reader),
        hub_(hub),
        directory_(directory) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerReadReactor<v1::SubmitBulkRequest>* SubmitBulk(
      grpc::CallbackServerContext* context,
      v1::SubmitBulkResponse* response) override;
  grpc::ServerUnaryReactor* Preview(grpc::CallbackServerContext* context,
                                    const v1::PreviewRequest* request,
                                    v1::PreviewResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetJobRequest* request,
                                v1::Job* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListJobsRequest* request,
                                 v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::Job>* Watch(
      grpc::CallbackServerContext* context,
      const v1::WatchJobsRequest* request) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context,
                                   const v1::JobActionRequest* request,
                                   v1::JobActionResponse* response) override;
  grpc::ServerUnaryReactor* Hold(grpc::CallbackServerContext* context,
                                 const v1::JobActionRequest* request,
                                 v1::JobActionResponse* response) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context,
                                    const v1::JobActionRequest* request,
                                    v1::JobActionResponse* response) override;
  grpc::ServerUnaryReactor* Resize(grpc::CallbackServerContext* context,
                                   const v1::JobActionRequest* request,
                                   v1::JobActionResponse* response) override;
  grpc::ServerWriteReactor<v1::LogChunk>* Logs(
      grpc::CallbackServerContext* context,
      const v1::LogsRequest* request) override;

 private:
  grpc::ServerUnaryReactor* Act(JobActionKind kind,
                                grpc::CallbackServerContext* context,
                                const v1::JobActionRequest* request,
                                v1::JobActionResponse* response);

  // Whether the caller may steer the job, or read its output.
  absl::Status MayTouch(const grpc::CallbackServerContext& context,
                        uint64_t job) const;

  const Access* const access_;
  Inbox* const inbox_;
  LedgerReader* const reader_;
  WatchHub* const hub_;
  AgentDirectory* const directory_;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_RPC_JOBS_SERVICE_H_
