#include "app/http/request_id.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace yolod::app::http {
namespace {

using namespace std::string_literals;

TEST_CASE("RequestId: letters, digits, dots, dashes and underscores are valid", "[app][unit]") {
  CHECK(is_sane_request_id("a"));
  CHECK(is_sane_request_id("azAZ09._-"));
  CHECK(is_sane_request_id("f47ac10b-58cc-4372-a567-0e02b2c3d479"));
}

TEST_CASE("RequestId: 1 to 128 characters are valid", "[app][unit]") {
  CHECK_FALSE(is_sane_request_id(""));
  CHECK(is_sane_request_id(std::string(128, 'x')));
  CHECK_FALSE(is_sane_request_id(std::string(129, 'x')));
}

TEST_CASE("RequestId: every other byte makes an id invalid", "[app][unit]") {
  const std::string sane = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const std::string text = "a"s + static_cast<char>(byte) + "b";
    CHECK(is_sane_request_id(text) == (sane.find(static_cast<char>(byte)) != std::string::npos));
  }
}

TEST_CASE("RequestId: a new id has 16 hexadecimal digits and is valid", "[app][unit]") {
  const std::string id = new_request_id().c_str();
  CHECK(id.size() == 16);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(is_sane_request_id(id));
}

TEST_CASE("RequestId: no new id repeats", "[app][unit]") {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) REQUIRE(seen.insert(new_request_id().c_str()).second);
}

}  // namespace
}  // namespace yolod::app::http
