// A server with accounts, for tests of people who register, log in and have keys.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

// An identity model behind a server with these additional keys of `server`, one "key: value" each, and the lines
// `more`.
[[nodiscard]] std::string people_config(const std::vector<std::string>& server_keys, const std::string& more);

// The password of the tests' people.
inline constexpr const char* kPassword = "tree lamp river 9";

class PeopleServer {
 public:
  // Without `postgres`, a line of the config, the accounts are in SQLite. Each NAME=value of `with` is added to the
  // environment of the server, and the keys in `access` are written into that section of the config.
  explicit PeopleServer(const std::string& postgres = "", const std::vector<std::string>& with = {},
                        const std::string& access = "register: open");

  [[nodiscard]] Server* operator->() { return &server_; }
  [[nodiscard]] Server& operator*() { return server_; }
  // Waits until the server is ready and /status has that state of the accounts.
  [[nodiscard]] bool wait_until_accounts(std::string_view state, milliseconds deadline = kGenerous);
  // Returns the accounts' part of /status, asked at the admin socket.
  [[nodiscard]] boost::json::value accounts_status() const;
  [[nodiscard]] std::string accounts_state() const;
  [[nodiscard]] pid_t accounts_pid() const;
  [[nodiscard]] std::filesystem::path state_dir() const { return server_.directory() / "state"; }

 private:
  Server server_;
};

// A person with a browser: keeps the session's cookie and token, and sends them as the pages do.
class Browser {
 public:
  explicit Browser(Endpoint endpoint) : client_(std::move(endpoint)) {}

  Answer send(const std::string& method, const std::string& target, const std::string& json = "");
  Answer get(const std::string& target) { return send("GET", target); }
  Answer post(const std::string& target, const std::string& json = "") { return send("POST", target, json); }
  Answer predict(const std::string& body);
  Answer enroll(const std::string& name, const std::string& password = kPassword);  // registers
  Answer log_in(const std::string& name, const std::string& password = kPassword);
  [[nodiscard]] const std::string& cookie() const { return cookie_; }
  [[nodiscard]] const std::string& csrf_token() const { return csrf_token_; }

 private:
  HttpClient client_;
  std::string cookie_;
  std::string csrf_token_;
};

// Returns a header with this API key.
[[nodiscard]] Headers bearer(const std::string& key);

}  // namespace yolod::tests
