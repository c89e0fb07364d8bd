// These tests manage people and keys with yolodctl user and yolodctl key.
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/people_server.hpp"
#include "tests/support/run_program.hpp"

namespace yolod::tests {
namespace {

struct Commands {
  Commands() : server("", {}, "register: closed, mode: keys") { REQUIRE(server.wait_until_accounts("ready")); }
  // Runs yolodctl with these words, and `line` at its standard input.
  ProgramResult run(const std::string& words, const std::string& line = "") {
    const auto program = (binary_directory() / "yolodctl").string();
    // No argument of any program has the password.
    const auto input = folder.write("input", line.empty() ? "" : line + "\n");
    return run_program(
        {"/bin/sh", "-c", program + " " + words + " --url " + server->admin_url() + " <" + input.string()});
  }
  TemporaryDirectory folder;
  PeopleServer server;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A terminal in which a shell runs commands.
class Terminal {
 public:
  explicit Terminal(const std::string& commands) {
    int controller = -1;
    shell_ = forkpty(&controller, nullptr, nullptr, nullptr);
    if (shell_ == 0) {
      execl("/bin/sh", "sh", "-c", commands.c_str(), nullptr);
      _exit(127);
    }
    REQUIRE(shell_ > 0);
    controller_ = common::UniqueFd(controller);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    controller_.reset();  // the shell gets SIGHUP
    if (shell_ > 0) waitpid(shell_, nullptr, 0);
  }
  void type(const std::string& text) {
    REQUIRE(write(controller_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // Waits until the terminal shows the text.
  [[nodiscard]] bool shows(const std::string& text) {
    while (!contains(shown, text)) {
      pollfd readable{controller_.get(), POLLIN, 0};
      if (poll(&readable, 1, static_cast<int>(scaled(kGenerous).count())) != 1) return false;
      char bytes[512];
      const ssize_t count = read(controller_.get(), bytes, sizeof bytes);
      if (count <= 0) return false;
      shown.append(bytes, static_cast<std::size_t>(count));
    }
    return true;
  }
  [[nodiscard]] bool shows_letters() const {
    termios settings{};
    REQUIRE(tcgetattr(controller_.get(), &settings) == 0);
    return (settings.c_lflag & static_cast<tcflag_t>(ECHO)) != 0;
  }
  std::string shown;

 private:
  common::UniqueFd controller_;
  pid_t shell_{-1};
};

}  // namespace

TEST_CASE("Yolodctl user: the first admin is made on the machine itself, and manages the server in the browser",
          "[people]") {
  Commands commands;
  const auto added = commands.run("user add anna --admin", kPassword);
  CAPTURE(added.output, added.errors);
  REQUIRE(added.exit == exited(0));
  CHECK(added.output.empty());
  Browser anna(commands.server->endpoint());
  REQUIRE(anna.log_in("anna").status == 200);
  CHECK(anna.get("/api/users").status == 200);
  CHECK(contains(commands.run("user list").output, "anna"));
  CHECK(contains(commands.run("user list").output, "admin"));
  const auto listed = commands.run("user list --json").output;
  CHECK(boost::json::parse(listed).at("name") == "anna");
}

TEST_CASE("Yolodctl user: people are added, reset, disabled, enabled and removed", "[people]") {
  Commands commands;
  const auto added = commands.run("user add otto --generate");
  REQUIRE(added.exit == exited(0));
  const auto password = added.output.substr(0, added.output.find('\n'));
  CHECK(password.size() == 20);
  Browser otto(commands.server->endpoint());
  REQUIRE(otto.log_in("otto", password).status == 200);
  REQUIRE(commands.run("user reset otto", kPassword).exit == exited(0));
  CHECK(wait_until([&] { return otto.get("/api/me").status == 401; }));
  CHECK(otto.log_in("otto").status == 200);
  REQUIRE(commands.run("user disable otto").exit == exited(0));
  CHECK(Browser(commands.server->endpoint()).log_in("otto").status == 401);
  CHECK(contains(commands.run("user list").output, "disabled"));
  REQUIRE(commands.run("user enable otto").exit == exited(0));
  CHECK(Browser(commands.server->endpoint()).log_in("otto").status == 200);
  REQUIRE(commands.run("user remove otto").exit == exited(0));
  CHECK_FALSE(contains(commands.run("user list").output, "otto"));
  const auto again = commands.run("user remove otto");
  CHECK(again.exit == exited(1));
  CHECK(contains(again.errors, "there is no such person"));
  const auto invitation = commands.run("user invite --days 2");
  CHECK(invitation.exit == exited(0));
  CHECK(invitation.output.starts_with("yli_"));
}

TEST_CASE("Yolodctl user: a bad password, and none, are refused", "[people]") {
  Commands commands;
  const auto weak = commands.run("user add otto", "short");
  CHECK(weak.exit == exited(1));
  CHECK(contains(weak.errors, "12 to 128"));
  const auto none = commands.run("user add otto");
  CHECK(none.exit == exited(2));
  CHECK(contains(none.errors, "--generate"));
  CHECK(commands.run("user add").exit == exited(2));
  CHECK(commands.run("user").exit == exited(2));
}

TEST_CASE("Yolodctl user: a line that ends in CR LF is the password without the CR", "[people]") {
  Commands commands;
  REQUIRE(commands.run("user add anna", std::string(kPassword) + "\r").exit == exited(0));
  CHECK(Browser(commands.server->endpoint()).log_in("anna").status == 200);
}

TEST_CASE("Yolodctl user: Ctrl-C at the prompt for a password leaves a terminal that shows letters", "[people]") {
  // The shell survives Ctrl-C and keeps the terminal.
  Terminal terminal("trap : INT; " + (binary_directory() / "yolodctl").string() +
                    " user add otto --url unix:/nowhere; echo \"status $?\"; read line");
  CAPTURE(terminal.shown);
  REQUIRE(terminal.shows("password of otto: "));
  CHECK_FALSE(terminal.shows_letters());
  terminal.type("tree lamp");
  const bool again = GENERATE(false, true);
  if (again) {
    terminal.type("\n");
    REQUIRE(terminal.shows("Repeat the password: "));
  }
  terminal.type("\x03");
  REQUIRE(terminal.shows("status 130"));
  CHECK(terminal.shows_letters());
  CHECK_FALSE(contains(terminal.shown, "lamp"));
}

TEST_CASE("Yolodctl user: no password goes over a network", "[people]") {
  for (const char* words : {"user add otto", "user list", "key create camera", "key list"}) {
    CAPTURE(words);
    const auto program = (binary_directory() / "yolodctl").string();
    const auto result = run_program({"/bin/sh", "-c", program + " " + words + " --url http://127.0.0.1:9"});
    CHECK(result.exit == exited(2));
    CHECK(contains(result.errors, "is no unix socket"));
  }
}

TEST_CASE("Yolodctl key: a key is made, listed and revoked", "[people]") {
  Commands commands;
  const auto made = commands.run("key create camera --scope predict --scope models --rate 5 --days 30");
  CAPTURE(made.errors);
  REQUIRE(made.exit == exited(0));
  const auto key = made.output.substr(0, made.output.find('\n'));
  CHECK(key.size() == 40);
  HttpClient program(commands.server->endpoint());
  CHECK(program.post("/predict", "a body", bearer(key)).status == 200);
  const auto table = commands.run("key list").output;
  CHECK(contains(table, "camera"));
  CHECK(contains(table, "models, predict"));
  CHECK_FALSE(contains(table, key));
  const auto listed = boost::json::parse(commands.run("key list --json").output);
  CHECK(listed.at("rate") == 5);
  CHECK(listed.at("expires").as_int64() > 0);
  const auto id = std::to_string(listed.at("id").as_int64());
  REQUIRE(commands.run("key revoke " + id).exit == exited(0));
  CHECK(program.post("/predict", "a body", bearer(key)).status == 401);
  CHECK(contains(commands.run("key list").output, "revoked"));
  CHECK(commands.run("key revoke " + id).exit == exited(1));
  CHECK(commands.run("key create camera --scope everything").exit == exited(1));
}

TEST_CASE("Yolodctl user: the command tells that a server has no accounts", "[people]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  const auto result = run_program({"yolodctl", "user", "list", "--url", server.admin_url()});
  CHECK(result.exit == exited(1));
  CHECK(contains(result.errors, "no accounts"));
}

}  // namespace yolod::tests
