// These tests run the whole front-end in a process of its own, which they fork. They send requests over a unix
// socket and
// end the process with a signal. The workers are real processes with the identity model.
#include <fcntl.h>
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
#include <functional>
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
#include "tests/support/temporary_directory.hpp"

namespace yolod::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

common::Config one_model() {
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
    config.server.shutdown_timeout = 2s;
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
    host::ServiceManager manager;
    rlimit open_files{};
    getrlimit(RLIMIT_NOFILE, &open_files);
    if (!read_again) read_again = [this] { return std::optional(config); };
    const int code = serve(config, read_again, mode, manager, open_files);
    common::flush_log();
    std::_Exit(finish(code));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

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
  [[nodiscard]] std::string predict() const {
    return ask("POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  }
  static bool until(const std::function<bool()>& done) {
    const auto end = common::Clock::now() + 10s;
    while (!done()) {
      if (common::Clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
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

 private:
  // A build that measures coverage writes its counters when the process exits.
  static int finish(int code);

  tests::TemporaryDirectory directory_;
  pid_t pid_{0};
};

#ifdef YOLOD_COVERAGE
extern "C" void __gcov_dump();
int FrontEndBench::finish(int code) {
  __gcov_dump();
  return code;
}
#else
int FrontEndBench::finish(int code) { return code; }
#endif

TEST_CASE("FrontEnd: the server answers, shows its status, and ends cleanly on SIGTERM", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.get("/healthz"), Contains(R"({"live":true})"));
  CHECK_THAT(bench.get("/"), Contains("<!doctype html>"));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  CHECK_THAT(bench.get("/nothing"), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(bench.get("/metrics", "admin"), Contains(R"(yolod_requests_total{code="200",model="echo"} 1)"));
  CHECK_THAT(bench.get("/metrics", "admin"), Contains(R"(yolod_requests_total{code="404",model=""} 1)"));
  CHECK_THAT(bench.get("/status"), StartsWith("HTTP/1.1 403 "));  // the status names an admin address
  CHECK(bench.count_in_status("\"state\":\"ready\"") == 3);  // the status shows the model, its worker and its loader
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: signals add and remove workers, and dead workers are replaced", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  bench.send_signal(SIGTTIN);
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"device\":\"cpu\"") == 2; }));
  bench.send_signal(SIGTTOU);
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"device\":") == 1; }));
  const auto status = bench.get("/status", "admin");
  const auto workers = status.find("\"workers\":");
  const pid_t worker = std::atoi(status.c_str() + status.find("\"pid\":", workers) + 6);
  REQUIRE(worker > 1);
  kill(worker, SIGKILL);
  REQUIRE(FrontEndBench::until([&] { return bench.status_number("restarts") == 1; }));
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGUSR1);   // the front-end opens its log again
  bench.send_signal(SIGWINCH);  // the front-end ignores this signal
  bench.send_signal(SIGWINCH);
  bench.send_signal(SIGQUIT);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a signal or an admin starts a reload and learns its result", "[app][unit]") {
  FrontEndBench bench;
  bench.start(RunMode::kServe, [&bench]() -> std::optional<common::Config> {
    if (::access(bench.path("broken").c_str(), F_OK) == 0) return std::nullopt;
    auto config = bench.config;
    config.models[0].workers = 2;
    config.server.max_connections = 7;                  // the front-end cannot change this setting
    config.logging.level = common::LogLevel::kWarning;  // the front-end can change this setting
    return config;
  });
  REQUIRE(bench.becomes_ready());
  const std::string reload = "POST /reload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  CHECK_THAT(bench.ask(reload), StartsWith("HTTP/1.1 403 "));
  CHECK_THAT(bench.ask(reload, "admin"), Contains(R"({"success":true})"));
  CHECK(bench.status_number("generation") == 2);
  bench.send_signal(SIGHUP);
  REQUIRE(FrontEndBench::until([&] { return bench.status_number("generation") == 3; }));
  CHECK(bench.count_in_status("\"device\":\"cpu\"") >= 2);
  close(creat(bench.path("broken").c_str(), 0600));
  CHECK_THAT(bench.ask(reload, "admin"), StartsWith("HTTP/1.1 500 "));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGINT);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a second signal ends a stop that waits", "[app][unit]") {
  auto config = one_model();
  common::IdentitySource slow;
  slow.delay = 60s;
  config.models[0].source = slow;
  FrontEndBench bench(config);
  bench.config.server.shutdown_timeout = 60s;
  bench.start();
  REQUIRE(bench.becomes_ready());
  std::string answer;
  std::jthread client([&] { answer = bench.predict(); });
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"busy\"") == 1; }));
  bench.send_signal(SIGTERM);
  // The front-end answers that it is draining until it no longer listens.
  REQUIRE(FrontEndBench::until([&] {
    const auto readiness = bench.get("/readyz");
    return readiness.empty() || readiness.starts_with("HTTP/1.1 503");
  }));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  client.join();
  // On a slow machine an interim answer comes before.
  CHECK_THAT(answer, Contains("HTTP/1.1 503 ") && Contains("shutting_down"));
}

TEST_CASE("FrontEnd: a check loads every model once and tells whether all models can be served", "[app][unit]") {
  auto config = one_model();
  const bool bad = GENERATE(false, true);
  if (bad) {
    common::IdentitySource source;
    source.load_fault = common::IdentityLoadFault::kExit;
    source.faults = true;
    config.models.push_back(config.models[0]);
    config.models[1].name = "bad";
    config.models[1].source = source;
  }
  FrontEndBench bench(config);
  bench.start(RunMode::kCheck);
  CHECK(bench.exit_code() == (bad ? 1 : 0));
}

TEST_CASE("FrontEnd: a check that a signal interrupts gives no result", "[app][unit]") {
  auto config = one_model();
  common::IdentitySource slow;
  slow.load_delay = 60s;
  config.models[0].source = slow;
  FrontEndBench bench(config);
  const bool at_once = GENERATE(false, true);
  bench.start(RunMode::kCheck);
  bench.send_signal(at_once ? SIGQUIT : SIGTERM);
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: the server does not start without its address or without memory for its arena", "[app][unit]") {
  FrontEndBench bench;
  SECTION("the folder of the socket does not exist") { bench.config.server.listen = {{"unix:/nowhere/http.sock"}}; }
  SECTION("the arena is larger than the machine's memory") { bench.config.memory.input_arena_bytes = 1ULL << 60U; }
  bench.start();
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: a model that cannot be served at the start ends the server", "[app][unit]") {
  auto config = one_model();
  common::TorchScriptSource source;
  source.file = "/nowhere/model.pt";
  config.models[0].source = source;
  config.models[0].task = common::Task::kClassify;
  FrontEndBench bench(config);
  bench.start();
  CHECK(bench.exit_code() == 1);
}

TEST_CASE("FrontEnd: fewer descriptors leave room for fewer connections", "[app][unit]") {
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  const rlimit little{100, whole.rlim_max};
  setrlimit(RLIMIT_NOFILE, &little);
  FrontEndBench bench;
  bench.start();
  setrlimit(RLIMIT_NOFILE, &whole);
  REQUIRE(bench.becomes_ready());
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

}  // namespace
}  // namespace yolod::app
