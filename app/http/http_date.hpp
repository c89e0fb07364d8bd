// The Date of answers (RFC 9110, 6.6.1), written again once a second.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace yolod::app::http {

// Front-end only, its one thread.
class HttpDate {
 public:
  // "Sun, 06 Nov 1994 08:49:37 GMT". Valid until the next call.
  [[nodiscard]] std::string_view at(std::time_t now);

 private:
  std::time_t of_{-1};
  std::string text_;
};

}  // namespace yolod::app::http
