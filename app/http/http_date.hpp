// Formats the Date header of answers (RFC 9110, 6.6.1). Each second is formatted only once.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace yolod::app::http {

// The object is used on the front-end's only thread.
class HttpDate {
 public:
  // Returns a text such as "Sun, 06 Nov 1994 08:49:37 GMT". It is valid until the next call.
  [[nodiscard]] std::string_view at(std::time_t now);

 private:
  std::time_t of_{-1};
  std::string text_;
};

}  // namespace yolod::app::http
