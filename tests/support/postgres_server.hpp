// A PostgreSQL server of the tests' own: Debian's programs over an empty folder, on a unix socket in it and on a TCP
// port of the kernel's choice. All cases of a test program share it, and it ends with the program.
//
// Role "yolod" comes in without a password over the socket; over TCP it needs kPassword.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/accounts/protocol/settings.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

class PostgresServer {
 public:
  static constexpr const char* kPassword = "a password of the tests";

  // Returns null if the package is not installed. Throws if the server does not start.
  [[nodiscard]] static PostgresServer* shared();

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // An empty database, and how to reach it over the socket, or over TCP with the password.
  [[nodiscard]] std::string create_database();
  [[nodiscard]] app::accounts::protocol::PostgresSettings settings(const std::string& database, bool tcp = false) const;

  // Returns the line `postgres: {...}` of a config that reaches it over the socket.
  [[nodiscard]] std::string yaml(const std::string& database) const;
  // Returns that line for TCP with the password and this port, which is port() or the port of a relay.
  [[nodiscard]] std::string yaml_over_tcp(const std::string& database, std::uint16_t port) const;
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // All its processes stand still, and go on.
  void freeze() const;
  void thaw() const;
  // Ends it at once, as a power cut would, and starts it again over the same files.
  void kill();
  void start();

 private:
  explicit PostgresServer(std::filesystem::path programs);
  void signal_all(int signal) const;

  std::filesystem::path programs_;
  TemporaryDirectory directory_;
  std::uint16_t port_{0};
  pid_t pid_{-1};
  int databases_{0};
};

// Prints why, where there is no PostgreSQL: ctest reports the case as skipped then.
[[nodiscard]] bool skips_postgres();

}  // namespace yolod::tests
