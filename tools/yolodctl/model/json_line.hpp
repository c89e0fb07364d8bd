// Prints JSON for the commands that compute.
#pragma once

#include <boost/json/value.hpp>

namespace yolod::tools {

// Prints `value` to stdout as one line. JSON is UTF-8, so other bytes, which file names may have, are written as the
// text \xNN; two different names therefore stay different.
void print_json_line(const boost::json::value& value);

}  // namespace yolod::tools
