// An HTTP server on loopback that answers as a test tells it to.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_TESTS_PROVIDERS_MISBEHAVING_SERVER_H_
#define CCSCHED_TESTS_PROVIDERS_MISBEHAVING_SERVER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "httplib.h"

namespace ccsched {

// Answers each request with the next of `Then`, the last one for ever.
class MisbehavingServer {
 public:
  using Handler =
      std::function<void(const httplib::Request&, httplib::Response&)>;

  MisbehavingServer() {
    server_.Get(".*", [this](const httplib::Request& request,
                             httplib::Response& response) {
      Handler handler;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        handler = handlers_.front();
        if (handlers_.size() > 1) handlers_.pop_front();
      }
      handler(request, response);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~MisbehavingServer() {
    Release();
    server_.stop();
    thread_.join();
  }

  MisbehavingServer& Then(Handler handler) {
    const std::lock_guard lock(mutex_);
    handlers_.push_back(std::move(handler));
    return *this;
  }
  // Forgets all answers but the last.
  void SkipToLast() {
    const std::lock_guard lock(mutex_);
    while (handlers_.size() > 1) handlers_.pop_front();
  }
  MisbehavingServer& Then(int status, std::string body = "{}") {
    return Then(
        [status, body](const httplib::Request&, httplib::Response& response) {
          response.status = status;
          response.set_content(body, "application/json");
        });
  }
  // Does not answer before the server goes.
  MisbehavingServer& ThenHang() {
    return Then([this](const httplib::Request&, httplib::Response&) {
      std::unique_lock lock(mutex_);
      released_.wait(lock, [this] { return done_; });
    });
  }
  // Promises a thousand bytes and sends a few.
  MisbehavingServer& ThenCutOff(const std::string& start) {
    return Then([start](const httplib::Request&, httplib::Response& response) {
      response.set_content_provider(
          1000, "application/json",
          [start](size_t offset, size_t, httplib::DataSink& sink) {
            if (offset > 0) return false;
            return sink.write(start.data(), start.size());
          });
    });
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    released_.notify_all();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }
  std::vector<httplib::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool done_ = false;
  std::deque<Handler> handlers_;
  std::vector<httplib::Request> requests_;
};

}  // namespace ccsched

#endif  // CCSCHED_TESTS_PROVIDERS_MISBEHAVING_SERVER_H_
