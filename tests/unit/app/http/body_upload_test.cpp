#include "app/http/body_upload.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

namespace yolod::app::http {
namespace {

using namespace std::chrono_literals;
using State = BodyUpload::State;
using common::Clock;

RequestHead sized(std::uint64_t bytes) {
  RequestHead head;
  head.content_length = bytes;
  return head;
}

RequestHead chunked() {
  RequestHead head;
  head.chunked = true;
  return head;
}

void append(boost::beast::flat_buffer& buffer, std::string_view text) {
  const auto place = buffer.prepare(text.size());
  std::memcpy(place.data(), text.data(), text.size());
  buffer.commit(text.size());
}

TEST_CASE("BodyUpload: a sized body needs its length as room, and no more of the buffer", "[app][unit]") {
  BodyUpload upload;
  REQUIRE(upload.begin(sized(5), {100, 10}) == State::kRoom);
  CHECK(upload.room_bytes() == 5);
  std::vector<std::byte> room(5);
  boost::beast::flat_buffer buffer;
  append(buffer, "ab");
  REQUIRE(upload.use_room(room, buffer) == State::kContent);
  CHECK(upload.place(100).size() == 3);
  CHECK(upload.place(2).size() == 2);
  CHECK(upload.place(2).data() == room.data() + 2);
  append(buffer, "cdeNEXT");
  REQUIRE(upload.take(buffer) == State::kComplete);
  CHECK(upload.received_bytes() == 5);
  CHECK(buffer.size() == 4);
  CHECK(std::memcmp(room.data(), "abcde", 5) == 0);
}

TEST_CASE("BodyUpload: the buffer keeps no byte of a secret body", "[app][unit]") {
  const bool is_chunked = GENERATE(false, true);
  const std::string body = is_chunked ? "6\r\nsecret\r\n0\r\n\r\n" : "secret";
  BodyUpload upload;
  REQUIRE(upload.begin(is_chunked ? chunked() : sized(6), {100, 100, true}) == State::kRoom);
  std::vector<std::byte> room(upload.room_bytes());
  boost::beast::flat_buffer buffer;
  append(buffer, body + "NEXT");
  const auto* const begin = static_cast<const char*>(buffer.data().data());
  REQUIRE(upload.use_room(room, buffer) == State::kComplete);
  CHECK(std::memcmp(room.data(), "secret", 6) == 0);
  // The buffer has not moved its memory.
  CHECK(std::string(begin, body.size()) == std::string(body.size(), '\0'));
  CHECK(std::string(begin + body.size(), 4) == "NEXT");
}

TEST_CASE("BodyUpload: bytes that are read straight into the room count", "[app][unit]") {
  BodyUpload upload;
  REQUIRE(upload.begin(sized(5), {100, 10}) == State::kRoom);
  std::vector<std::byte> room(5);
  boost::beast::flat_buffer buffer;
  REQUIRE(upload.use_room(room, buffer) == State::kContent);
  CHECK(upload.content_came(4) == State::kContent);
  CHECK(upload.content_came(1) == State::kComplete);
}

TEST_CASE("BodyUpload: the limits apply to sized and to chunked bodies", "[app][unit]") {
  BodyUpload upload;
  CHECK(upload.begin(sized(0), {100, 10}) == State::kRefused);
  CHECK(upload.error().message == "the request has no body");
  CHECK(upload.begin(sized(101), {100, 10}) == State::kRefused);
  CHECK(upload.error().code == common::ErrorCode::kBodyTooLarge);
  CHECK(upload.begin(sized(100), {100, 10}) == State::kRoom);
  CHECK(upload.begin(chunked(), {100, 10}) == State::kRoom);
  CHECK(upload.room_bytes() == 10);
  CHECK(upload.is_chunked());
  CHECK(upload.begin(chunked(), {100, 1000}) == State::kRoom);
  CHECK(upload.room_bytes() == 100);
}

TEST_CASE("BodyUpload: a chunked body asks for all the room that it may need once its first room is full",
          "[app][unit]") {
  BodyUpload upload;
  REQUIRE(upload.begin(chunked(), {100, 4}) == State::kRoom);
  std::vector<std::byte> room(4);
  boost::beast::flat_buffer buffer;
  append(buffer, "6\r\nabcdef\r\n0\r\n\r\nNEXT");
  REQUIRE(upload.use_room(room, buffer) == State::kMoreRoom);
  CHECK(upload.room_bytes() == 100);
  std::vector<std::byte> larger(100);
  std::memcpy(larger.data(), room.data(), 4);
  REQUIRE(upload.use_room(larger, buffer) == State::kComplete);
  CHECK(upload.received_bytes() == 6);
  CHECK(std::memcmp(larger.data(), "abcdef", 6) == 0);
  CHECK(buffer.size() == 4);
}

TEST_CASE("BodyUpload: a large chunk is read straight into the room, a small chunk through the buffer", "[app][unit]") {
  BodyUpload upload;
  REQUIRE(upload.begin(chunked(), {1U << 20U, 1U << 20U}) == State::kRoom);
  std::vector<std::byte> room(1U << 20U);
  boost::beast::flat_buffer buffer;
  append(buffer, "5000\r\nab");
  REQUIRE(upload.use_room(room, buffer) == State::kContent);
  CHECK(upload.place(1U << 20U).size() == 0x5000 - 2);
  CHECK(upload.content_came(0x5000 - 3) ==
        State::kFraming);  // the small rest of the chunk arrives with the next chunk size
  append(buffer, "c\r\n2\r\n");
  CHECK(upload.take(buffer) == State::kFraming);
  append(buffer, "de\r\n0\r\n\r\n");
  CHECK(upload.take(buffer) == State::kComplete);
  CHECK(upload.received_bytes() == 0x5002);
}

// A sized body that has its room and has received no bytes yet.
struct SizedUpload : BodyUpload {
  explicit SizedUpload(std::uint64_t bytes) : room(bytes) {
    REQUIRE(begin(sized(bytes), {bytes, 10}) == State::kRoom);
    boost::beast::flat_buffer nothing;
    REQUIRE(use_room(room, nothing) == State::kContent);
  }
  std::vector<std::byte> room;
  const Clock::time_point began{1h};  // the time that passed on the test's clock
};

TEST_CASE("BodyUpload: a body is late after body_timeout, and earlier when it is far behind its pace", "[app][unit]") {
  SizedUpload upload(1'000'000);
  const auto began = upload.began;
  CHECK_FALSE(upload.is_late(30s, began + 1h));  // the body's clock does not run
  upload.start_clock(began);
  CHECK(upload.is_timed());
  CHECK_FALSE(upload.is_late(30s, began + 1900ms));
  REQUIRE(upload.content_came(999'999) == State::kContent);
  CHECK_FALSE(upload.is_late(30s, began + 29s));
  CHECK(upload.is_late(30s, began + 30s));
  upload.stop_clock();
  CHECK_FALSE(upload.is_late(30s, began + 31s));
}

TEST_CASE("BodyUpload: a pause does not count against the body", "[app][unit]") {
  SizedUpload upload(100);
  const auto began = upload.began;
  upload.start_clock(began);
  upload.pause(began + 1s);
  CHECK_FALSE(upload.is_late(3s, began + 1h));
  upload.resume(began + 1h);
  CHECK_FALSE(upload.is_late(3s, began + 1h + 900ms));
  CHECK(upload.is_late(3s, began + 1h + 2s));
}

TEST_CASE("BodyUpload: the cost of a slow body is its room times the time that it still needs", "[app][unit]") {
  SizedUpload upload(1'000'000);
  const auto began = upload.began;
  CHECK_FALSE(upload.cost(30s, began));  // the server reads nothing
  upload.start_clock(began);
  CHECK_FALSE(upload.cost(30s, began + 100ms));  // the body has just begun
  (void)upload.content_came(1000);
  (void)upload.is_late(30s, began + 1s);
  const auto cost = upload.cost(30s, began + 1s);
  REQUIRE(cost);
  CHECK(cost->held_bytes == 1'000'000);
  CHECK(cost->cost > 1e6);
  upload.evict(30s, began + 1s);
  CHECK_FALSE(upload.was_evicted());  // the body was behind the pace, so its client is to blame
  (void)upload.content_came(500'000);
  upload.evict(30s, began + 1s);
  CHECK(upload.was_evicted());
}

}  // namespace
}  // namespace yolod::app::http
