#include "app/accounts/protocol/tokens.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "app/accounts/protocol/digest.hpp"

namespace yolod::app::accounts::protocol {
namespace {

std::string text(const Secret& secret) { return std::string(secret.view()); }

}  // namespace

TEST_CASE("tokens: a key has its prefix, 30 random characters and their checksum", "[accounts][unit]") {
  std::set<std::string> made;
  for (int i = 0; i < 200; ++i) {
    const std::string key = text(make_api_key());
    CHECK(key.size() == kKeyBytes);
    CHECK(key.substr(0, 4) == "yld_");
    CHECK(is_api_key(key));
    CHECK_FALSE(is_invite(key));
    made.insert(key);
  }
  CHECK(made.size() == 200);
}

TEST_CASE("tokens: the checksum is zlib's CRC-32 in base62", "[accounts][unit]") {
  // The CRC-32 of "123456789" is 0xCBF43926.
  const auto digits = check_characters("123456789");
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const int place = digit <= '9' ? digit - '0' : digit <= 'Z' ? digit - 'A' + 10 : digit - 'a' + 36;
    value = value * 62 + static_cast<std::uint64_t>(place);
  }
  CHECK(value == 0xCBF43926);
}

TEST_CASE("tokens: a key with any other character at any place is none", "[accounts][unit]") {
  const std::string key = text(make_api_key());
  for (std::size_t place = 0; place < key.size(); ++place) {
    for (const char other : {'0', 'Z', 'a', '_', '\0', '\xFF'}) {
      std::string changed = key;
      changed[place] = other;
      CHECK(is_api_key(changed) == (changed == key));
    }
  }
  CHECK_FALSE(is_api_key(""));
  CHECK_FALSE(is_api_key(key.substr(1)));
  CHECK_FALSE(is_api_key(key + "a"));
}

TEST_CASE("tokens: sessions, invitations and passwords have their forms", "[accounts][unit]") {
  const std::string session = text(make_session_token());
  CHECK(is_session_token(session));
  CHECK(text(make_session_token()) != session);
  CHECK_FALSE(is_session_token(session.substr(1)));
  CHECK_FALSE(is_session_token(session.substr(1) + "="));
  const std::string invite = text(make_invite());
  CHECK(is_invite(invite));
  CHECK_FALSE(is_api_key(invite));
  CHECK(make_password().size() == 20);
}

TEST_CASE("digest: is SHA-256, in hexadecimal and back", "[accounts][unit]") {
  // FIPS 180-2 gives this example.
  const Digest digest = digest_of("abc");
  CHECK(to_hex(digest) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_from_hex(to_hex(digest)) == digest);
  CHECK_FALSE(digest_from_hex("ba78"));
  CHECK_FALSE(digest_from_hex(std::string(64, 'g')));
  CHECK(same_digest(digest, digest));
  CHECK_FALSE(same_digest(digest, Digest{}));
}

TEST_CASE("Secret: what it held is overwritten when it goes", "[accounts][unit]") {
  Secret first("a secret of some length");
  const char* const place = first.view().data();
  Secret second = std::move(first);
  CHECK(second.view().data() == place);  // moved, not copied
  CHECK(first.empty());                  // NOLINT(bugprone-use-after-move)
  CHECK(second.clone() == second);
  CHECK(second.clone().view().data() != place);
  second = Secret();
  CHECK(second.empty());
}

}  // namespace yolod::app::accounts::protocol
