// The parts that yolodctl user and yolodctl key share. Both ask the server over its admin socket. The server knows the
// operator by the user who runs this program, so the first admin needs no password.
#pragma once

#include <CLI/App.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/yolodctl/admin_socket.hpp"

namespace yolod::tools {

inline constexpr std::int64_t kDaySeconds = 24 * 3600;

// The options of all commands. Each command uses some of them.
struct AccountOptions {
  std::string url{default_admin_url()};
  std::string name;
  bool admin{false};
  bool generate{false};
  bool json{false};
  std::string owner;
  std::vector<std::string> scopes{"models", "predict"};
  std::uint32_t rate{0};
  std::uint32_t in_flight{0};
  std::uint32_t days{0};
  std::int64_t id{0};
};

// Prints why a command has failed, and returns the exit code.
int fail(const std::string& why, int exit_code = 1);

// Returns `text` as a segment of a path.
[[nodiscard]] std::string as_segment(std::string_view text);

// Sends a request and returns the object of a good answer. Otherwise it prints the reason and sets `exit_code`.
[[nodiscard]] std::optional<boost::json::object> ask(const AccountOptions& options, std::string_view method,
                                                     const std::string& target, const boost::json::object* body,
                                                     int& exit_code);

// Reads every page of a list and returns its members.
[[nodiscard]] std::optional<std::vector<boost::json::object>> ask_for_all(const AccountOptions& options,
                                                                          const std::string& target,
                                                                          const char* members, int& exit_code);

// Returns a time as text, or `otherwise` if it is 0.
[[nodiscard]] std::string date_cell(const boost::json::object& object, const char* key, const char* otherwise);

// Prints each object on a line.
void print_json(const std::vector<boost::json::object>& all);

// Adds a group of commands, with the option --url. The URL is checked before a command prompts for a password.
// `options` outlives the group.
CLI::App* add_group(CLI::App& app, const char* name, const char* purpose, AccountOptions& options);

// Adds a command to `group`, which has the option --url.
CLI::App* add_command(CLI::App& group, const char* name, const char* purpose,
                      const std::shared_ptr<AccountOptions>& options, int& exit_code,
                      std::function<int(const AccountOptions&)> run);

}  // namespace yolod::tools
