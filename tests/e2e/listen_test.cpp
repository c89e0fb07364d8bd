// These tests check the addresses of the server, and its errors where it cannot listen.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {

TEST_CASE("Listen: with port 0 the kernel chooses the port, which the log and /status show", "[e2e]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  CHECK(server.port() != 0);
  const auto status = server.status();
  const auto& listen = status.at("listen").as_array();
  REQUIRE(listen.size() == 1);
  CHECK_THAT(std::string(listen[0].as_string().c_str()), Catch::Contains("127.0.0.1:" + std::to_string(server.port())));
}

TEST_CASE("Listen: a Unix socket serves, and is removed at the stop", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  Server server(identity_config({{.workers = 1}}, {"listen: [\"unix:" + path + "\"]"}));
  REQUIRE(server.wait_until_ready());
  REQUIRE(server.endpoint().unix_path == path);
  const auto body = random_body(100'000, 1);
  CHECK(is_identity_answer(HttpClient(server.endpoint()).post("/predict", body), body));

  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  struct stat information {};
  CHECK(::stat(path.c_str(), &information) != 0);
}

TEST_CASE("Listen: a Unix socket that a killed server left behind is taken over", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  const auto config = identity_config({{.workers = 1}}, {"listen: [\"unix:" + path + "\"]"});
  {
    Server killed(config);
    REQUIRE(killed.wait_until_ready());
    killed.send_signal(SIGKILL);
    REQUIRE(killed.wait_for_exit() == killed_by(SIGKILL));
  }
  Server server(config);
  REQUIRE(server.wait_until_ready());
  CHECK(serves_next_request(server));
}

TEST_CASE("Listen: a Unix socket has the configured mode and group", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  const auto group = std::to_string(getegid());
  struct Case {
    std::string more;
    mode_t mode;
  };
  const auto [more, mode] = GENERATE_COPY(
      values<Case>({{", mode: 0666", 0666}, {", mode: 0600, group: " + group, 0600}, {", group: " + group, 0660}}));
  CAPTURE(more);
  Server server(identity_config({{.workers = 1}}, {"listen: {path: " + path + more + "}"}));
  REQUIRE(server.wait_until_ready());
  struct stat information {};
  REQUIRE(::stat(path.c_str(), &information) == 0);
  CHECK((information.st_mode & 0777U) == mode);
  CHECK(information.st_gid == getegid());
  CHECK(serves_next_request(server));
}

TEST_CASE("Listen: a missing group for a Unix socket is one clear line and exit 1", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  Server server(identity_config({{.workers = 1}}, {"listen: {path: " + path + ", group: no-such-group}"}));
  CHECK(server.wait_for_exit() == exited(1));
  const auto errors = server.log_lines_with("error");
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors.front(), Catch::Contains("there is no group no-such-group"));
  struct stat information {};
  CHECK(::stat(path.c_str(), &information) != 0);
}

TEST_CASE("Listen: a server that stops removes only its own socket", "[e2e]") {
  const TemporaryDirectory folder;
  const auto path = (folder.path() / "http.sock").string();
  const auto config = identity_config({{.workers = 1}}, {"listen: [\"unix:" + path + "\"]"});
  Server first(config);
  REQUIRE(first.wait_until_ready());
  REQUIRE(::unlink(path.c_str()) == 0);
  SECTION("another server's socket in its place stays") {
    Server second(config);
    REQUIRE(second.wait_until_ready());
    first.send_signal(SIGTERM);
    CHECK(first.wait_for_exit() == exited(0));
    CHECK(serves_next_request(second));
  }
  SECTION("a plain file in its place stays") {
    (void)folder.write("http.sock", "somebody's");
    first.send_signal(SIGTERM);
    CHECK(first.wait_for_exit() == exited(0));
    CHECK(read_file(path) == "somebody's");
  }
}

TEST_CASE("Listen: a port that is in use is one clear line and exit 1", "[e2e]") {
  Server first(identity_config({{.workers = 1}}));
  REQUIRE(first.wait_until_ready());
  const auto address = "127.0.0.1:" + std::to_string(first.port());
  Server second(identity_config({{.workers = 1}}, {"listen: [\"" + address + "\"]"}));
  CHECK(second.wait_for_exit() == exited(1));
  const auto errors = second.log_lines_with("error");
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors.front(), Catch::Contains(address));
  CHECK(serves_next_request(first));
}

TEST_CASE("Listen: --set overrides the file", "[e2e]") {
  ServerOptions options;
  options.config = identity_config({{.workers = 1}}, {"listen: [127.0.0.1:1]"});
  options.arguments = {"--set", "server.listen=127.0.0.1:0", "--set", "models[0].workers=3"};
  Server server(std::move(options));
  REQUIRE(server.wait_until_ready());
  CHECK(server.port() != 1);
  CHECK(server.worker_pids().size() == 3);
}

}  // namespace yolod::tests
