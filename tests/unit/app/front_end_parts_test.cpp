// The parts that a whole front-end has only with some settings: accounts, a folder of models, a service manager.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/app/front_end_bench.hpp"

namespace yolod::app {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// ---- accounts ----

constexpr const char* kAnna = R"({"name":"anna","password":"tree lamp river 9"})";
constexpr const char* kJson = "Content-Type: application/json\r\n";

struct AccountsBench : FrontEndBench {
  AccountsBench() { config.server.state_dir = path("state"); }
  // Returns the part of GET /status that tells of yolod-accounts: its state, its pid and its restarts.
  [[nodiscard]] std::string accounts() const {
    const auto status = get("/status", "admin");
    const auto at = status.find("\"accounts\":");
    return at == std::string::npos ? std::string() : status.substr(at, status.find("\"sandbox\"", at) - at);
  }
  [[nodiscard]] int accounts_number(const std::string& key) const {
    const auto text = accounts();
    const auto at = text.find('"' + key + "\":");
    return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + key.size() + 3);
  }
  [[nodiscard]] bool accounts_become(const std::string& state) const {
    return until([&] { return accounts().find("\"state\":\"" + state + '"') != std::string::npos; });
  }
};

TEST_CASE("FrontEnd: people log in, and the death of yolod-accounts costs no prediction", "[app][unit]") {
  AccountsBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  REQUIRE(bench.accounts_become("ready"));
  CHECK_THAT(bench.post("/api/users", kAnna, "admin", kJson), StartsWith("HTTP/1.1 201 "));
  CHECK_THAT(bench.post("/api/login", kAnna, "http", kJson), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(bench.post("/api/login", R"({"name":"anna","password":"a wrong one"})", "http", kJson),
             StartsWith("HTTP/1.1 401 "));

  const pid_t first = bench.accounts_number("pid");
  REQUIRE(first > 1);
  kill(first, SIGKILL);
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  REQUIRE(FrontEndBench::until([&] { return bench.accounts_number("restarts") == 1; }));
  REQUIRE(bench.accounts_become("ready"));
  CHECK(bench.accounts_number("pid") != first);
  CHECK_THAT(bench.post("/api/login", kAnna, "http", kJson), StartsWith("HTTP/1.1 200 "));

  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  CHECK_THAT(bench.text_of("log"), Contains("predictions go on"));
}

TEST_CASE("FrontEnd: a stop does not wait for a yolod-accounts that hangs", "[app][unit]") {
  AccountsBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  REQUIRE(bench.accounts_become("ready"));
  const pid_t accounts = bench.accounts_number("pid");
  kill(accounts, SIGSTOP);
  bench.send_signal(SIGTERM);
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  CHECK(kill(accounts, 0) != 0);  // it was reaped
}

TEST_CASE("FrontEnd: without accounts the routes of people say so", "[app][unit]") {
  FrontEndBench bench;
  bench.start();
  REQUIRE(bench.becomes_ready());
  CHECK(bench.get("/status", "admin").find("\"accounts\"") == std::string::npos);
  const auto answer = bench.post("/api/login", kAnna, "http", kJson);
  CHECK_FALSE(answer.starts_with("HTTP/1.1 200 "));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

// ---- models that come and go ----

TEST_CASE("FrontEnd: an admin unloads and loads a model, and the audit log tells of both", "[app][unit]") {
  auto config = one_model();
  config.models.push_back(config.models[0]);
  config.models[1].name = "other";
  FrontEndBench bench(config);
  bench.config.access.audit_log = bench.path("audit");
  bench.start();
  REQUIRE(bench.becomes_ready());
  const auto ask = [&](const std::string& what, const std::string& model) {
    return bench.post("/v2/repository/models/" + model + '/' + what, "", "admin");
  };
  CHECK_THAT(ask("unload", "other"), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(bench.post("/predict?model=other", "abc"), !StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  CHECK_THAT(ask("unload", "nobody"), !StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(ask("load", "other"), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(bench.post("/predict?model=other", "abc"), Contains(R"("bytes":3)"));
  CHECK_THAT(ask("load", "nobody"), !StartsWith("HTTP/1.1 200 "));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
  const auto audit = bench.text_of("audit");
  CHECK_THAT(audit, Contains(R"("event":"unload_model","result":"done")"));
  CHECK_THAT(audit, Contains(R"("event":"unload_model","result":"failed")"));
  CHECK_THAT(audit, Contains(R"("event":"load_model","result":"done")"));
  CHECK_THAT(audit, Contains(R"("event":"load_model","result":"failed")"));
}

TEST_CASE("FrontEnd: nothing is unloaded while a reload is under way", "[app][unit]") {
  FrontEndBench bench;
  bench.start(RunMode::kServe, [&bench]() -> std::optional<common::Config> {
    auto config = bench.config;
    common::IdentitySource slow;
    slow.load_delay = 60s;
    config.models[0].source = slow;
    return config;
  });
  REQUIRE(bench.becomes_ready());
  bench.send_signal(SIGHUP);
  REQUIRE(FrontEndBench::until([&] { return bench.count_in_status("\"reloading\":true") == 1; }));
  CHECK_THAT(bench.post("/v2/repository/models/echo/unload", "", "admin"), StartsWith("HTTP/1.1 503 "));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: the models of a folder are loaded and unloaded as they come and go", "[app][unit]") {
  FrontEndBench bench;
  bench.config.server.models_dir = bench.path("models");
  std::filesystem::create_directory(bench.path("models"));
  bench.start();
  REQUIRE(bench.becomes_ready());
  std::filesystem::create_directory(bench.path("models/guest"));
  std::ofstream(bench.path("models/guest/model.yaml")) << "identity: {}\nworkers: 1\n";
  REQUIRE(FrontEndBench::until([&] { return bench.post("/predict?model=guest", "abc").starts_with("HTTP/1.1 200 "); }));
  std::filesystem::remove_all(bench.path("models/guest"));
  REQUIRE(FrontEndBench::until([&] { return bench.post("/predict?model=guest", "abc").starts_with("HTTP/1.1 404 "); }));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.send_signal(SIGTERM);
  CHECK(bench.exit_code() == 0);
}

// ---- the service manager ----

// Plays the service manager: it hears what the server tells, and passes it one listening socket.
struct ManagedBench : FrontEndBench {
  explicit ManagedBench(common::UniqueFd passed) : passed_(std::move(passed)) {
    heard_ = common::UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path("notify").c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(heard_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    before_start = [this] {
      setenv("NOTIFY_SOCKET", path("notify").c_str(), 1);
      if (!passed_.valid()) return;
      constexpr int kFirstPassed = 3;
      dup2(passed_.get(), kFirstPassed);
      setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
      setenv("LISTEN_FDS", "1", 1);
    };
  }
  // Returns whether the manager has heard that text, also before.
  [[nodiscard]] bool hears(const std::string& text) {
    return until([&] {
      std::string some(4096, '\0');
      for (ssize_t bytes = 0; (bytes = recv(heard_.get(), some.data(), some.size(), 0)) >= 0;) {
        all_ += some.substr(0, static_cast<std::size_t>(bytes)) + '\n';
      }
      return all_.find(text) != std::string::npos;
    });
  }
  void forget() { all_.clear(); }

 private:
  common::UniqueFd passed_;
  common::UniqueFd heard_;
  std::string all_;
};

common::UniqueFd listening(const std::string& path) {
  common::UniqueFd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(made.get(), 16) == 0);
  return made;
}

TEST_CASE("FrontEnd: a service manager hears of the start, of a reload and of the stop", "[app][unit]") {
  const tests::TemporaryDirectory folder;
  ManagedBench bench(listening((folder.path() / "passed").string()));
  bench.config.server.listen = {{"unix:" + bench.path("unused")}};
  bench.start();
  REQUIRE(bench.hears("READY=1"));
  CHECK(bench.hears("STATUS=echo 1 of 1 workers"));
  CHECK_FALSE(std::filesystem::exists(bench.path("unused")));
  std::filesystem::create_symlink(folder.path() / "passed", bench.path("http"));
  CHECK_THAT(bench.predict(), Contains(R"("bytes":3)"));
  bench.forget();
  bench.send_signal(SIGHUP);
  CHECK(bench.hears("RELOADING=1"));
  CHECK(bench.hears("READY=1"));
  bench.send_signal(SIGTERM);
  CHECK(bench.hears("STOPPING=1"));
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: while a model loads the front-end asks the service manager for more time", "[app][unit]") {
  ManagedBench bench((common::UniqueFd()));
  common::IdentitySource slow;
  slow.load_delay = 60s;
  bench.config.models[0].source = slow;
  bench.start();
  CHECK(bench.hears("EXTEND_TIMEOUT_USEC="));
  bench.send_signal(SIGTERM);
  CHECK(bench.hears("STOPPING=1"));
  CHECK(bench.exit_code() == 0);
}

TEST_CASE("FrontEnd: a socket of the service manager that other machines reach needs keys", "[app][unit]") {
  common::UniqueFd open_to_all(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(listen(open_to_all.get(), 16) == 0);  // the kernel chooses a port at every address
  ManagedBench bench(std::move(open_to_all));
  bench.start();
  CHECK(bench.exit_code() == 2);
  CHECK_THAT(bench.text_of("log"), Contains("cannot start: other machines can reach http://0.0.0.0:"));
}

}  // namespace
}  // namespace yolod::app
