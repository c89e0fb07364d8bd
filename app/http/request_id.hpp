// The X-Request-Id of an answer: the client's own if it is sane, else a new one.
#pragma once

#include <boost/static_string/static_string.hpp>
#include <string_view>

namespace yolod::app::http {

using RequestId = boost::static_string<128>;

// Sane: 1 to 128 characters out of letters, digits, '.', '_', '-', so that it can stand in a log and a header.
[[nodiscard]] bool is_sane_request_id(std::string_view text);

// 16 hexadecimal digits, not repeated by this process.
[[nodiscard]] RequestId new_request_id();

}  // namespace yolod::app::http
