#include "app/unsafe_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "app/accounts/protocol/password_file.hpp"

namespace yolod::app {
namespace {

using common::AccessMode;
using common::Config;
using common::KeyProblem;
using common::ListenAddress;

// An attacker tries these passwords first.
constexpr std::array<std::string_view, 8> kWellKnownPasswords{"root",  "postgres", "password", "admin",
                                                              "yolod", "secret",   "changeme", "123456"};

constexpr const char* kOpenWaysOut =
    "access.mode: open lets every client in: give server.api_keys_file or accounts, or set server.insecure: true if a "
    "proxy or a firewall decides which clients reach the server";

// Only clients with a certificate reach such a listener.
bool asks_for_certificate(const Config& config, const ListenAddress& listener) {
  const auto& tls = listener.tls.empty() ? config.server.tls : listener.tls;
  return !tls.client_ca.empty();
}

bool is_open(const Config& config) { return config.access.mode == AccessMode::kOpen && !config.server.insecure; }

std::optional<KeyProblem> open_to_strangers(const Config& config) {
  if (!is_open(config)) return std::nullopt;
  for (const auto& listener : config.server.listen) {
    if (!is_public(listener.address) || asks_for_certificate(config, listener)) continue;
    return KeyProblem{"server.listen", "other machines can reach " + listener.address + ", and " + kOpenWaysOut};
  }
  return std::nullopt;
}

// Every request would be refused, which is a mistake of the config.
std::optional<KeyProblem> no_key_is_valid(const Config& config) {
  if (config.access.mode != AccessMode::kKeys || !config.server.api_keys_file.empty() || config.has_accounts()) {
    return std::nullopt;
  }
  return KeyProblem{"access.mode",
                    "with keys every request needs an API key, and no key can be valid: give server.api_keys_file, or "
                    "accounts by server.state_dir or postgres"};
}

bool is_well_known(std::string_view password) {
  return std::find(kWellKnownPasswords.begin(), kWellKnownPasswords.end(), password) != kWellKnownPasswords.end();
}

std::optional<KeyProblem> well_known_password(const Config& config) {
  if (!config.postgres.has_value()) return std::nullopt;
  const auto& listen = config.server.listen;
  if (std::none_of(listen.begin(), listen.end(), [](const auto& listener) { return is_public(listener.address); })) {
    return std::nullopt;
  }
  const KeyProblem problem{"postgres.password",
                           "this password is well known, and server.listen has an address that other machines can "
                           "reach: give the database's "
                           "user another password, or listen only at 127.0.0.1, [::1] or a unix socket"};
  const auto& file = config.postgres->password_file;
  if (file.empty()) return is_well_known(config.postgres->password) ? std::optional(problem) : std::nullopt;
  // yolod-accounts says what is wrong with a file that cannot be read.
  const auto password = accounts::protocol::read_password_file(file);
  if (!password || !is_well_known(password->view())) return std::nullopt;
  return KeyProblem{"postgres.password_file", problem.message};
}

}  // namespace

// The config has numeric addresses only.
bool is_public(std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  }
  return !address.starts_with("unix:") && !address.starts_with("127.") && !address.starts_with("[::1]") &&
         !address.starts_with("[::ffff:127.");
}

std::vector<KeyProblem> unsafe_settings(const Config& config) {
  std::vector<KeyProblem> problems;
  for (const auto rule : {open_to_strangers, no_key_is_valid, well_known_password}) {
    if (auto found = rule(config)) problems.push_back(*std::move(found));
  }
  return problems;
}

std::vector<std::string> warnings_of(const Config& config) {
  std::vector<std::string> warnings;
  if (config.access.mode == AccessMode::kKeys && config.has_accounts() &&
      config.access.register_policy == common::RegisterPolicy::kOpen) {
    warnings.emplace_back(
        "access.register: open gives an account, and so a key, to every client that reaches the server, so "
        "access.mode: "
        "keys keeps no client out; invite or closed admits only people whom an admin knows");
  }
  return warnings;
}

std::vector<KeyProblem> notes_on_unsafe_settings() {
  return {
      {"server.listen",
       "With access.mode: open an address that other machines can reach needs client certificates or server.insecure: "
       "true."},
      {"access.mode", "keys is refused without server.api_keys_file and without accounts."},
      {"server.api_keys_file", "A file that other users can read or change is refused."},
      {"access.register", "open together with access.mode: keys is a warning, because every client can get a key."},
      {"postgres.password",
       "A well-known password such as root is refused if server.listen has an address that other machines can reach."},
  };
}

common::Outcome<void> check_open_addresses(const Config& config, const std::vector<std::string>& urls) {
  if (!is_open(config)) return {};
  if (const auto found = open_to_strangers(config)) return common::Error{common::ErrorCode::kForbidden, found->message};
  for (const auto& url : urls) {
    const bool is_of_config = std::any_of(config.server.listen.begin(), config.server.listen.end(),
                                          [&](const auto& listener) { return url.ends_with("//" + listener.address); });
    // The addresses of the config are checked above.
    if (!is_public(url) || is_of_config || !config.server.tls.client_ca.empty()) continue;
    return common::Error{common::ErrorCode::kForbidden, "other machines can reach " + url + ", and " + kOpenWaysOut};
  }
  return {};
}

}  // namespace yolod::app
