// JSON as the commands that compute print it.
#pragma once

#include <boost/json/value.hpp>

namespace yolod::tools {

// Prints `value` to stdout as one line. JSON is UTF-8: other bytes, as the names of files may have them, stand there as
// the text \xNN, so that two names remain two.
void print_json_line(const boost::json::value& value);

}  // namespace yolod::tools
