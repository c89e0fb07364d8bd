#include "common/ip_address.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::common {
namespace {

bool contains(const std::string& range, const std::string& address) {
  const auto parsed = IpRange::parse(range);
  const auto inside = IpAddress::parse(address);
  REQUIRE(parsed);
  REQUIRE(inside);
  return parsed->contains(*inside);
}

}  // namespace

TEST_CASE("IpAddress: both spellings of an IPv4 address are equal", "[common][unit]") {
  CHECK(IpAddress::parse("192.0.2.7") == IpAddress::parse("::ffff:192.0.2.7"));
  CHECK(IpAddress::parse("192.0.2.7")->is_ipv4());
  CHECK_FALSE(IpAddress::parse("2001:db8::7")->is_ipv4());
  CHECK(IpAddress::parse("127.0.0.9")->is_loopback());
  CHECK(IpAddress::parse("::1")->is_loopback());
  CHECK_FALSE(IpAddress::parse("::2")->is_loopback());
  CHECK_FALSE(IpAddress::parse("::")->is_loopback());
}

TEST_CASE("IpAddress: other texts are no addresses", "[common][unit]") {
  for (const std::string text :
       {"", "localhost", "1.2.3", "1.2.3.4:80", "[::1]", "fe80::1%lo", "1.2.3.4 ", "01.2.3.4.5"}) {
    CAPTURE(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
  CHECK_FALSE(IpAddress::parse(std::string("1.2.3.4\0", 8)));
  CHECK_FALSE(IpAddress::parse(std::string(10'000, '1')));
}

TEST_CASE("IpRange: a single address is a range", "[common][unit]") {
  CHECK(contains("192.0.2.7", "192.0.2.7"));
  CHECK(contains("192.0.2.7/32", "192.0.2.7"));
  CHECK_FALSE(contains("192.0.2.7", "192.0.2.6"));
  CHECK(contains("2001:db8::1", "2001:db8::1"));
  CHECK_FALSE(contains("2001:db8::1/128", "2001:db8::"));
}

TEST_CASE("IpRange: the bits of the prefix decide", "[common][unit]") {
  CHECK(contains("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("192.0.2.128/25", "192.0.2.129"));
  CHECK_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  CHECK(contains("128.0.0.0/1", "255.0.0.1"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  CHECK_FALSE(contains("8000::/1", "192.0.2.7"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST_CASE("IpRange: a mistake in a range is refused", "[common][unit]") {
  for (const char* const text : {"", "proxy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/0", "::/0", "10.0.0.0/",
                                 "10.0.0.0/8 ", "10.0.0.0/-1", "2001:db8::/129", "2001:db8::1/64", "/8"}) {
    CAPTURE(text);
    const auto range = IpRange::parse(text);
    REQUIRE_FALSE(range.ok());
    CHECK(range.error().code == ErrorCode::kBadConfig);
  }
}

}  // namespace yolod::common
