#include "app/api/call_exchange.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>

#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/model_bench.hpp"
#include "tests/unit/app/api/plain_handler.hpp"

namespace yolod::app::api {
namespace {

using namespace std::chrono_literals;
using Next = http::Exchange::Next;
using common::ErrorCode;

// This protocol sends one call to the model for each line of the body. Its answer joins the model's answers.
class LinesHandler final : public PlainHandler {
 public:
  explicit LinesHandler(const serving::Models& models) : PlainHandler(models) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, Plan& plan,
                                            http::Response& response) override {
    if (request.target.path() == "/static") {
      http::write_text(response, "text/plain", "static");
      plan.is_answered = true;
      return {};
    }
    if (auto begun = PlainHandler::begin(request, plan, response); !begun) return begun;
    if (!request.target.query().empty()) return common::Error{ErrorCode::kInvalidParameter, "no parameters here"};
    return {};
  }
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t, Calls& calls) override {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    const auto end = std::min(text.find('\n', at_), text.size());
    if (end == at_) return common::Error{ErrorCode::kBadRequest, "an empty line"};
    calls.push_back({body.subspan(at_, end - at_), {}});
    at_ = end + 1;
    return at_ >= text.size();
  }
  [[nodiscard]] bool render(const Result& result, http::Response& response) override {
    if (rendered_ == 0) {
      response.start(boost::beast::http::status::ok, "text/plain");
      response.body += result.model;
    }
    const auto& answer = std::get<common::IdentityAnswer>(result.answers[rendered_].prediction.value());
    response.body += " " + std::to_string(answer.bytes);
    return ++rendered_ == result.answers.size();
  }

 private:
  std::size_t at_{0};
  std::size_t rendered_{0};
};

// A handler that calls the model with three copies of the body.
class ThreefoldHandler final : public PlainHandler {
 public:
  ThreefoldHandler(const serving::Models& models, bool fails) : PlainHandler(models), fails_(fails) {}

  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t, Calls& calls) override {
    if (piece_bytes_ == 0) {
      piece_bytes_ = 3 * body.size();
      return false;
    }
    CHECK(body.size() == piece_bytes_);
    calls.push_back({body, {}});
    return true;
  }
  [[nodiscard]] std::uint64_t piece_bytes() const override { return piece_bytes_; }
  [[nodiscard]] common::Outcome<bool> fill(std::span<const std::byte> body, std::span<std::byte> piece,
                                           std::size_t) override {
    if (fails_) return common::Error{ErrorCode::kBadRequest, "cannot be copied"};
    std::memcpy(piece.data() + filled_ * body.size(), body.data(), body.size());
    return ++filled_ == 3;
  }
  [[nodiscard]] bool render(const Result& result, http::Response& response) override {
    const auto& answer = std::get<common::IdentityAnswer>(result.answers[0].prediction.value());
    http::write_text(response, "text/plain", std::to_string(answer.bytes));
    return true;
  }

 private:
  const bool fails_;
  std::uint64_t piece_bytes_{0};
  std::size_t filled_{0};
};

constexpr const char* kPost = "POST /lines HTTP/1.1\r\nHost: a\r\n";

class CallBench : public ModelBench {
 public:
  ExchangeDriver driver{io, std::make_unique<CallExchange>(context, std::make_unique<LinesHandler>(*this))};

  Next ready(Next next) {
    while (next == Next::kNextTurn) next = driver.exchange().proceed(driver.response);
    return next;
  }
  // Sends six calls. The worker has one at hand and one behind it; the other calls wait.
  void ask_six_one_by_one() {
    config.batch.max_size = 1;
    dispatcher.use(config);
    REQUIRE(driver.begin(kPost) == Next::kReadBody);
    REQUIRE(ready(driver.send("a\nb\nc\nd\ne\nf")) == Next::kWait);
    driver.wait();
  }
  [[nodiscard]] std::uint64_t arena_used() const { return arena.used_bytes(); }
};

TEST_CASE("CallExchange: one call is sent and answered", "[app][unit]") {
  CallBench bench;
  const auto used_before = bench.arena_used();
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  REQUIRE(bench.driver.send("seven b") == Next::kWait);
  bench.driver.wait();
  CHECK_FALSE(bench.driver.resumed);
  CHECK(bench.serve() == 1);
  bench.driver.finish_wait();
  CHECK(bench.driver.status() == 200);
  CHECK(bench.driver.body() == "echo 7");
  CHECK(bench.answers("echo", 200) == 1);
  CHECK(bench.arena_used() == used_before);
}

TEST_CASE("CallExchange: a handler may replace the body by a larger piece", "[app][unit]") {
  ModelBench bench;
  const bool fails = GENERATE(false, true);
  const auto used_before = bench.arena.used_bytes();
  ExchangeDriver driver(
      bench.io, std::make_unique<CallExchange>(bench.context, std::make_unique<ThreefoldHandler>(bench, fails)));
  REQUIRE(driver.begin("POST /predict HTTP/1.1\r\nHost: a\r\n") == Next::kReadBody);
  Next next = driver.send("abc");
  while (next == Next::kNextTurn) next = driver.exchange().proceed(driver.response);
  if (fails) {
    CHECK(next == Next::kRespond);
    CHECK(driver.status() == 400);
  } else {
    REQUIRE(next == Next::kWait);
    CHECK(bench.arena.uploading_bytes() == 0);
    driver.wait();
    CHECK(bench.serve() == 1);
    driver.finish_wait();
    CHECK(driver.body() == "9");
  }
  CHECK(bench.arena.used_bytes() == used_before);
}

TEST_CASE("CallExchange: a piece for which there is no room is 503", "[app][unit]") {
  ModelBench bench;
  const auto used_before = bench.arena.used_bytes();
  ExchangeDriver driver(
      bench.io, std::make_unique<CallExchange>(bench.context, std::make_unique<ThreefoldHandler>(bench, false)));
  REQUIRE(driver.begin("POST /predict HTTP/1.1\r\nHost: a\r\n") == Next::kReadBody);
  Next next = driver.send(std::string(ModelBench::kArenaBytes / 4, 'x'));
  while (next == Next::kNextTurn) next = driver.exchange().proceed(driver.response);
  CHECK(next == Next::kRespond);
  CHECK(driver.status() == 503);
  CHECK(bench.arena.used_bytes() == used_before);
}

TEST_CASE("CallExchange: several calls of one body are sent, and their answers are joined in order", "[app][unit]") {
  CallBench bench;
  const auto used_before = bench.arena_used();
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  REQUIRE(bench.ready(bench.driver.send("a\nbbbb\ncc\n")) == Next::kWait);
  bench.driver.wait();
  auto cells = bench.worker.take();
  CHECK(bench.worker.outstanding == cells.size());
  // The worker answers out of order. The body keeps its room until the last answer.
  std::vector<ipc::RequestCell> all(cells.begin(), cells.end());
  while (!all.empty()) {
    CHECK_FALSE(bench.driver.resumed);
    CHECK(bench.arena_used() > used_before);
    bench.worker.complete(all.back());
    all.pop_back();
    bench.dispatcher.worker_completions(bench.worker);
    bench.turn();
    for (const auto& cell : bench.worker.take()) all.push_back(cell);
  }
  bench.driver.finish_wait();
  CHECK(bench.driver.body() == "echo 1 4 2");
  CHECK(bench.driver.turns() == 2);
  CHECK(bench.answers("echo", 200) == 1);
  CHECK(bench.arena_used() == used_before);
}

TEST_CASE("CallExchange: a request with many calls takes a quarter of the queue at a time", "[app][unit]") {
  auto config = echo_config();
  config.queue.max_size = 12;
  config.batch.max_size = 2;
  ModelBench bench(config);
  const auto used_before = bench.arena.used_bytes();
  ExchangeDriver driver(bench.io, std::make_unique<CallExchange>(bench.context, std::make_unique<LinesHandler>(bench)));
  REQUIRE(driver.begin("POST /predict HTTP/1.1\r\nHost: a\r\n") == Next::kReadBody);
  Next next = driver.send("a\nbb\nccc\ndddd\neeeee\nffffff\n");
  while (next == Next::kNextTurn) next = driver.exchange().proceed(driver.response);
  REQUIRE(next == Next::kWait);
  driver.wait();
  CHECK(bench.dispatcher.unanswered_count() == 3);
  SECTION("all answers are joined in order") {
    while (!driver.resumed) {
      REQUIRE(bench.serve() != 0);
      CHECK(bench.dispatcher.unanswered_count() <= 3);
    }
    driver.finish_wait();
    CHECK(driver.body() == "echo 1 2 3 4 5 6");
  }
  SECTION("after a failure the others are not asked") {
    const auto cells = bench.worker.take();
    REQUIRE_FALSE(cells.empty());
    for (const auto& cell : cells) bench.worker.refuse(cell, ErrorCode::kInvalidImage);
    bench.dispatcher.worker_completions(bench.worker);
    bench.turn();
    while (!driver.resumed) REQUIRE(bench.serve() != 0);
    driver.finish_wait();
    CHECK(driver.status() == 400);
    CHECK(bench.dispatcher.unanswered_count() == 0);
  }
  SECTION("after the client has gone the others are not asked") {
    driver.exchange().client_is_gone();
    while (!driver.resumed) REQUIRE((bench.serve() != 0 || driver.resumed));
    driver.finish_wait();
    CHECK(driver.status() == 499);
    CHECK(bench.dispatcher.unanswered_count() == 0);
  }
  CHECK(bench.arena.used_bytes() == used_before);
}

TEST_CASE("CallExchange: the first failure of several calls is the answer", "[app][unit]") {
  CallBench bench;
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  REQUIRE(bench.ready(bench.driver.send("a\nbb")) == Next::kWait);
  bench.driver.wait();
  for (int round = 0; round < 2; ++round) {
    for (const auto& cell : bench.worker.take()) {
      if (cell.content_bytes == 2) {
        bench.worker.refuse(cell, ErrorCode::kInvalidImage);
      } else {
        bench.worker.complete(cell);
      }
    }
    bench.dispatcher.worker_completions(bench.worker);
    bench.turn();
  }
  bench.driver.finish_wait();
  CHECK(bench.driver.status() == 400);
  CHECK(bench.answers("echo", 400) == 1);
}

TEST_CASE("CallExchange: a request whose head decides the answer reads no body", "[app][unit]") {
  CallBench bench;
  SECTION("the handler answers from the head") {
    bench.driver.finish(bench.driver.begin("GET /static HTTP/1.1\r\nHost: a\r\n"));
    CHECK(bench.driver.body() == "static");
    CHECK(bench.answers("", 200) == 0);
  }
  SECTION("the model does not exist") {
    bench.is_there = false;
    bench.driver.finish(bench.driver.begin(kPost));
    CHECK(bench.driver.status() == 404);
    CHECK(bench.answers("", 404) == 1);
  }
  SECTION("the handler refuses the request, and the model counts the refusal") {
    bench.driver.finish(bench.driver.begin("POST /lines?a=b HTTP/1.1\r\nHost: a\r\n"));
    CHECK(bench.driver.status() == 400);
    CHECK(bench.answers("echo", 400) == 1);
  }
  SECTION("the model accepts no requests now") {
    bench.dispatcher.close({ErrorCode::kNotReady, "not now"});
    bench.driver.finish(bench.driver.begin(kPost));
    CHECK(bench.driver.status() == 503);
    CHECK(std::string(bench.driver.response.fields.view()).starts_with("Retry-After: "));
    CHECK(bench.answers("echo", 503) == 1);
  }
}

TEST_CASE("CallExchange: a body that the handler refuses frees its room", "[app][unit]") {
  CallBench bench;
  const auto used_before = bench.arena_used();
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  bench.driver.finish(bench.ready(bench.driver.send("a\n\nb")));
  CHECK(bench.driver.status() == 400);
  CHECK(bench.arena_used() == used_before);
}

TEST_CASE("CallExchange: a model that becomes ready while a body arrives serves that body", "[app][unit]") {
  CallBench bench;
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  bench.dispatcher.close({ErrorCode::kNotReady, "retired"});
  const auto check_is_served_by = [&bench](ModelBench& again) {
    bench.driver.wait();
    again.turn();
    CHECK(again.serve() == 1);
    again.turn();
    bench.driver.finish_wait();
    CHECK(bench.driver.body() == "echo 3");
  };
  SECTION("the model becomes ready") {
    ModelBench again;
    bench.model = again.model;
    REQUIRE(bench.driver.send("abc") == Next::kWait);
    check_is_served_by(again);
  }
  SECTION("the model becomes ready after the body has come, before the exchange waits for the answer") {
    REQUIRE(bench.driver.send("abc") == Next::kWait);
    ModelBench again;
    bench.model = again.model;
    check_is_served_by(again);
  }
  SECTION("the model does not become ready") {
    bench.is_there = false;
    REQUIRE(bench.driver.send("abc") == Next::kWait);
    bench.driver.wait();
    bench.driver.finish_wait();
    CHECK(bench.driver.status() == 503);
  }
}

TEST_CASE("CallExchange: the limits of the body follow the config and the arena", "[app][unit]") {
  CallBench bench;
  bench.server.max_body_bytes = 1000;
  CHECK(bench.driver.exchange().body_rule().limit_bytes == 1000);
  bench.server.max_body_bytes = 1ULL << 40U;
  CHECK(bench.driver.exchange().body_rule().limit_bytes == bench.arena.largest_body_bytes());
  CHECK(bench.driver.exchange().body_rule().first_room_bytes == 64 * 1024);
}

TEST_CASE("CallExchange: a wait for room ends with room, or with the reason why there is none", "[app][unit]") {
  CallBench bench;
  bench.config.queue.timeout = 30ms;
  // These uploads hold all the room that uploads may hold.
  const auto share = bench.arena.upload_share_bytes();
  auto held = bench.arena.allocate(share);
  REQUIRE(held);
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  CHECK_FALSE(bench.driver.exchange().try_room(1000));
  const auto wait = [&] {
    bench.driver.await_room(1000);
    const auto end = common::Clock::now() + 2s;
    while (!bench.driver.room_came && common::Clock::now() < end) {
      bench.io.restart();
      bench.io.run_one_for(10ms);
    }
    REQUIRE(bench.driver.room_came);
  };
  SECTION("an upload frees its room") {
    bench.config.queue.timeout = 5s;
    bench.driver.await_room(1000);
    CHECK_FALSE(bench.driver.room_came);
    held.reset();
    bench.turn();
    REQUIRE(bench.driver.room_came);
    CHECK(bench.driver.room_came->ok());
    CHECK(bench.driver.exchange().room().size() >= 1000);
    bench.driver.exchange().drop_room();
    CHECK(bench.driver.exchange().room().empty());
  }
  SECTION("no upload frees its room in time") {
    wait();
    CHECK(bench.driver.room_came->error().code == ErrorCode::kQueueFull);
  }
  SECTION("the server stops during the wait") {
    bench.drains = true;
    wait();
    CHECK(bench.driver.room_came->error().code == ErrorCode::kShuttingDown);
  }
  SECTION("the client disconnects") {
    bench.config.queue.timeout = 5s;
    bench.driver.await_room(1000);
    bench.driver.exchange().client_is_gone();
    bench.turn();
    REQUIRE(bench.driver.room_came);
    CHECK_FALSE(bench.driver.room_came->ok());
  }
}

TEST_CASE("CallExchange: a body that outgrows its room keeps the bytes that have arrived", "[app][unit]") {
  CallBench bench;
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  REQUIRE(bench.driver.exchange().try_room(4));
  std::memcpy(bench.driver.exchange().room().data(), "abcd", 4);
  bench.driver.await_room(100, 4);
  REQUIRE(bench.driver.room_came);
  REQUIRE(bench.driver.room_came->ok());
  CHECK(std::memcmp(bench.driver.exchange().room().data(), "abcd", 4) == 0);
  std::memcpy(bench.driver.exchange().room().data() + 4, "efgh", 4);
  REQUIRE(bench.driver.exchange().body_came(8, bench.driver.response) == Next::kWait);
  bench.driver.wait();
  CHECK(bench.serve() == 1);
  bench.driver.finish_wait();
  CHECK(bench.driver.body() == "echo 8");
}

TEST_CASE("CallExchange: after its client has disconnected, the calls that no worker has are cancelled",
          "[app][unit]") {
  CallBench bench;
  bench.ask_six_one_by_one();
  bench.driver.exchange().client_is_gone();
  bench.turn();
  CHECK_FALSE(bench.driver.resumed);  // until the worker has finished its batches
  std::size_t served = 0;
  for (int round = 0; round < 6 && !bench.driver.resumed; ++round) served += bench.serve();
  CHECK(served < 6);
  bench.driver.finish_wait();
  CHECK(bench.driver.status() == 499);
}

TEST_CASE("CallExchange: a request with too many calls is refused, and its room is freed", "[app][unit]") {
  CallBench bench;
  const auto used_before = bench.arena_used();
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  std::string lines;
  for (std::size_t i = 0; i <= kMostCalls; ++i) lines += "a\n";
  bench.driver.finish(bench.ready(bench.driver.send(lines)));
  CHECK(bench.driver.status() == 400);
  CHECK(bench.driver.body().find("1 to 64 inputs") != std::string::npos);
  CHECK(bench.arena_used() == used_before);
}

TEST_CASE("CallExchange: after the first failure the calls that no worker has are cancelled", "[app][unit]") {
  CallBench bench;
  bench.ask_six_one_by_one();
  std::size_t given = 0;
  for (int round = 0; round < 6 && !bench.driver.resumed; ++round) {
    for (const auto& cell : bench.worker.take()) {
      ++given;
      bench.worker.refuse(cell, ErrorCode::kInvalidImage);
    }
    bench.dispatcher.worker_completions(bench.worker);
    for (int i = 0; i < 3; ++i) bench.turn();
  }
  CHECK(given < 6);
  bench.driver.finish_wait();
  CHECK(bench.driver.status() == 400);  // the first failure, not the cancellation of the other calls
}

TEST_CASE("CallExchange: no call is cancelled before or after the wait", "[app][unit]") {
  CallBench bench;
  REQUIRE(bench.driver.begin(kPost) == Next::kReadBody);
  bench.driver.exchange().client_is_gone();
  REQUIRE(bench.driver.send("abc") == Next::kWait);
  bench.driver.wait();
  CHECK(bench.serve() == 1);
  bench.driver.finish_wait();
  bench.driver.exchange().client_is_gone();
  CHECK(bench.driver.body() == "echo 3");
}

}  // namespace
}  // namespace yolod::app::api
