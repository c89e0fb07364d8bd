// The one place that turns an error into an HTTP status.
#pragma once

#include <ostream>  // before status.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/status.hpp>
#include <string>

#include "common/error.hpp"

namespace yolod::app {

[[nodiscard]] boost::beast::http::status http_status(common::ErrorCode code);

// The text that a client may see: its own doing is said, ours is not.
[[nodiscard]] std::string client_message(const common::Error& error);

}  // namespace yolod::app
