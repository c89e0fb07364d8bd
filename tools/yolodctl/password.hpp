// Reads a new password from the terminal or from standard input. An argument would be visible to every user (ps).
#pragma once

#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::tools {

// If standard input is a terminal, it asks twice and shows no letters. Otherwise it reads one line. An Error is kSystem
// or kBadRequest.
[[nodiscard]] common::Outcome<std::string> read_new_password(std::string_view prompt);

}  // namespace yolod::tools
