#include "model/unpack.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/packed_bodies.hpp"

namespace yolod::model {
namespace {

std::string unpacked_or_why(const std::string& packed, std::uint64_t limit_bytes) {
  const auto bytes = unpack(std::as_bytes(std::span(packed.data(), packed.size())), limit_bytes);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : bytes.error().message;
}

TEST_CASE("Unpack: it knows gzip and zlib by their bytes, up to the limit", "[model][unit]") {
  for (const std::string& text : {std::string(), std::string("text"), std::string(1'000'000, 'a')}) {
    CHECK(unpacked_or_why(tests::gzipped(text), text.size()) == text);
    CHECK(unpacked_or_why(tests::deflated(text), text.size() + 1) == text);
  }
}

TEST_CASE("Unpack: a bomb, a damaged body and a tail are refused", "[model][unit]") {
  const std::string bomb = tests::gzipped(std::string(16U << 20U, '\0'));
  CHECK(bomb.size() < 40'000);
  const std::string too_long = "unable to decompress the request: it has more than the 1000000 bytes that are allowed";
  CHECK(unpacked_or_why(bomb, 1'000'000) == too_long);
  CHECK(unpacked_or_why(tests::deflated(std::string(1'000'001, 'a')), 1'000'000) == too_long);
  const std::string no_data = "unable to decompress the request: the body is not gzip or zlib data";
  CHECK(unpacked_or_why("", 1000) == no_data);
  CHECK(unpacked_or_why("not compressed", 1000) == no_data);
  CHECK(unpacked_or_why(bomb.substr(0, bomb.size() / 2), 1U << 25U) == no_data);
  CHECK(unpacked_or_why(tests::gzipped("a") + "b", 1000) ==
        "unable to decompress the request: other bytes follow the compressed body");
}

TEST_CASE("Unpack: it asks before each allocation", "[model][unit]") {
  const std::string packed = tests::gzipped(std::string(100'000, 'a'));
  const auto bytes = std::as_bytes(std::span(packed.data(), packed.size()));
  std::uint64_t most = 0;
  CHECK(unpack(bytes, 150'000, [&](std::uint64_t asked) { return (most = std::max(most, asked)) <= 150'000; }).ok());
  CHECK(most >= 100'000);
  const auto refused = unpack(bytes, 150'000, [](std::uint64_t asked) { return asked < 50'000; });
  CHECK(refused.error().code == common::ErrorCode::kImageTooComplex);
}

}  // namespace
}  // namespace yolod::model
