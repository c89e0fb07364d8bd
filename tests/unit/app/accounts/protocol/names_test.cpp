#include "app/accounts/protocol/names.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::accounts::protocol {

TEST_CASE("names: are kept in small letters, and few characters are allowed", "[accounts][unit]") {
  CHECK(canonical_name("Anna.B-c_d+e@example.org") == "anna.b-c_d+e@example.org");
  CHECK(canonical_name(std::string(64, 'a')).size() == 64);
  for (const std::string& none : {std::string(), std::string(65, 'a'), std::string(".a"), std::string("a b"),
                                  std::string("a\nb"), std::string("\xC3\xA4"), std::string("a\0b", 3)}) {
    CAPTURE(none);
    CHECK(canonical_name(none).empty());
  }
  CHECK(is_key_name("camera at the gate \xC3\xA4"));
  CHECK_FALSE(is_key_name(""));
  CHECK_FALSE(is_key_name("two\nlines"));
  CHECK_FALSE(is_key_name(std::string(65, 'a')));
}

}  // namespace yolod::app::accounts::protocol
