#include "common/error.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <set>
#include <string>

namespace yolod::common {
namespace {

constexpr std::uint32_t kLastCode = 27;

TEST_CASE("Error: every value of a code is a code, and no other is", "[common][unit]") {
  CHECK_FALSE(error_code_from(0));
  for (std::uint32_t value = 1; value <= kLastCode; ++value) {
    const auto code = error_code_from(value);
    REQUIRE(code);
    CHECK(static_cast<std::uint32_t>(*code) == value);
  }
  CHECK_FALSE(error_code_from(kLastCode + 1));
  CHECK_FALSE(error_code_from(1U << 31U));
  CHECK_FALSE(error_code_from(UINT32_MAX));
}

TEST_CASE("Error: the values that cross shared memory never change", "[common][unit]") {
  CHECK(static_cast<std::uint32_t>(ErrorCode::kBadRequest) == 1);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kInvalidParameter) == 2);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kInvalidImage) == 3);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kImageTooLarge) == 11);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kUnsupportedMediaType) == 12);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kInternal) == 16);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kSystem) == 23);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kClientGone) == 24);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kImageTooComplex) == 25);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kTooManyRequests) == 26);
  CHECK(static_cast<std::uint32_t>(ErrorCode::kConflict) == kLastCode);
}

TEST_CASE("Error: each code has a different name, in lower case", "[common][unit]") {
  std::set<std::string> names;
  for (std::uint32_t value = 1; value <= kLastCode; ++value) {
    const std::string name(to_string(*error_code_from(value)));
    CHECK(names.insert(name).second);
    CHECK_FALSE(name.empty());
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
  }
  CHECK(to_string(ErrorCode::kInvalidImage) == "invalid_image");
}

TEST_CASE("Error: a value that is not a code is called internal", "[common][unit]") {
  CHECK(to_string(static_cast<ErrorCode>(999)) == "internal");
}

TEST_CASE("Error: the message of an errno names the failed action", "[common][unit]") {
  const Error error = system_error("open /x", ENOENT);
  CHECK(error.code == ErrorCode::kSystem);
  CHECK(error.message == "open /x: No such file or directory");
}

TEST_CASE("Error: the message uses the current errno", "[common][unit]") {
  errno = EACCES;
  CHECK(last_system_error("open") == system_error("open", EACCES));
}

TEST_CASE("Error: an errno that does not exist has a message too", "[common][unit]") {
  CHECK(system_error("x", 99'999).message.starts_with("x: "));
}

}  // namespace
}  // namespace yolod::common
