#include "app/access/token_digest.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::access::token_digest_test {
namespace {

TEST_CASE("TokenDigest: it is the digest of the protocol, whatever was computed before", "[app][access][unit]") {
  TokenDigest digest;
  for (const std::size_t size : {0, 1, 40, 55, 56, 63, 64, 65, 256}) {
    for (const char c : {'a', 'b'}) {
      const std::string token(size, c);
      CAPTURE(token);
      CHECK(digest.of(token) == accounts::protocol::digest_of(token));
    }
  }
}

}  // namespace
}  // namespace yolod::app::access::token_digest_test
