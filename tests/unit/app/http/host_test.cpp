#include "app/http/host.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::http {
namespace {

using namespace std::string_literals;

TEST_CASE("Host: names, IPv4 and IPv6 addresses are accepted, with and without a port", "[app][unit]") {
  const auto text =
      GENERATE("localhost"s, "localhost:8080"s, "a.example"s, "a-b_c~d.example."s, "127.0.0.1"s, "127.0.0.1:80"s, "a:"s,
               "[::1]"s, "[::1]:80"s, "[2001:db8::ff00:42:8329]:8080"s, "[::ffff:127.0.0.1]"s, "[v1.fe80::a+en1]"s,
               "%41b"s, "a%2Cb:1"s, "!$&'()*+,;="s, "xn--strae-oqa.example"s, "999.999.999.999"s);
  CAPTURE(text);
  CHECK(is_host_and_port(text));
}

TEST_CASE("Host: a host that RFC 3986 does not allow is refused", "[app][unit]") {
  const auto text =
      GENERATE(""s, " "s, "a b"s, " a"s, "a "s, "a\tb"s, "a@b"s, "a@b/c"s, "user:secret@host"s, "a/b"s, "a?b"s, "a#b"s,
               "a\\b"s, "a:b"s, "a:80:80"s, "a:-1"s, "a: 80"s, ":80"s, ":"s, "::1"s, "[::1"s, "::1]"s, "[]"s, "[]:80"s,
               "[::1]80"s, "[::1]x"s, "[::1]:x"s, "[:::1]"s, "[127.0.0.1]"s, "[fe80::1%25eth0]"s, "[v.x]"s, "[v1]"s,
               "[v1.]"s, "[vg.x]"s, "[::1]]"s, "[[::1]]"s, "a[b]"s, "%"s, "%4"s, "%4g"s, "a\0b"s, "[::1\0]"s, "a\x7F"s,
               "stra\xC3\x9F\x65"s, "a<b"s, "a\"b"s, "a^b"s, "a`b"s, "a{b}"s, "a|b"s, "http://a"s);
  CAPTURE(text);
  CHECK_FALSE(is_host_and_port(text));
}

TEST_CASE("Host: a name of any length is read", "[app][unit]") {
  CHECK(is_host_and_port(std::string(10'000, 'a')));
  CHECK_FALSE(is_host_and_port("[" + std::string(10'000, '1') + "]"));
}

}  // namespace
}  // namespace yolod::app::http
