#include "app/api/oip/packed_head.hpp"

#include <catch2/catch.hpp>

#include "tests/support/packed_bodies.hpp"

namespace yolod::app::api::oip {
namespace {

// Returns the head of a compressed text, or the error. `turns` receives the count of steps.
std::string head_of(const std::string& packed, std::optional<std::uint64_t> json_bytes, std::size_t budget = 1U << 16U,
                    int* turns = nullptr) {
  PackedHead head(std::as_bytes(std::span(packed.data(), packed.size())), json_bytes);
  for (int count = 1;; ++count) {
    REQUIRE(count < 1'000'000);
    const auto done = head.step(budget);
    if (turns != nullptr) *turns = count;
    if (!done) return done.error().message;
    if (*done) return std::string(head.text());
  }
}

TEST_CASE("PackedHead: it gives the first bytes of a compressed body, or all of a short text", "[app][unit]") {
  const std::string text = "{\"inputs\":[]}" + std::string(1'000'000, 'b');
  for (const auto& packed : {tests::gzipped(text), tests::deflated(text)}) {
    CHECK(head_of(packed, 13) == "{\"inputs\":[]}");
    CHECK(head_of(packed, 13, 2) == "{\"inputs\":[]}");
    CHECK(head_of(packed, 60'000) == text.substr(0, 60'000));
  }
  CHECK(head_of(tests::gzipped("{}"), std::nullopt) == "{}");
  const std::string longest(PackedHead::kMostBytes, ' ');
  CHECK(head_of(tests::deflated(longest), std::nullopt) == longest);
}

TEST_CASE("PackedHead: a head that is too long, ends early or is no compressed data is refused", "[app][unit]") {
  const std::string bomb = tests::gzipped(std::string(20U << 20U, ' '));
  CHECK(head_of(bomb, std::nullopt).find("longer than 64 KiB") != std::string::npos);
  CHECK(head_of(bomb, PackedHead::kMostBytes + 1).find("longer than 64 KiB") != std::string::npos);
  CHECK(head_of(tests::gzipped("{}"), 3) == "unable to decompress the request: its JSON ends early");
  CHECK(head_of("plain text", 3) == "unable to decompress the request: the body is not gzip or zlib data");
  CHECK(head_of(tests::gzipped(std::string(100, 'a')).substr(0, 12), 3).find("does not end") != std::string::npos);
}

TEST_CASE("PackedHead: it gives the JSON in spite of damage behind it, whatever the size of a step", "[app][unit]") {
  const std::string text = R"({"inputs":[]})";
  for (auto packed : {tests::gzipped(text), tests::deflated(text)}) {
    packed[packed.size() - 1] ^= '\x01';  // in the checksum or the length
    for (const std::size_t budget : {1U, 7U, 1U << 16U}) CHECK(head_of(packed, text.size(), budget) == text);
    CHECK(head_of(packed, std::nullopt).starts_with("unable to decompress the request"));
  }
}

TEST_CASE("PackedHead: blocks without content end the search, in bounded steps", "[app][unit]") {
  std::string packed("\x78\x01", 2);
  for (int i = 0; i < 200'000; ++i) packed += std::string("\x00\x00\x00\xFF\xFF", 5);  // an empty stored block
  int turns = 0;
  CHECK(head_of(packed, 10, 1U << 16U, &turns).find("within 128 KiB") != std::string::npos);
  CHECK(turns <= 9);
}

}  // namespace
}  // namespace yolod::app::api::oip
