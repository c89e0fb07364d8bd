// A log line that a worker sends to the front-end: a level, the worker's pid and the message. The front-end logs it
// as the worker's.
//
//   <4>1234 message        the digits are those of sd-daemon(3): 7 debug, 6 info, 4 warning, 3 error
//
// Pure functions; any thread may call them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/log_settings.hpp"

namespace yolod::common {

// Returns the line with its line feed. REQUIRES: `message` has no line feed.
[[nodiscard]] std::string forwarded_line(LogLevel level, std::string_view message);

struct ForwardedLine {
  LogLevel level{LogLevel::kWarning};
  pid_t pid{0};  // the pid in the line; 0 for text that a library printed
  std::string_view message;
};

// Never fails: a line of another form is text of a library or of a compromised worker.
[[nodiscard]] ForwardedLine parse_forwarded_line(std::string_view line);

}  // namespace yolod::common
