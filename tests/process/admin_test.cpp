// These tests check access to the admin socket, and that every other listener refuses admin requests. They also check
// what other processes of the server's own user can do to the front-end.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/sanitizers.hpp"
#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

bool is_root() { return ::geteuid() == 0; }

// Runs `work` in a child process of another user and returns its result, 0 to 255.
int as_nobody(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(255);
    ::_exit(work());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != 255);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("Admin: only its owner reaches the admin socket, which answers admin requests", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto admin = server.admin_endpoint();
  struct stat status {};
  REQUIRE(::stat(admin.unix_path.c_str(), &status) == 0);
  CHECK(S_ISSOCK(status.st_mode));
  CHECK((status.st_mode & 0777U) == 0600U);

  HttpClient client(admin);
  for (const char* path : {"/status", "/metrics", "/healthz", "/readyz"}) {
    CAPTURE(path);
    CHECK(client.get(path).status == 200);
  }
  CHECK(client.get("/status").json().at("admin_listen").as_string() == server.admin_url());
  CHECK(client.post("/reload", "").status == 200);
  CHECK(client.post("/predict", "a body").error_code() == "forbidden");
  CHECK(client.get("/").error_code() == "forbidden");

  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  CHECK_FALSE(fs::exists(admin.unix_path));
}

TEST_CASE("Admin: a public address refuses a reload, also from the same machine", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.post("/reload", "").error_code() == "forbidden");
  CHECK(client.post("/reload", "", {{"X-Real-IP", "127.0.0.1"}}).error_code() == "forbidden");
  CHECK(client.post("/reload", "", {{"Host", "localhost"}}).error_code() != "");
  CHECK(client.post("/reload?model=default", "").error_code() == "forbidden");
  CHECK(server.log_lines_with("are being loaded").empty());
  // Observers still get the status and the metrics.
  CHECK(client.get("/status").status == 200);
  CHECK(client.get("/metrics").status == 200);
}

TEST_CASE("Admin: with an observe address, only that address answers status and metrics", "[process]") {
  const TemporaryDirectory place;
  const std::string path = (place.path() / "a.sock").string();
  Server server(identity_config({{.workers = 1}}, {"admin_listen: unix:" + path}));
  REQUIRE(server.wait_until_ready());
  HttpClient client(server.endpoint());
  CHECK(client.get("/status").error_code() == "forbidden");
  CHECK(client.get("/metrics").error_code() == "forbidden");
  CHECK(client.get("/readyz").status == 200);
  HttpClient admin(Endpoint{0, path});
  CHECK(admin.get("/status").status == 200);
  CHECK(admin.get("/metrics").status == 200);
  CHECK(admin.post("/reload", "").status == 200);
}

TEST_CASE("Admin: without an admin listener only a signal starts a reload", "[process]") {
  Server server(identity_config({{.workers = 1}}, {"admin_listen: \"\""}));
  REQUIRE(server.wait_until_ready());
  CHECK_FALSE(fs::exists(server.admin_endpoint().unix_path));
  CHECK(HttpClient(server.endpoint()).post("/reload", "").error_code() == "forbidden");
  server.send_signal(SIGHUP);
  CHECK(wait_until([&] { return !server.log_lines_with("reload: done").empty(); }));
}

TEST_CASE("Admin: the file's mode refuses another user, and the server does where that mode was widened", "[process]") {
  if (!is_root()) {
    WARN("SKIPPED: only root can act as another user");
    return;
  }
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto admin = server.admin_endpoint();
  for (auto folder = fs::path(admin.unix_path).parent_path(); folder != folder.root_path() && folder != "/tmp";
       folder = folder.parent_path()) {
    fs::permissions(folder, fs::perms::others_exec, fs::perm_options::add);
  }
  CHECK(as_nobody([&] { return HttpClient(admin).connect() ? 1 : 0; }) == 0);

  REQUIRE(::chmod(admin.unix_path.c_str(), 0666) == 0);
  CHECK(as_nobody([&] {
          HttpClient client(admin);
          return client.post("/reload", "").status == 403 && client.get("/status").status == 403 ? 0 : 1;
        }) == 0);
  CHECK(server.log_lines_with("are being loaded").empty());
}

TEST_CASE("Admin: a second server leaves the first server's admin socket alone", "[process]") {
  Server first(identity_config({{.workers = 1}}));
  REQUIRE(first.wait_until_ready());
  const auto directory = fs::path(first.admin_endpoint().unix_path).parent_path().string();

  ServerOptions options;
  options.config = identity_config({{.workers = 1}});
  options.with = {"RUNTIME_DIRECTORY=" + directory};
  Server second(options);
  REQUIRE(second.wait_until_ready());
  CHECK(second.log_lines_with("the server has no admin socket").size() == 1);
  second.send_signal(SIGTERM);
  CHECK(second.wait_for_exit() == exited(0));
  CHECK(HttpClient(first.admin_endpoint()).get("/status").status == 200);

  options.config = identity_config({{.workers = 1}}, {"admin_listen: " + first.admin_url()});
  Server third(options);
  CHECK(third.wait_for_exit() == exited(1));
  CHECK(third.log_lines_with("cannot listen on").size() == 1);
}

TEST_CASE("Admin: the server does not remove a socket file that replaced its own", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto path = server.admin_endpoint().unix_path;
  fs::remove(path);
  const TemporaryDirectory other;
  fs::rename(other.write("a", "somebody else's"), path);
  server.send_signal(SIGTERM);
  CHECK(server.wait_for_exit() == exited(0));
  CHECK(read_file(path) == "somebody else's");
}

TEST_CASE("Admin: an admin is served when clients hold all connections", "[process]") {
  Server server(identity_config({{.workers = 1}}, {"max_connections: 2"}));
  REQUIRE(server.wait_until_ready());
  std::vector<HttpClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(server.endpoint());
    REQUIRE(clients.back().connect());
  }
  CHECK(HttpClient(server.admin_endpoint()).get("/status").status == 200);
}

TEST_CASE("Admin: no process of the server's own user can trace the front-end or take its descriptors", "[process]") {
  if (common::kSanitized) {
    WARN("SKIPPED: the leak check of a sanitizer needs ptrace");
    return;
  }
  if (!is_root()) {
    WARN("SKIPPED: only root can run the server as another user");
    return;
  }
  ServerOptions options;
  options.config = identity_config({{.workers = 1}}, {"admin_listen: \"\""});
  options.before_exec = [] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(126);
  };
  Server server(options);
  // The server reads its config as the user "nobody".
  fs::permissions(server.directory(), fs::perms::others_all, fs::perm_options::add);
  if (!server.wait_until_listening(2'000ms)) {
    WARN("SKIPPED: another user cannot run the programs of this build");
    return;
  }
  REQUIRE(server.wait_until_ready());
  const pid_t front_end = server.pid();
  const std::string proc = "/proc/" + std::to_string(front_end);
  // As a control, the same calls reach an ordinary process of that user.
  const auto reachable = [](pid_t process) {
    const std::string memory = "/proc/" + std::to_string(process) + "/mem";
    int reached = 0;
    if (const int file = ::open(memory.c_str(), O_RDWR); file >= 0) reached |= 1;
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (::syscall(SYS_pidfd_getfd, handle, 0, 0) >= 0) reached |= 2;
    if (::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) == 0) {
      reached |= 4;
      ::ptrace(PTRACE_DETACH, process, nullptr, nullptr);
    }
    if (const int file = ::open(("/proc/" + std::to_string(process) + "/environ").c_str(), O_RDONLY); file >= 0) {
      reached |= 8;
    }
    return reached;
  };
  CHECK(as_nobody([&] { return reachable(front_end); }) == 0);
  CHECK(as_nobody([&] {
          const pid_t ordinary = ::fork();
          if (ordinary == 0) {
            ::prctl(PR_SET_DUMPABLE, 1);
            ::pause();
            ::_exit(0);
          }
          // A process that has changed its user is not dumpable until it calls prctl().
          int reached = 0;
          for (int i = 0; i < 2'000 && reached != 15; ++i) {
            reached |= reachable(ordinary);  // a process that is traced once cannot be traced again
            ::usleep(1'000);
          }
          ::kill(ordinary, SIGKILL);
          return reached;
        }) == 15);
}

}  // namespace yolod::tests
