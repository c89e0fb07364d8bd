// Explains a YAML syntax error: what stands at the place where yaml-cpp stopped, and how to write it instead.
// yaml-cpp's own messages only name states of its parser.
//
// Pure functions; any thread may call them.
#pragma once

#include <string>
#include <string_view>

namespace yolod::common {

// `line` and `column` start at 1 and are the place where yaml-cpp noticed the error; `message` is its own text.
// Returns one printable line.
[[nodiscard]] std::string explain_yaml_fault(std::string_view text, int line, int column, std::string_view message);

}  // namespace yolod::common
