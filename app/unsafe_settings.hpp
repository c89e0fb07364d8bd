// Finds settings that open the server to every client. yolod does not start with such settings. Each message names
// the settings that are allowed instead. Some settings are safe if no other machine can reach the server, so the rules
// look at server.listen.
//
// The functions read nothing but postgres.password_file. Any thread may call them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.hpp"
#include "common/config/schema.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

// Returns whether other machines may reach this address. Without a scheme it has the form of server.listen, such as
// "127.0.0.1:8080" or "unix:/path".
[[nodiscard]] bool is_public(std::string_view address);

// Use it as a part of a ConfigCheck.
[[nodiscard]] std::vector<common::KeyProblem> unsafe_settings(const common::Config& config);
// Returns a sentence for each setting with which the server starts, although it may not do what its operator wants.
[[nodiscard]] std::vector<std::string> warnings_of(const common::Config& config);
// Returns one sentence for each setting that unsafe_settings() may refuse, for the reference of all keys.
[[nodiscard]] std::vector<common::KeyProblem> notes_on_unsafe_settings();

// Checks whether access.mode may be open with server.listen of this config, and with the listeners at `urls`. Sockets
// of a service manager may listen at other addresses than server.listen. The Error is kForbidden.
[[nodiscard]] common::Outcome<void> check_open_addresses(const common::Config& config,
                                                         const std::vector<std::string>& urls);

}  // namespace yolod::app
