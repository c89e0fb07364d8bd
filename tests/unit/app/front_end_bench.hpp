// FrontEndBench forks a process and runs the whole front-end in it. A test sends requests over a unix
// socket and ends the process with a signal. The workers are real processes with the identity model.
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "app/host/block_signals.hpp"
#include "app/serve.hpp"
#include "common/clock.hpp"
#include "common/config/config.hpp"
#include "common/log.hpp"
#include "common/system/signal_mask.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/coverage.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app {

inline common::Config one_model() {
  common::Config config;
  common::ModelConfig model;
  model.name = "echo";
  model.workers = 1;
  model.source = common::IdentitySource{};
  config.models = {model};
  config.default_model = "echo";
  config.memory.input_arena_bytes = 8U << 20U;
  return config;
}

class FrontEndBench {
 public:
  explicit FrontEndBench(common::Config settings = one_model()) : config(std::move(settings)) {
    config.server.listen = {{"unix:" + path("http")}};
    config.server.admin_listen = "unix:" + path("admin");
    config.server.shutdown_timeout = std::chrono::seconds(2);
    config.logging.file = path("log");
  }
  ~FrontEndBench() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  // `read_again` runs in the front-end's process.
  void start(RunMode mode = RunMode::kServe, std::function<std::optional<common::Config>()> read_again = {}) {
    // A signal that arrives before the front-end listens stays blocked, so the handlers of the tests do not see it.
    const common::BlockedSignals blocked(common::signal_set({SIGTERM, SIGINT, SIGQUIT, SIGHUP}));
    pid_ = fork();
    if (pid_ != 0) return;
    host::block_front_end_signals();
    (void)common::configure_log(config.logging, "yolod");
    if (before_start) before_start();
    host::ServiceManager manager;
    rlimit open_files{};
    getrlimit(RLIMIT_NOFILE, &open_files);
    if (!read_again) read_again = [this] { return std::optional(config); };
    const int code = serve(config, read_again, mode, manager, open_files);
    common::flush_log();
    tests::write_coverage();
    std::_Exit(code);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  // Returns the text of a file in the folder of this bench.
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Returns whether the log has that text. The front-end may write the line only later.
  [[nodiscard]] bool logs(const std::string& text) const {
    return until([&] { return text_of("log").find(text) != std::string::npos; });
  }

  // Sends one request on a new connection. Returns the final answer, empty if the server gives none.
  [[nodiscard]] std::string ask(const std::string& request, const std::string& socket_name = "http") const {
    const common::UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path(socket_name).c_str(), sizeof address.sun_path - 1);
    if (connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    (void)!send(client.get(), request.data(), request.size(), MSG_NOSIGNAL);
    shutdown(client.get(), SHUT_WR);
    std::string answer;
    std::string some(64 * 1024, '\0');
    for (ssize_t bytes = 0; (bytes = recv(client.get(), some.data(), some.size(), 0)) > 0;) {
      answer.append(some.data(), static_cast<std::size_t>(bytes));
    }
    // A request that takes long gets interim answers, because the server checks whether a half-closed client is there.
    while (answer.starts_with("HTTP/1.1 102 ")) answer.erase(0, answer.find("\r\n\r\n") + 4);
    return answer;
  }
  [[nodiscard]] std::string get(const std::string& target, const std::string& socket_name = "http") const {
    return ask("GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", socket_name);
  }
  // `fields` are more header lines, each with its end.
  [[nodiscard]] std::string post(const std::string& target, const std::string& body,
                                 const std::string& socket_name = "http", const std::string& fields = {}) const {
    return ask("POST " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
               socket_name);
  }
  [[nodiscard]] std::string predict(const std::string& fields = {}) const {
    return post("/predict", "abc", "http", fields);
  }
  [[nodiscard]] std::string reload() const { return post("/reload", "", "admin"); }
  [[nodiscard]] static bool until(const std::function<bool()>& done) {
    const auto end = common::Clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (common::Clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  [[nodiscard]] bool becomes_ready() const {
    return until([this] { return get("/readyz").starts_with("HTTP/1.1 200"); });
  }
  // Returns the number behind `key` in GET /status.
  [[nodiscard]] int status_number(const std::string& key) const {
    const auto text = get("/status", "admin");
    const auto at = text.find('"' + key + "\":");
    return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + key.size() + 3);
  }
  [[nodiscard]] int count_in_status(const std::string& part) const {
    const auto text = get("/status", "admin");
    int count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }
  void send_signal(int signal) const { kill(pid_, signal); }
  // Returns the exit code. A negative number is the signal that ended the process.
  int exit_code() {
    int status = 0;
    const bool ended = until([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    REQUIRE(ended);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  common::Config config;
  std::function<void()> before_start;  // runs in the front-end's process

 private:
  tests::TemporaryDirectory directory_;
  pid_t pid_{0};
};

}  // namespace yolod::app
