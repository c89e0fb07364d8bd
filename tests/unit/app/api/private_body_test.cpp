// Tests bodies with an API key: which memory they are in, and when the key is checked.
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/access/late_check.hpp"
#include "app/accounts/protocol/digest.hpp"
#include "app/api/call_exchange.hpp"
#include "app/api/private_room.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/model_bench.hpp"
#include "tests/unit/app/api/plain_handler.hpp"

namespace yolod::app::api::private_body_test {
namespace {

using Next = http::Exchange::Next;
using common::ErrorCode;

// The body has a key in its first line. The rest is the content of the call, or an error if it is empty.
class KeyedHandler final : public PlainHandler {
 public:
  KeyedHandler(const serving::Models& models, bool fails_at_begin) : PlainHandler(models), fails_(fails_at_begin) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, Plan& plan,
                                            http::Response& response) override {
    may_have_key_ = request.head.content_type != "text/none";
    if (fails_) return common::Error{ErrorCode::kUnknownModel, "no such model"};
    return PlainHandler::begin(request, plan, response);
  }
  [[nodiscard]] bool may_have_key() const override { return may_have_key_; }
  [[nodiscard]] std::string_view body_key() const override { return key_; }
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t, Calls& calls) override {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    key_ = text.substr(0, text.find('\n'));
    if (key_.size() + 1 >= text.size()) return common::Error{ErrorCode::kBadRequest, "no content"};
    calls.push_back({body.subspan(key_.size() + 1), {}});
    return true;
  }

 private:
  const bool fails_;
  bool may_have_key_{false};
  std::string_view key_;
};

const std::string kKey = "right-key-of-the-body";

class PrivateBench : public ModelBench {
 public:
  explicit PrivateBench(bool fails_at_begin = false) : gate(access_config()), fails_at_begin_(fails_at_begin) {
    gate.door().use_file_keys({{"ci", accounts::protocol::digest_of(kKey)}});
  }
  static const common::AccessConfig& access_config() {
    static common::AccessConfig config;
    config.mode = common::AccessMode::kKeys;
    return config;
  }
  std::unique_ptr<ExchangeDriver> begin(const std::string& fields = "Content-Length: 9\r\n") {
    auto driver = std::make_unique<ExchangeDriver>(
        io, std::make_unique<CallExchange>(context, std::make_unique<KeyedHandler>(*this, fails_at_begin_)));
    driver->late_check = &check;
    next = driver->begin("POST /k HTTP/1.1\r\nHost: a\r\n" + fields);
    return driver;
  }
  void finish_body(ExchangeDriver& driver, const std::string& body) {
    next = driver.send(body);
    for (turns = 0; next == Next::kNextTurn; ++turns) next = driver.exchange().proceed(driver.response);
  }
  // Returns the bytes that workers can read.
  [[nodiscard]] std::string arena_text() const {
    const auto size = arena.capacity_bytes();
    void* const memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, arena.descriptor(), 0);
    REQUIRE(memory != MAP_FAILED);
    std::string text(static_cast<const char*>(memory), size);
    munmap(memory, size);
    return text;
  }

  access::Gate gate;
  access::Limits::Ticket ticket;
  access::LateCheck check{gate, ticket, {{}, {}, access::Need::kPredict, {}, 1}, {}, "id", true};
  Next next{Next::kRespond};
  int turns{0};

 private:
  const bool fails_at_begin_;
};

TEST_CASE("Private body: the content of the call reaches the arena, and the key does not", "[app][access][unit]") {
  PrivateBench bench;
  const auto used_before = bench.arena.used_bytes();
  const std::string content = GENERATE(std::string("short content"), std::string(700'000, 'c') + "end of the content");
  const auto driver = bench.begin();
  REQUIRE(bench.next == Next::kReadBody);
  CHECK(driver->exchange().body_rule().is_secret);
  bench.finish_body(*driver, kKey + "\n" + content);
  REQUIRE(bench.next == Next::kWait);
  CHECK((bench.turns > 1) == (content.size() > 500'000));
  CHECK(bench.body_room.unchecked().held_bytes() == 0);
  const auto arena = bench.arena_text();
  CHECK(arena.find(kKey) == std::string::npos);
  driver->wait();
  const auto cells = bench.worker.take();
  REQUIRE(cells.size() == 1);
  CHECK(arena.substr(cells[0].content_offset, cells[0].content_bytes) == content);
  bench.worker.complete(cells[0]);
  bench.dispatcher.worker_completions(bench.worker);
  bench.turn();
  driver->finish_wait();
  CHECK(driver->body() == "done");
  CHECK(bench.arena.used_bytes() == used_before);
}

TEST_CASE("Private body: a chunked body keeps its bytes when it grows", "[app][access][unit]") {
  PrivateBench bench;
  const auto driver = bench.begin("Transfer-Encoding: chunked\r\n");
  REQUIRE(bench.next == Next::kReadBody);
  auto& exchange = driver->exchange();
  REQUIRE(exchange.try_room(100));
  const std::string first = kKey + "\nabc";
  std::memcpy(exchange.room().data(), first.data(), first.size());
  driver->await_room(200'000, first.size());
  REQUIRE(driver->room_came);
  REQUIRE(driver->room_came->ok());
  CHECK(bench.body_room.unchecked().held_bytes() == 200'000);
  const std::string rest(150'000, 'd');
  std::memcpy(exchange.room().data() + first.size(), rest.data(), rest.size());
  bench.next = exchange.body_came(first.size() + rest.size(), driver->response);
  while (bench.next == Next::kNextTurn) bench.next = exchange.proceed(driver->response);
  REQUIRE(bench.next == Next::kWait);
  driver->wait();
  const auto cells = bench.worker.take();
  REQUIRE(cells.size() == 1);
  CHECK(bench.arena_text().substr(cells[0].content_offset, cells[0].content_bytes) == "abc" + rest);
  CHECK(bench.arena_text().find(kKey) == std::string::npos);
  bench.worker.complete(cells[0]);
  bench.dispatcher.worker_completions(bench.worker);
  bench.turn();
  driver->finish_wait();
  CHECK(driver->body() == "done");
}

TEST_CASE("Private body: a client without a right key gets 401 and nothing else", "[app][access][unit]") {
  const bool fails_at_begin = GENERATE(false, true);
  PrivateBench bench(fails_at_begin);
  const auto used_before = bench.arena.used_bytes();
  const auto is_refused = [&](ExchangeDriver& driver) {
    REQUIRE(bench.next == Next::kRespond);
    CHECK(driver.status() == 401);
    CHECK(std::string(driver.response.fields.view()).find("WWW-Authenticate: Bearer") != std::string::npos);
    CHECK(bench.worker.take().empty());
    CHECK(bench.arena.used_bytes() == used_before);
    CHECK(bench.body_room.unchecked().held_bytes() == 0);
  };
  SECTION("a wrong key") {
    const auto driver = bench.begin();
    bench.finish_body(*driver, "wrong\ncontent");
    is_refused(*driver);
  }
  SECTION("no key, in a body that is wrong as well") {
    const auto driver = bench.begin();
    bench.finish_body(*driver, "\n");
    is_refused(*driver);
  }
  SECTION("no body") {
    const auto driver = bench.begin("");
    is_refused(*driver);
  }
  SECTION("a body of a type that has no key") {
    const auto driver = bench.begin("Content-Length: 9\r\nContent-Type: text/none\r\n");
    is_refused(*driver);
  }
}

TEST_CASE("Private body: only a client with a right key learns why its request cannot be served",
          "[app][access][unit]") {
  PrivateBench bench(true);
  const auto driver = bench.begin();
  REQUIRE(bench.next == Next::kReadBody);
  bench.finish_body(*driver, kKey + "\ncontent");
  REQUIRE(bench.next == Next::kRespond);
  CHECK(driver->status() == 404);
}

TEST_CASE("Private body: bodies of a network whose keys are not checked share a part of the memory, and then wait",
          "[app][access][unit]") {
  PrivateBench bench;
  bench.server.max_body_bytes = 64 * 1024;
  std::vector<std::unique_ptr<ExchangeDriver>> uploads;
  const auto most = bench.arena.upload_share_bytes() / 8 / bench.server.max_body_bytes;
  for (std::uint64_t i = 0; i < most; ++i) {
    uploads.push_back(bench.begin());
    REQUIRE(uploads.back()->exchange().try_room(bench.server.max_body_bytes));
  }
  const auto driver = bench.begin();
  CHECK_FALSE(driver->exchange().try_room(bench.server.max_body_bytes));
  driver->await_room(bench.server.max_body_bytes);
  CHECK_FALSE(driver->room_came);
  SECTION("a client that leaves waits no longer") {
    driver->exchange().client_is_gone();
    driver->turn();
    REQUIRE(driver->room_came);
    CHECK(driver->room_came->error().code == ErrorCode::kQueueFull);
    return;
  }
  SECTION("an upload that is dropped makes room") { uploads.front()->exchange().drop_room(); }
  SECTION("a request that ends makes room") { uploads.pop_back(); }
  SECTION("a key that is checked makes room") {
    const std::string body = "wrong\n" + std::string(100, 'x');
    (void)uploads.front()->fill(body);
    CHECK(uploads.front()->status() == 401);
  }
  driver->turn();
  REQUIRE(driver->room_came);
  CHECK(driver->room_came->ok());
  CHECK(driver->exchange().room().size() >= bench.server.max_body_bytes);
}

TEST_CASE("Private body: with open access a request is judged at its head, and has all the memory for bodies",
          "[app][access][unit]") {
  const bool fails_at_begin = GENERATE(false, true);
  PrivateBench bench(fails_at_begin);
  common::Config open;
  bench.gate.take_over(open, false);
  bench.server.max_body_bytes = 64 * 1024;
  const auto driver = bench.begin();
  if (fails_at_begin) {
    CHECK(bench.next == Next::kRespond);
    CHECK(driver->status() == 404);
    return;
  }
  REQUIRE(driver->exchange().try_room(64 * 1024));
  CHECK(bench.body_room.unchecked().held_bytes() == 0);
  (void)driver->fill("wrong\ncontent");
  CHECK(bench.arena_text().find("content") != std::string::npos);
}

TEST_CASE("PrivateRoom: a part that is given back is zero, and a large room is freed in several turns", "[app][unit]") {
  auto room = PrivateRoom::allocate(20'000);
  REQUIRE(room);
  for (auto& byte : room->bytes()) byte = std::byte{7};
  room->give_back_before(9'000);
  CHECK(room->bytes()[0] == std::byte{0});
  CHECK(room->bytes()[9'000] == std::byte{7});
  PrivateRoom moved = *std::move(room);
  boost::asio::io_context io;
  auto large = PrivateRoom::allocate(9U << 20U);
  REQUIRE(large);
  for (std::size_t i = 0; i < large->bytes().size(); i += 4096) large->bytes()[i] = std::byte{7};
  PrivateRoom::free_in_turns(*std::move(large), io.get_executor());
  CHECK(io.run() == 4);  // 2 MiB are freed at once, and the last of them are in the fourth turn
  moved.give_back_before(100'000);
  CHECK(moved.bytes()[10'000] == std::byte{0});
}

}  // namespace
}  // namespace yolod::app::api::private_body_test
