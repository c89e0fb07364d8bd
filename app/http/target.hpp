// A request target's path and query, percent-decoded (RFC 3986). No sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolod::app {

struct Target {
  std::string path;                                        // "/predict"
  std::vector<std::pair<std::string, std::string>> query;  // in order; "k" alone has an empty value
};

// Nothing for what is neither an origin-form nor an http absolute-form target: no leading slash, a broken percent
// escape, a NUL.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace yolod::app
