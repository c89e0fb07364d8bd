#include "tests/support/postgres_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <vector>

#include "app/accounts/postgres_database.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/process_tree.hpp"
#include "tests/support/server.hpp"

namespace yolod::tests {
namespace {

namespace fs = std::filesystem;

// The newest of Debian's; empty where there is none.
fs::path find_programs() {
  std::vector<fs::path> found;
  std::error_code missing;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", missing)) {
    if (fs::exists(version.path() / "bin/initdb") && fs::exists(version.path() / "bin/postgres")) {
      found.push_back(version.path() / "bin");
    }
  }
  return found.empty() ? fs::path() : *std::max_element(found.begin(), found.end());
}

std::uint16_t free_port() {
  const common::UniqueFd bound(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  if (bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

// PostgreSQL refuses to run as root.
const passwd* other_user() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

// Starts the program in a child, as that user. The child ends when this process ends.
pid_t start_program(std::vector<std::string> arguments, const fs::path& log) {
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const passwd* const user = other_user();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  if (user != nullptr && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after the change of user, which clears it
  if (getppid() != parent) _exit(126);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (chdir("/") != 0) _exit(126);
  execv(pointers[0], pointers.data());
  _exit(127);
}

void run_to_end(std::vector<std::string> arguments, const fs::path& log) {
  int status = 0;
  const pid_t pid = start_program(std::move(arguments), log);
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    throw std::runtime_error("PostgreSQL could not be set up: " + read_file(log));
  }
}

}  // namespace

PostgresServer* PostgresServer::shared() {
  static const std::unique_ptr<PostgresServer> server = [] {
    const auto programs = find_programs();
    std::unique_ptr<PostgresServer> made;
    if (!programs.empty() && (geteuid() != 0 || other_user() != nullptr)) made.reset(new PostgresServer(programs));
    return made;
  }();
  return server.get();
}

PostgresServer::PostgresServer(fs::path programs) : programs_(std::move(programs)) {
  const auto data = directory_.path() / "data";
  const auto log = directory_.path() / "log";
  const auto password = directory_.write("password", kPassword);
  if (const passwd* const user = other_user()) {
    for (const auto& path : {directory_.path(), password}) {
      if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown");
    }
  }
  run_to_end({programs_ / "initdb", "-D", data, "--auth-local=trust", "--auth-host=scram-sha-256", "-U", "yolod",
              "--pwfile=" + password.string(), "--no-sync", "-E", "UTF8", "--locale=C"},
             log);
  port_ = free_port();
  start();
}

PostgresServer::~PostgresServer() { kill(); }

void PostgresServer::start() {
  pid_ = start_program(
      {programs_ / "postgres", "-D", directory_.path() / "data", "-k", directory_.path(), "-p", std::to_string(port_),
       "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60"},
      directory_.path() / "log");
  begin_child(pid_);
  const bool started = wait_until([this] {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) throw std::runtime_error(read_file(directory_.path() / "log"));
    return app::accounts::open_postgres(settings("postgres")).ok();
  });
  if (!started) throw std::runtime_error("PostgreSQL does not start: " + read_file(directory_.path() / "log"));
}

void PostgresServer::kill() {
  if (pid_ <= 0) return;
  thaw();
  ::kill(pid_, SIGQUIT);
  ::waitpid(pid_, nullptr, 0);
  end_child(pid_);
  pid_ = -1;
}

void PostgresServer::signal_all(int signal) const {
  for (const auto& process : descendants_of(pid_)) ::kill(process.pid, signal);
  ::kill(pid_, signal);
}
void PostgresServer::freeze() const {
  ::kill(pid_, SIGSTOP);  // first, so that it makes no more
  signal_all(SIGSTOP);
}
void PostgresServer::thaw() const { signal_all(SIGCONT); }

std::string PostgresServer::create_database() {
  std::string name = "test" + std::to_string(++databases_);
  auto opened = app::accounts::open_postgres(settings("postgres"), {10'000ms, 60'000ms});
  if (!opened || (*opened)->run_script("CREATE DATABASE " + name) != app::accounts::Ran::kDone) {
    throw std::runtime_error("PostgreSQL makes no database");
  }
  return name;
}

app::accounts::protocol::PostgresSettings PostgresServer::settings(const std::string& database, bool tcp) const {
  app::accounts::protocol::PostgresSettings made;
  made.host = tcp ? "127.0.0.1" : directory_.path().string();
  made.port = port_;
  made.database = database;
  made.user = "yolod";
  if (tcp) made.password = app::accounts::protocol::Secret(kPassword);
  return made;
}

std::string PostgresServer::yaml(const std::string& database) const {
  return "postgres: {database: " + database + ", user: yolod, host: " + directory_.path().string() +
         ", port: " + std::to_string(port_) + ", minsize: 1, maxsize: 3}\n";
}

std::string PostgresServer::yaml_over_tcp(const std::string& database, std::uint16_t port) const {
  return "postgres: {database: " + database + ", user: yolod, password: " + kPassword +
         ", host: 127.0.0.1, port: " + std::to_string(port) + ", minsize: 1, maxsize: 3}\n";
}

bool skips_postgres() {
  if (PostgresServer::shared() != nullptr) return false;
  WARN("SKIPPED: PostgreSQL is not installed (Debian's package postgresql)");
  return true;
}

}  // namespace yolod::tests
