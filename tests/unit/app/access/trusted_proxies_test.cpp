#include "app/access/trusted_proxies.hpp"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>
#include <vector>

namespace yolod::app::access::trusted_proxies_test {
namespace {

PeerAddress peer(const std::string& text) {
  if (text == "unix") return PeerAddress::unix_socket();
  const auto address = common::IpAddress::parse(text);
  REQUIRE(address);
  return PeerAddress(*address);
}

TrustedProxies proxies(const std::vector<std::string>& texts,
                       common::ForwardedHeader header = common::ForwardedHeader::kXForwardedFor) {
  TrustedProxies made;
  made.configure(texts, header);
  return made;
}

Forwarding x_forwarded_for(std::initializer_list<std::string_view> values) {
  Forwarding forwarding;
  for (const auto value : values) forwarding.x_forwarded_for.add(value);
  return forwarding;
}

Forwarding forwarded(std::initializer_list<std::string_view> values) {
  Forwarding forwarding;
  for (const auto value : values) forwarding.forwarded.add(value);
  return forwarding;
}

// The proxies of these tests write the field that the test has.
std::string client_of(const Forwarding& forwarding, const std::string& from = "10.0.0.5") {
  const auto header = forwarding.x_forwarded_for.empty() ? common::ForwardedHeader::kForwarded
                                                         : common::ForwardedHeader::kXForwardedFor;
  return proxies({"10.0.0.0/8", "2001:db8:aa::/48", "127.0.0.1", "::1", "unix"}, header)
      .client_of(peer(from), forwarding)
      .to_string();
}

}  // namespace

TEST_CASE("TrustedProxies: only named addresses are trusted", "[app][access][unit]") {
  const auto some = proxies({"127.0.0.1", "10.1.0.0/16", "2001:db8::/32"});
  for (const char* const address : {"127.0.0.1", "::ffff:127.0.0.1", "10.1.255.9", "2001:db8:ffff::1"}) {
    CAPTURE(address);
    CHECK(some.trusts(peer(address)));
  }
  for (const char* const address : {"127.0.0.2", "10.2.0.1", "2001:db9::1", "::1", "unix"}) {
    CAPTURE(address);
    CHECK_FALSE(some.trusts(peer(address)));
  }
  CHECK(proxies({"unix"}).trusts(peer("unix")));
  CHECK_FALSE(proxies({"unix"}).trusts(peer("127.0.0.1")));
  CHECK_FALSE(proxies({"unix"}).trusts(PeerAddress()));
  CHECK_FALSE(proxies({}).trusts(peer("127.0.0.1")));
}

TEST_CASE("TrustedProxies: the client is the last address that is no trusted proxy", "[app][access][unit]") {
  CHECK(client_of({}) == "10.0.0.5");
  CHECK(client_of({}, "unix") == "hidden");
  CHECK(client_of(x_forwarded_for({"203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"203.0.113.9"}), "unix") == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"203.0.113.9, 10.0.0.7,10.0.0.6"})) == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"203.0.113.9", "10.0.0.7"})) == "203.0.113.9");
  // The client has sent the first address.
  CHECK(client_of(x_forwarded_for({"198.51.100.1, 203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"198.51.100.1", "203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"198.51.100.1, 203.0.113.9, 10.0.0.7"})) == "203.0.113.9");
  // All of them are proxies, and the first one is the client.
  CHECK(client_of(x_forwarded_for({"10.0.0.9, 10.0.0.8"})) == "10.0.0.9");
  CHECK(client_of(x_forwarded_for({"2001:db8:1:2::3, 2001:db8:aa::1"})) == "2001:db8:1:2::/64");
}

TEST_CASE("TrustedProxies: an address may have a port and brackets", "[app][access][unit]") {
  CHECK(client_of(x_forwarded_for({"203.0.113.9:4711"})) == "203.0.113.9");
  CHECK(client_of(x_forwarded_for({"[2001:db8:1:2::3]:4711"})) == "2001:db8:1:2::/64");
  CHECK(client_of(x_forwarded_for({"[2001:db8:1:2::3]"})) == "2001:db8:1:2::/64");
  CHECK(client_of(x_forwarded_for({"::ffff:203.0.113.9"})) == "203.0.113.9");
}

TEST_CASE("TrustedProxies: an address that cannot be read leaves the last proxy as the client", "[app][access][unit]") {
  const std::string nul("203.0.113.9\0", 12);
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("unknown"), std::string_view("203.0.113.9,"), std::string_view(nul),
        std::string_view("203.0.113.256"), std::string_view("[2001:db8::1"), std::string_view("[]"),
        std::string_view("["), std::string_view(":"), std::string_view("\xFF\xFE"), std::string_view("1.2.3.4 5"),
        std::string_view("fe80::1%eth0")}) {
    CAPTURE(bad);
    CHECK(client_of(x_forwarded_for({bad})) == "10.0.0.5");
    CHECK(client_of(x_forwarded_for({bad, "10.0.0.8"})) == "10.0.0.8");
  }
}

TEST_CASE("TrustedProxies: only a bounded part of a long list is read", "[app][access][unit]") {
  std::string list = "203.0.113.9";
  for (int i = 0; i < 1000; ++i) list += ",10.0.0.7";
  CHECK(client_of(x_forwarded_for({list})) == "10.0.0.7");
  CHECK(client_of(x_forwarded_for({"203.0.113.9", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"})) == "10.0.0.1");
}

TEST_CASE("TrustedProxies: Forwarded is read like X-Forwarded-For", "[app][access][unit]") {
  CHECK(client_of(forwarded({"for=203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(forwarded({R"(For="[2001:db8:1:2::3]:4711";proto=https;by=10.0.0.5)"})) == "2001:db8:1:2::/64");
  CHECK(client_of(forwarded({"for=203.0.113.9, for=10.0.0.7;host=\"a,b;c\""})) == "203.0.113.9");
  CHECK(client_of(forwarded({"for=203.0.113.9", "for=10.0.0.7"})) == "203.0.113.9");
  CHECK(client_of(forwarded({"for=198.51.100.1, for=203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(forwarded({"for=_hidden"})) == "10.0.0.5");
  // The grammar allows empty elements and pairs, so a client could send them in front of the proxy's element.
  CHECK(client_of(forwarded({",, for=203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(forwarded({",", "for=203.0.113.9"})) == "203.0.113.9");
  CHECK(client_of(forwarded({"; ;for=203.0.113.9;; ,"})) == "203.0.113.9");
  CHECK(client_of(forwarded({""})) == "10.0.0.5");
  CHECK(client_of(forwarded({"proto=https"})) == "10.0.0.5");
}

// A proxy that writes only one of the fields may pass on the other as its client has sent it.
TEST_CASE("TrustedProxies: only the field that the proxies write counts", "[app][access][unit]") {
  using common::ForwardedHeader;
  Forwarding both = forwarded({"for=198.51.100.1"});
  both.x_forwarded_for.add("203.0.113.9");
  const auto old = proxies({"10.0.0.0/8"}, ForwardedHeader::kXForwardedFor);
  const auto standard = proxies({"10.0.0.0/8"}, ForwardedHeader::kForwarded);
  CHECK(old.client_of(peer("10.0.0.5"), both).to_string() == "203.0.113.9");
  CHECK(standard.client_of(peer("10.0.0.5"), both).to_string() == "198.51.100.1");
  CHECK(old.client_of(peer("10.0.0.5"), forwarded({"for=198.51.100.1"})).to_string() == "10.0.0.5");
  CHECK(standard.client_of(peer("10.0.0.5"), x_forwarded_for({"203.0.113.9"})).to_string() == "10.0.0.5");
  CHECK(old.reads(both));
  CHECK(standard.reads(both));
  CHECK_FALSE(old.reads(forwarded({"for=198.51.100.1"})));
  CHECK_FALSE(standard.reads(x_forwarded_for({"203.0.113.9"})));
}

// Unix sockets have no limits, and loopback addresses have wide limits for log-ins.
TEST_CASE("TrustedProxies: an unreadable field gives a client no better limits", "[app][access][unit]") {
  for (const char* const from : {"unix", "127.0.0.1", "::1"}) {
    CAPTURE(from);
    for (const std::string_view bad : {"unknown", "", "203.0.113.9,", "\xFF"}) {
      CAPTURE(bad);
      CHECK(client_of(x_forwarded_for({bad}), from) == "hidden");
    }
    for (const std::string_view bad : {"for=_hidden", "for=\"", "=,", "for=203.0.113.9;x=\", for=203.0.113.8"}) {
      CAPTURE(bad);
      CHECK(client_of(forwarded({bad}), from) == "hidden");
    }
    CHECK(client_of(x_forwarded_for({"203.0.113.9"}), from) == "203.0.113.9");
    CHECK(client_of(x_forwarded_for({"unknown, 10.0.0.7"}), from) == "10.0.0.7");
    CHECK(client_of(x_forwarded_for({"unknown, 127.0.0.1"}), from) == "hidden");
  }
  // A program on this machine that uses the trusted address itself.
  CHECK(client_of({}, "127.0.0.1") == "127.0.0.1");
  CHECK(client_of(x_forwarded_for({"127.0.0.1"})) == "127.0.0.1");
}

// A client may send the beginning of a field, and a proxy appends to it.
TEST_CASE("TrustedProxies: a client cannot hide what a proxy appends to Forwarded", "[app][access][unit]") {
  for (const std::string_view sent : {"for=198.51.100.1;x=\"", "for=198.51.100.1;x=\"\\", "=,", "for", "for=\""}) {
    CAPTURE(sent);
    const std::string plain = std::string(sent) + ", for=203.0.113.9";
    const std::string quoted = std::string(sent) + ", for=\"[2001:db8:1:2::3]\"";
    CHECK(client_of(forwarded({plain})) == "10.0.0.5");
    CHECK(client_of(forwarded({quoted})) == "10.0.0.5");
    CHECK(client_of(forwarded({sent, "for=203.0.113.9"})) == "203.0.113.9");
  }
}

}  // namespace yolod::app::access::trusted_proxies_test
