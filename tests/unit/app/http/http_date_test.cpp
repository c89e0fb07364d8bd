#include "app/http/http_date.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::http {
namespace {

TEST_CASE("HttpDate: the date has the fixed form of RFC 9110, section 5.6.7", "[app][unit]") {
  HttpDate date;
  CHECK(date.at(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of the RFC
  CHECK(date.at(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784'111'778) == "Sun, 06 Nov 1994 08:49:38 GMT");
  CHECK(date.at(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date.at(1'709'251'199) == "Thu, 29 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace yolod::app::http
