#include "app/access/network.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::access {
namespace {

Network of_text(const std::string& text) {
  const auto address = common::IpAddress::parse(text);
  REQUIRE(address);
  return Network::of(*address);
}

TEST_CASE("Network: two IPv4 addresses are two networks", "[app][access][unit]") {
  CHECK(of_text("192.0.2.7").to_string() == "192.0.2.7");
  CHECK(of_text("192.0.2.7").is_known());
  CHECK(of_text("192.0.2.7") == of_text("192.0.2.7"));
  CHECK(of_text("192.0.2.7") != of_text("192.0.2.8"));
}

TEST_CASE("Network: the addresses of a /64 of IPv6 are one network", "[app][access][unit]") {
  CHECK(of_text("2001:db8:1:2::1").to_string() == "2001:db8:1:2::/64");
  CHECK(of_text("2001:db8:1:2::1") == of_text("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(of_text("2001:db8:1:2::1") != of_text("2001:db8:1:3::1"));
}

TEST_CASE("Network: an IPv4 address in an IPv6 address counts as the IPv4 address", "[app][access][unit]") {
  CHECK(of_text("::ffff:192.0.2.7") == of_text("192.0.2.7"));
  CHECK(of_text("::ffff:192.0.2.7") != of_text("::ffff:192.0.2.8"));
}

TEST_CASE("Network: an IPv4 address and a /64 with the same bytes differ", "[app][access][unit]") {
  CHECK(of_text("192.0.2.7") != of_text("c000:207::"));
}

TEST_CASE("Network: the client of a unix socket has no network", "[app][access][unit]") {
  CHECK_FALSE(Network().is_known());
  CHECK(Network::hidden().is_known());
  CHECK(Network::hidden().to_string() == "hidden");
  CHECK(Network::hidden().site() == Network::hidden());
  CHECK(Network::hidden().block() == Network::hidden());
  CHECK(Network().to_string() == "unix");
}

}  // namespace
}  // namespace yolod::app::access
