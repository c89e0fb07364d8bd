#include "app/serving/body_room.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "common/awake_clock.hpp"

namespace yolod::app::serving {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::chrono::milliseconds kPatient{60'000};
constexpr std::uint64_t kArenaBytes = 1U << 20U;

// The sessions of a test. Each waits for room and keeps its block until the test releases the block.
struct Gate {
  Gate() : arena(make_arena()), gate(io, arena) {}

  static ipc::InputArena make_arena() {
    auto made = ipc::InputArena::create(kArenaBytes);
    REQUIRE(made);
    return std::move(made).value();
  }

  struct Session {
    bool done{false};
    std::optional<ipc::ArenaBlock> block;
  };

  // Starts a session and runs it until it waits or ends.
  Session& reserve(std::uint64_t bytes, std::chrono::milliseconds patience = kPatient) {
    auto& session = *sessions.emplace_back(std::make_unique<Session>());
    const auto number = sessions.size() - 1;
    asio::co_spawn(
        io,
        [this, &session, number, bytes, patience]() -> asio::awaitable<void> {
          auto block = co_await gate.reserve(bytes, patience);
          if (block) block->end_upload();
          session.block = std::move(block);
          session.done = true;
          finished.push_back(number);
        },
        asio::detached);
    settle();
    return session;
  }
  // Runs everything that can happen now.
  void settle() {
    io.restart();
    io.poll();
  }
  // Runs until `session` has ended. Returns false if it has not within a minute.
  bool wait_for(const Session& session) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    io.restart();
    while (!session.done && std::chrono::steady_clock::now() < end) {
      if (io.run_one_until(end) == 0) break;
    }
    return session.done;
  }
  // Starts sessions that take all the room for bodies of `bytes`.
  std::vector<Session*> fill(std::uint64_t bytes) {
    std::vector<Session*> holders;
    for (;;) {
      auto& session = reserve(bytes, 0ms);
      if (!wait_for(session) || !session.block) break;
      holders.push_back(&session);
    }
    finished.clear();
    return holders;
  }

  asio::io_context io{1};
  ipc::InputArena arena;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::size_t> finished;  // the sessions, in the order in which they ended
  BodyRoom gate;
};

TEST_CASE("BodyRoom: with room a session gets its block at once", "[app][unit]") {
  Gate gate;
  const auto& session = gate.reserve(1000);
  REQUIRE(session.done);
  REQUIRE(session.block);
  CHECK(session.block->bytes().size() == 1000);
}

TEST_CASE("BodyRoom: without room a session waits, and is served when a block is freed", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  auto& waiting = gate.reserve(100'000);
  CHECK_FALSE(waiting.done);
  holders[0]->block.reset();
  CHECK_FALSE(waiting.done);  // not inside the release
  gate.settle();
  REQUIRE(waiting.done);
  CHECK(waiting.block);
}

TEST_CASE("BodyRoom: an upload that ends makes room as well", "[app][unit]") {
  Gate gate;
  auto uploading = gate.arena.allocate(gate.arena.largest_body_bytes());
  REQUIRE(uploading);
  auto& waiting = gate.reserve(10'000);
  CHECK_FALSE(waiting.done);
  uploading->end_upload();
  gate.settle();
  REQUIRE(waiting.done);
  CHECK(waiting.block);
}

TEST_CASE("BodyRoom: waiting sessions are served in the order in which they came", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  std::vector<Gate::Session*> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(&gate.reserve(100'000));
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    holders[i]->block.reset();
    gate.settle();
    for (std::size_t k = 0; k < waiting.size(); ++k) CHECK(waiting[k]->done == (k <= i));
  }
}

TEST_CASE("BodyRoom: room for several sessions serves several at once, in order", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  const auto first = gate.sessions.size();
  for (int i = 0; i < 4; ++i) (void)gate.reserve(100'000);
  for (int i = 0; i < 3; ++i) holders[static_cast<std::size_t>(i)]->block.reset();
  gate.settle();
  CHECK(gate.finished == std::vector<std::size_t>{first, first + 1, first + 2});
}

TEST_CASE("BodyRoom: small bodies pass a large body that waits", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  auto& large = gate.reserve(180'000);
  holders[0]->block.reset();
  gate.settle();
  CHECK_FALSE(large.done);
  CHECK(gate.reserve(10).block);
  auto& waiting = gate.reserve(180'000);
  CHECK_FALSE(waiting.done);
  CHECK(gate.reserve(10'000).block);
}

TEST_CASE("BodyRoom: a small body passes the waiting bodies before it", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  auto& large = gate.reserve(180'000);
  auto& small = gate.reserve(90'000);
  CHECK_FALSE(small.done);
  holders[0]->block.reset();
  gate.settle();
  CHECK_FALSE(large.done);
  CHECK(small.block);
}

TEST_CASE("BodyRoom: unfinished large bodies leave room for smaller ones", "[app][unit]") {
  Gate gate;
  std::vector<ipc::ArenaBlock> uploading;
  while (auto block = gate.gate.try_reserve(60'000)) uploading.push_back(std::move(*block));
  CHECK(uploading.size() == 7);  // of the 524,000 that they may have
  CHECK(gate.gate.try_reserve(30'000));
  CHECK_FALSE(gate.gate.try_reserve(60'000));
  CHECK(gate.gate.try_reserve(10'000));
}

TEST_CASE("BodyRoom: a waiting body is passed no more after much room was given to others", "[app][unit]") {
  Gate gate;
  auto uploading = gate.arena.allocate(400'000);
  REQUIRE(uploading);
  auto& large = gate.reserve(200'000);
  CHECK_FALSE(large.done);
  // This gives away twice the share, ten kilobytes at a time.
  int passed = 0;
  for (; passed < 1000; ++passed) {
    if (!gate.gate.try_reserve(10'000)) break;
  }
  CHECK(passed == 105);
  auto& small = gate.reserve(10);
  CHECK_FALSE(small.done);
  uploading.reset();
  gate.settle();
  CHECK(large.block);
  CHECK(small.block);
}

TEST_CASE("BodyRoom: the room that the first waiter lacks, and the room that one eviction must free", "[app][unit]") {
  Gate gate;
  CHECK(gate.gate.shortage(common::AwakeClock::now()).first_bytes == 0);
  auto uploading = gate.arena.allocate(500'000);
  REQUIRE(uploading);
  (void)gate.reserve(200'000);
  (void)gate.reserve(20'000);
  const auto now = common::AwakeClock::now();
  CHECK(gate.gate.shortage(now).first_bytes == 0);  // not yet
  const auto later = gate.gate.shortage(now + 1s);
  // The share is half of the MiB, less the arena's header.
  const auto free = gate.arena.upload_share_bytes() - 500'000;
  CHECK(later.first_bytes == 200'000 + gate.arena.upload_share_bytes() / 8 - free);
  CHECK(later.least_bytes == 40'000 - free);
  uploading.reset();
  gate.settle();
  CHECK(gate.gate.shortage(now + 1s).first_bytes == 0);
}

TEST_CASE("BodyRoom: a session without room ends with nothing after its patience", "[app][unit]") {
  const auto patience = GENERATE(-1ms, 0ms, 20ms);
  Gate gate;
  const auto holders = gate.fill(100'000);
  const auto began = std::chrono::steady_clock::now();
  auto& session = gate.reserve(100'000, patience);
  REQUIRE(gate.wait_for(session));
  CHECK_FALSE(session.block);
  CHECK(std::chrono::steady_clock::now() - began >= patience);
}

TEST_CASE("BodyRoom: a body that can never fit gets nothing after its patience", "[app][unit]") {
  Gate gate;
  auto& session = gate.reserve(kArenaBytes, 10ms);
  REQUIRE(gate.wait_for(session));
  CHECK_FALSE(session.block);
}

TEST_CASE("BodyRoom: a session that gave up takes no room, and the next session has its turn", "[app][unit]") {
  Gate gate;
  auto holders = gate.fill(100'000);
  auto& impatient = gate.reserve(100'000, 10ms);
  auto& patient = gate.reserve(100'000);
  REQUIRE(gate.wait_for(impatient));
  CHECK_FALSE(impatient.block);
  CHECK_FALSE(patient.done);
  holders[0]->block.reset();
  gate.settle();
  CHECK(patient.block);
}

TEST_CASE("BodyRoom: refuse_all ends every wait at once, and every later wait", "[app][unit]") {
  Gate gate;
  const auto holders = gate.fill(100'000);
  const auto& first = gate.reserve(100'000);
  const auto& second = gate.reserve(100'000);
  gate.gate.refuse_all();
  gate.settle();
  CHECK(first.done);
  CHECK_FALSE(first.block);
  CHECK(second.done);
  CHECK_FALSE(second.block);
  const auto& later = gate.reserve(10);
  CHECK(later.done);
  CHECK_FALSE(later.block);
}

TEST_CASE("BodyRoom: refuse_all leaves the blocks that sessions already have", "[app][unit]") {
  Gate gate;
  const auto& session = gate.reserve(1000);
  gate.gate.refuse_all();
  gate.settle();
  REQUIRE(session.block);
  CHECK(session.block->bytes().size() == 1000);
}

TEST_CASE("BodyRoom: all room is free again after all sessions have ended", "[app][unit]") {
  Gate gate;
  const auto empty = gate.arena.used_bytes();
  {
    auto holders = gate.fill(100'000);
    for (int i = 0; i < 5; ++i) (void)gate.reserve(100'000);
  }
  while (std::any_of(gate.sessions.begin(), gate.sessions.end(),
                     [](const auto& session) { return session->block.has_value(); })) {
    for (auto& session : gate.sessions) session->block.reset();
    gate.settle();
  }
  CHECK(gate.arena.used_bytes() == empty);
  CHECK(gate.arena.uploading_bytes() == 0);
}

TEST_CASE("BodyRoom: after its end the arena notifies no listener of room", "[app][unit]") {
  auto arena = Gate::make_arena();
  auto block = arena.allocate(1000);
  {
    asio::io_context io;
    const BodyRoom gate(io, arena);
  }
  block.reset();
  CHECK(arena.uploading_bytes() == 0);
}

}  // namespace
}  // namespace yolod::app::serving
