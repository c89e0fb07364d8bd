// The X-Request-Id of an answer: the client's own if it is sane, otherwise a new one. Any thread may check an id;
// only the front-end's thread may create one.
#pragma once

#include <boost/static_string/static_string.hpp>
#include <string_view>

namespace yolod::app::http {

using RequestId = boost::static_string<128>;

// Returns whether the id is safe in a log and in a header: 1 to 128 letters, digits, '.', '_' and '-'.
[[nodiscard]] bool is_sane_request_id(std::string_view text);

// Returns 16 hexadecimal digits. This process does not repeat them.
[[nodiscard]] RequestId new_request_id();

}  // namespace yolod::app::http
