// These tests check yolod-accounts as a child of a server: its start, its death, and that no prediction notices it.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/load.hpp"
#include "tests/support/people_server.hpp"
#include "tests/support/process_tree.hpp"

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& file) {
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

}  // namespace

TEST_CASE("AccountsChild: a server without accounts starts no process for them", "[people]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  CHECK(server.status().as_object().if_contains("accounts") == nullptr);
  for (const auto& child : descendants_of(server.pid())) CHECK(child.name != "yolod-accounts");
}

TEST_CASE("AccountsChild: the process runs sealed, and the database belongs to the server's user alone", "[people]") {
  PeopleServer server;
  REQUIRE(server.wait_until_accounts("ready"));
  const auto accounts = server.accounts_status();
  CHECK(accounts.at("restarts").as_int64() == 0);
  CHECK(accounts.at("sandbox").at("seccomp").as_bool());
  CHECK(mode_of(server.state_dir()) == 0700U);
  CHECK(mode_of(server.state_dir() / "accounts.db") == 0600U);
  // The child leads another process group, so that Ctrl-C in a terminal reaches only the front-end.
  CHECK(::getpgid(server.accounts_pid()) == server.accounts_pid());
  server->send_signal(SIGTERM);
  CHECK(server->wait_for_exit() == exited(0));
  CHECK(server->log_lines_with("error").empty());
}

TEST_CASE("AccountsChild: neither arguments nor environment have a setting of the database", "[people]") {
  ServerOptions options;
  options.config = people_config({}, "postgres: {database: d, user: u, password: swordfish, host: /nowhere}\n");
  options.with = {"PGPASSWORD=swordfish2"};
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  const auto pid = static_cast<pid_t>(server.status().at("accounts").at("pid").as_int64());
  REQUIRE(pid != 0);
  CHECK(read_file("/proc/" + std::to_string(pid) + "/cmdline").find("swordfish") == std::string::npos);
  CHECK(read_file("/proc/" + std::to_string(pid) + "/environ").find("swordfish") == std::string::npos);
  CHECK(server.log().find("swordfish") == std::string::npos);
  CHECK(HttpClient(server.endpoint()).get("/status").body.find("swordfish") == std::string::npos);
}

TEST_CASE("AccountsChild: a killed process is replaced, and no prediction fails", "[people]") {
  PeopleServer server;
  REQUIRE(server.wait_until_accounts("ready"));
  Load load(server->endpoint(), {.connection_count = 4});
  for (int round = 1; round <= 2; ++round) {
    const pid_t killed = server.accounts_pid();
    REQUIRE(::kill(killed, SIGKILL) == 0);
    REQUIRE(wait_until([&] {
      const auto pid = server.accounts_pid();
      return pid != 0 && pid != killed && server.accounts_state() == "ready";
    }));
    CHECK(server.accounts_status().at("restarts").as_int64() == round);
  }
  const auto counts = load.stop();
  CHECK(counts.right > 0);
  CHECK(counts.right == counts.answered);
  CHECK(counts.incidents.empty());
  CHECK(server->log_lines_with("died of SIGKILL; predictions go on").size() == 2);
}

TEST_CASE("AccountsChild: a process that hangs is killed and replaced", "[people]") {
  PeopleServer server;
  REQUIRE(server.wait_until_accounts("ready"));
  const pid_t hung = server.accounts_pid();
  REQUIRE(::kill(hung, SIGSTOP) == 0);
  REQUIRE(wait_until([&] {
    const auto pid = server.accounts_pid();
    return pid != 0 && pid != hung && server.accounts_state() == "ready";
  }));
  CHECK(server->log_lines_with("is killed: it does not answer").size() == 1);
}

TEST_CASE("AccountsChild: a database that cannot be opened stops no prediction", "[people]") {
  const TemporaryDirectory other;
  fs::create_directories(other.path() / "accounts.db");
  Server broken(people_config({"state_dir: " + other.path().string()}, ""));
  REQUIRE(broken.wait_until_ready());
  REQUIRE(wait_until([&] { return broken.log_lines_with("its database cannot be used").size() >= 2; }));
  CHECK(HttpClient(broken.endpoint()).post("/predict", "a body").status == 200);
  CHECK(broken.running());
}

TEST_CASE("AccountsChild: a second signal while the server stops leaves no process", "[people]") {
  PeopleServer server;
  REQUIRE(server.wait_until_accounts("ready"));
  const pid_t pid = server.accounts_pid();
  REQUIRE(::kill(pid, SIGSTOP) == 0);  // so that only a signal ends it
  server->send_signal(SIGQUIT);
  CHECK(server->wait_for_exit() == exited(0));
  CHECK_FALSE(is_alive(pid));
}

}  // namespace yolod::tests
