// What a file that is not YAML has at the place where yaml-cpp gave up, and how to write it instead: yaml-cpp's own
// messages name its parser's states.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace yolod::common {

// `line` and `column` count from 1, and are where yaml-cpp noticed; `message` is its own. One line, printable.
[[nodiscard]] std::string explain_yaml_fault(std::string_view text, int line, int column, std::string_view message);

}  // namespace yolod::common
