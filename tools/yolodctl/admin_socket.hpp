// The admin socket of a server on this machine, and the reasons in the server's answers.
#pragma once

#include <string>

#include "tools/yolodctl/http_client.hpp"

namespace yolod::tools {

// Returns "unix:PATH" of the first admin socket that exists, or of the place where the first would be.
[[nodiscard]] std::string default_admin_url();

// Returns error.message of an answer, or the whole answer.
[[nodiscard]] std::string reason_in(const Response& answer);

}  // namespace yolod::tools
