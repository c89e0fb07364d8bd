#include "app/schedule/body_hashing.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace yolod::app::schedule {
namespace {

struct Hashing {
  Hashing() : arena(make_arena()) {}

  static ipc::InputArena make_arena() {
    auto made = ipc::InputArena::create(16U << 20U);
    REQUIRE(made);
    return std::move(made).value();
  }

  std::unique_ptr<Request> request(std::uint64_t id, const std::string& body) {
    auto made = std::make_unique<Request>();
    auto block = arena.allocate(std::max<std::size_t>(body.size(), 1));
    REQUIRE(block);
    block->end_upload();
    std::memcpy(block->bytes().data(), body.data(), body.size());
    made->job.id = id;
    made->job.content_offset = block->offset();
    made->job.content = block->bytes().first(body.size());
    made->job.block = std::move(*block);
    return made;
  }

  ipc::InputArena arena;
  boost::asio::io_context io;
  std::vector<std::unique_ptr<Request>> done;
  std::optional<BodyHashing> hashing{std::in_place, io,
                                     [this](std::unique_ptr<Request> request) { done.push_back(std::move(request)); }};
};

TEST_CASE("BodyHashing: each body gets its SHA-256, in order, in a later turn", "[app][unit]") {
  Hashing test;
  test.hashing->add(test.request(1, "abc"));
  test.hashing->add(test.request(2, ""));
  CHECK(test.done.empty());
  test.io.run();
  REQUIRE(test.done.size() == 2);
  // FIPS 180-2, appendix B.1, gives this hash.
  CHECK(test.done[0]->id() == 1);
  CHECK(short_text(test.done[0]->hash.value()) == "ba7816bf8f01cfea");
  CHECK(test.done[1]->id() == 2);
  CHECK(short_text(test.done[1]->hash.value()) == "e3b0c44298fc1c14");
}

TEST_CASE("BodyHashing: a long body takes a turn for each piece, and other work has turns between them",
          "[app][unit]") {
  Hashing test;
  const auto pieces = GENERATE(1, 3);
  const auto more = GENERATE(0, 1);
  std::string body(static_cast<std::size_t>(pieces) * BodyHashing::kBytesPerTurn + static_cast<std::size_t>(more),
                   '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i % 251);
  test.hashing->add(test.request(1, body));
  std::size_t turns = 0;
  while (test.done.empty() && test.io.poll_one() == 1) ++turns;
  CHECK(turns == static_cast<std::size_t>(pieces + more));
  REQUIRE(test.done.size() == 1);
  BodyHasher whole;
  whole.add(std::as_bytes(std::span(body)));
  CHECK(test.done[0]->hash == whole.finish());
}

TEST_CASE("BodyHashing: a body that arrives while another is hashed waits", "[app][unit]") {
  Hashing test;
  test.hashing->add(test.request(1, std::string(2 * BodyHashing::kBytesPerTurn, 'x')));
  CHECK(test.io.poll_one() == 1);
  test.hashing->add(test.request(2, "abc"));
  std::vector<std::uint64_t> there;
  test.hashing->for_each([&](const Request& request) { there.push_back(request.id()); });
  CHECK(there == std::vector<std::uint64_t>{1, 2});
  test.io.run();
  REQUIRE(test.done.size() == 2);
  CHECK(test.done[0]->id() == 1);
  CHECK(short_text(test.done[1]->hash.value()) == "ba7816bf8f01cfea");
}

TEST_CASE("BodyHashing: no handler runs after the object is gone", "[app][unit]") {
  Hashing test;
  const auto unused = test.arena.used_bytes();
  test.hashing->add(test.request(1, "abc"));
  CHECK(test.arena.used_bytes() > unused);
  test.hashing.reset();
  test.io.run();
  CHECK(test.done.empty());
  CHECK(test.arena.used_bytes() == unused);
}

}  // namespace
}  // namespace yolod::app::schedule
