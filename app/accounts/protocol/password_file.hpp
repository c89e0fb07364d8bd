// Reads postgres.password_file. yolod-accounts logs in with the password, and the front-end checks at its start that
// the password is not well known. Any thread may call it.
#pragma once

#include <filesystem>

#include "app/accounts/protocol/secret.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts::protocol {

// Returns the content without the line ends at its end. The Error is kSystem if the file cannot be read, and kBadConfig
// if it is no file, or longer than a setting may be.
[[nodiscard]] common::Outcome<Secret> read_password_file(const std::filesystem::path& file);

}  // namespace yolod::app::accounts::protocol
