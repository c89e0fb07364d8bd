// A log line on its way from a worker to the front-end, which logs it as the worker's: a level, the pid and the
// message.
//
//   <4>1234 message        the digits are those of sd-daemon(3): 7 debug, 6 info, 4 warning, 3 error
//
// Pure functions; any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/log_settings.hpp"

namespace yolod::common {

// With its line feed. `message` has no line feed of its own.
[[nodiscard]] std::string forwarded_line(LogLevel level, std::string_view message);

struct ForwardedLine {
  LogLevel level{LogLevel::kWarning};
  pid_t pid{0};  // as the worker says; 0 for text that a library printed
  std::string_view message;
};

// Never fails: a line of any other form is a library's text, or a worker's that lies.
[[nodiscard]] ForwardedLine parse_forwarded_line(std::string_view line);

}  // namespace yolod::common
