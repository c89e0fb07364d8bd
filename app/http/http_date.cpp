#include "app/http/http_date.hpp"

#include <fmt/chrono.h>

#include <iterator>

namespace yolod::app::http {

std::string_view HttpDate::at(std::time_t now) {
  if (now != of_) {
    of_ = now;
    text_.clear();
    fmt::format_to(std::back_inserter(text_), "{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return text_;
}

}  // namespace yolod::app::http
