// The gRPC server: all services on one address.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/rpc/access.h"
#include "scheduler/rpc/admin_service.h"
#include "scheduler/rpc/agents_service.h"
#include "scheduler/rpc/jobs_service.h"
#include "scheduler/rpc/listen_address.h"
#include "scheduler/rpc/rare_calls.h"

namespace ccsched {
namespace {

constexpr int kReceiveBytesMax = 16 << 20;
constexpr int kSendBytesMax = 64 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in || text.empty()) {
    return absl::NotFoundError(absl::StrCat("can't read TLS file ", path));
  }
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(
    const v1::ListenConfig& config) {
  if (config.tls_key().empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  ASSIGN_OR_RETURN(pair.private_key, ReadFile(config.tls_key()));
  ASSIGN_OR_RETURN(pair.cert_chain, ReadFile(config.tls_certificate()));
  options.pem_key_cert_pairs.push_back(std::move(pair));
  if (!config.tls_client_ca().empty()) {
    ASSIGN_OR_RETURN(options.pem_root_certs, ReadFile(config.tls_client_ca()));
    options.client_certificate_request =
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(options);
}

// A socket that a killed scheduler left behind is in the way of the next one;
// whoever holds the ledger's lock may take it away.
void RemoveStaleSocket(const std::string& address) {
  if (!absl::StartsWith(address, "unix:")) return;
  const std::string path = address.substr(5);
  struct stat found;
  if (::stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
    ::unlink(path.c_str());
  }
}

void Limit(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder.SetMaxSendMessageSize(kSendBytesMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // What nobody asks for, and ten thousand connections would each hold.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
}

}  // namespace

struct Server::State {
  State(const v1::ListenConfig& config, const ServerParts& parts)
      : access(config),
        directory(parts.directory),
        jobs(&access, parts.inbox, parts.reader, parts.hub, parts.directory,
             rare_calls),
        agents(&access, parts.inbox, parts.directory),
        admin(&access, parts.inbox, parts.reader, rare_calls),
        forecasts(&access, parts.inbox, rare_calls) {}

  Access access;
  AgentDirectory* const directory;
  RareCalls rare_calls;
  JobsService jobs;
  AgentsService agents;
  AdminService admin;
  ForecastsService forecasts;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  int port = 0;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  if (state_->server != nullptr) Shutdown(absl::ZeroDuration());
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const v1::ListenConfig& config, const ServerParts& parts) {
  RETURN_IF_ERROR(CheckListenConfig(config));
  ASSIGN_OR_RETURN(const auto credentials, CredentialsOf(config));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  RemoveStaleSocket(config.address());
  auto state = std::make_unique<State>(config, parts);
  grpc::ServerBuilder builder;
  Limit(builder);
  builder.AddListeningPort(config.address(), credentials, &state->port);
  builder.RegisterService(&state->jobs);
  builder.RegisterService(&state->agents);
  builder.RegisterService(&state->admin);
  builder.RegisterService(&state->forecasts);
  builder.RegisterCallbackGenericService(&state->rare_calls);
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || state->port == 0) {
    return absl::UnavailableError(
        absl::StrCat("can't listen on ", config.address(),
                     ": is another scheduler running there?"));
  }
  state->address = config.address();
  if (absl::StartsWith(config.address(), "unix:")) {
    state->port = 0;
    ::chmod(config.address().c_str() + 5, 0600);
  } else {
    state->address = absl::StrCat(
        config.address().substr(0, config.address().rfind(':') + 1),
        state->port);
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

int Server::port() const { return state_->port; }
const std::string& Server::address() const { return state_->address; }

void Server::SetRoles(const v1::ListenConfig& config) {
  state_->access.Replace(config);
  state_->directory->CloseRefused([this](const std::string& name) {
    return state_->access.MayRunNodes(name);
  });
}

void Server::SetServing(bool serving) {
  if (auto* health = state_->server->GetHealthCheckService()) {
    health->SetServingStatus(serving);
  }
}

void Server::Shutdown(absl::Duration grace) {
  state_->server->Shutdown(std::chrono::system_clock::now() +
                           absl::ToChronoNanoseconds(grace));
  state_->server->Wait();
  state_->server.reset();
}

}  // namespace ccsched
