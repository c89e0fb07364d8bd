#include "app/schedule/quarantine.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::schedule {
namespace {

using common::Clock;
using std::chrono::milliseconds;

constexpr std::uint64_t kLength = 1000;  // the length of every body here, unless a test gives another

BodyHash hash_of(const std::string& body) {
  BodyHasher hasher;
  hasher.add(std::as_bytes(std::span(body)));
  return hasher.finish();
}

const Clock::time_point kBegin{std::chrono::hours(1)};

TEST_CASE("BodyHasher: pieces of any size give the hash of the whole body", "[app][unit]") {
  const auto piece = GENERATE(1, 63, 64, 65, 1000, 5000);
  std::string body;
  for (int i = 0; i < 4000; ++i) body.push_back(static_cast<char>(i * 7));
  BodyHasher hasher;
  for (std::size_t at = 0; at < body.size(); at += static_cast<std::size_t>(piece)) {
    const auto part = std::string_view(body).substr(at, static_cast<std::size_t>(piece));
    hasher.add(std::as_bytes(std::span(part)));
  }
  CHECK(hasher.finish() == hash_of(body));
}

TEST_CASE("Quarantine: a body's hash is its SHA-256", "[app][unit]") {
  // FIPS 180-2, appendix B.1, gives this hash.
  CHECK(short_text(hash_of("abc")) == "ba7816bf8f01cfea");
  CHECK(short_text(hash_of("")) == "e3b0c44298fc1c14");
}

TEST_CASE("Quarantine: the first death alone makes a suspect, the second quarantines the body", "[app][unit]") {
  Quarantine quarantine;
  CHECK(quarantine.size() == 0);
  CHECK(quarantine.standing(hash_of("a"), kBegin) == Standing::kUnknown);
  CHECK(quarantine.strike(hash_of("a"), kLength, kBegin) == Standing::kSuspect);
  CHECK(quarantine.size() == 1);
  CHECK(quarantine.standing(hash_of("a"), kBegin) == Standing::kSuspect);
  CHECK(quarantine.standing(hash_of("b"), kBegin) == Standing::kUnknown);
  CHECK(quarantine.strike(hash_of("a"), kLength, kBegin) == Standing::kQuarantined);
  CHECK(quarantine.standing(hash_of("a"), kBegin) == Standing::kQuarantined);
}

TEST_CASE("Quarantine: deaths in a batch with others make a suspect and never more", "[app][unit]") {
  Quarantine quarantine;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(quarantine.suspect(hash_of("a"), kLength, kBegin + milliseconds(i)) == Standing::kSuspect);
  }
  CHECK(quarantine.standing(hash_of("a"), kBegin) == Standing::kSuspect);
  SECTION("the first death alone after that quarantines the body") {
    CHECK(quarantine.strike(hash_of("a"), kLength, kBegin) == Standing::kQuarantined);
  }
  SECTION("an answer acquits the body") {
    quarantine.acquit(hash_of("a"));
    CHECK(quarantine.standing(hash_of("a"), kBegin) == Standing::kUnknown);
  }
}

TEST_CASE("Quarantine: a death in a batch with others neither frees a quarantined body nor prolongs its term",
          "[app][unit]") {
  Quarantine quarantine;
  quarantine.strike(hash_of("a"), kLength, kBegin);
  quarantine.strike(hash_of("a"), kLength, kBegin);
  CHECK(quarantine.suspect(hash_of("a"), kLength, kBegin + Quarantine::kTerm / 2) == Standing::kQuarantined);
  CHECK(quarantine.standing(hash_of("a"), kBegin + Quarantine::kTerm) == Standing::kUnknown);
  CHECK(quarantine.suspect(hash_of("a"), kLength, kBegin + Quarantine::kTerm) == Standing::kSuspect);
}

TEST_CASE("Quarantine: a suspect that was answered is unknown again", "[app][unit]") {
  Quarantine quarantine;
  quarantine.strike(hash_of("a"), kLength, kBegin);
  quarantine.acquit(hash_of("a"));
  CHECK(quarantine.size() == 0);
  CHECK(quarantine.strike(hash_of("a"), kLength, kBegin) == Standing::kSuspect);
}

TEST_CASE("Quarantine: the term counts from the last death", "[app][unit]") {
  Quarantine quarantine;
  quarantine.strike(hash_of("a"), kLength, kBegin);
  quarantine.strike(hash_of("a"), kLength, kBegin + milliseconds(1000));
  const auto early = kBegin + Quarantine::kTerm;
  quarantine.release(early);
  CHECK(quarantine.standing(hash_of("a"), early) == Standing::kQuarantined);

  const auto over = early + milliseconds(1000);
  CHECK(quarantine.standing(hash_of("a"), over) == Standing::kUnknown);
  SECTION("and then the first death makes a suspect again") {
    CHECK(quarantine.strike(hash_of("a"), kLength, over) == Standing::kSuspect);
  }
  SECTION("and then the body is forgotten") {
    quarantine.release(over);
    CHECK(quarantine.size() == 0);
  }
}

TEST_CASE("Quarantine: a flood of bodies removes the oldest, and memory stays bounded", "[app][unit]") {
  Quarantine quarantine;
  for (std::size_t i = 0; i <= Quarantine::kMost; ++i) {
    quarantine.strike(hash_of(std::to_string(i)), kLength, kBegin + milliseconds(i));
  }
  CHECK(quarantine.size() == Quarantine::kMost);
  CHECK(quarantine.standing(hash_of("0"), kBegin) == Standing::kUnknown);
  CHECK(quarantine.standing(hash_of("1"), kBegin) == Standing::kSuspect);
  CHECK(quarantine.standing(hash_of(std::to_string(Quarantine::kMost)), kBegin) == Standing::kSuspect);
}

TEST_CASE("Quarantine: only bodies with the length of a known body need a hash", "[app][unit]") {
  Quarantine quarantine;
  CHECK_FALSE(quarantine.knows_length(5));
  quarantine.strike(hash_of("short"), 5, kBegin);
  quarantine.suspect(hash_of("longer"), 6, kBegin);
  CHECK(quarantine.knows_length(5));
  CHECK(quarantine.knows_length(6));
  CHECK_FALSE(quarantine.knows_length(7));
  SECTION("until no body of that length is known") {
    quarantine.acquit(hash_of("short"));
    CHECK_FALSE(quarantine.knows_length(5));
    CHECK(quarantine.knows_length(6));
  }
}

TEST_CASE("Quarantine: a reload forgets all bodies", "[app][unit]") {
  Quarantine quarantine;
  quarantine.strike(hash_of("a"), kLength, kBegin);
  quarantine.clear();
  CHECK(quarantine.size() == 0);
}

}  // namespace
}  // namespace yolod::app::schedule
