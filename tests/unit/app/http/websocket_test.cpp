#include "app/http/websocket.hpp"

#include <deque>

#include "tests/support/websocket_frames.hpp"
#include "tests/unit/app/http/connection_bench.hpp"

namespace yolod::app::http {
namespace {
namespace websocket_cases {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using tests::binary_frame;
using tests::bytes_of;
using tests::close_code;
using tests::close_frame;
using tests::Frame;
using tests::take_frames;
using tests::text_frame;
using Next = Exchange::Next;

// A WebSocket whose binary messages are answered by `script`, and whose text messages are notes.
class SocketBench : public ConnectionBench {
 public:
  explicit SocketBench(std::size_t limit = 16, common::ServerConfig settings = {})
      : ConnectionBench(limit, std::move(settings)) {
    script.begin = [](const RequestView&, Response&) { return Next::kUpgrade; };
    script.converse = [this] { return std::make_unique<Talk>(*this); };
    messages.begin = [](const RequestView&, Response&) { return Next::kReadBody; };
    messages.body_came = [](std::string_view body, Response& response) {
      write_text(response, "text/plain", std::to_string(body.size()) + ":" + std::string(body.substr(0, 10)));
      return Next::kRespond;
    };
  }
  ~SocketBench() override {
    connections.close_all();
    turn();
  }

  // From now on a message is answered in two steps: the exchange waits, and answer() ends the wait.
  void answer_later() {
    messages.body_came = [this](std::string_view body, Response& response) {
      waiting.emplace_back(body);
      write_text(response, "text/plain", body);
      return Next::kWait;
    };
    messages.proceed = [](Response&) { return Next::kRespond; };
  }
  void answer() { std::exchange(messages.resume, {})(); }

  ExchangeScript messages{io};
  std::vector<std::string> waiting;  // the messages whose exchange has waited
  std::size_t most_unanswered{4};
  bool takes_binary{true};
  bool takes_text{false};  // as messages with an exchange
  std::vector<std::string> notes;

 private:
  class Talk final : public Conversation {
   public:
    explicit Talk(SocketBench& bench) : bench_(bench) {}
    [[nodiscard]] std::unique_ptr<Exchange> begin_message(Kind kind) override {
      const bool has_exchange = kind == Kind::kText ? bench_.takes_text : bench_.takes_binary;
      return has_exchange ? std::make_unique<ScriptedExchange>(bench_.messages) : nullptr;
    }
    void note_came(std::string_view text, Response& response) override {
      bench_.notes.emplace_back(text);
      if (text == "answer") write_text(response, "text/plain", "noted");
    }
    [[nodiscard]] std::size_t most_unanswered() const override { return bench_.most_unanswered; }

   private:
    SocketBench& bench_;
  };
};

// A client whose connection is a WebSocket.
class SocketClient : public ConnectionBench::Client {
 public:
  explicit SocketClient(SocketBench& bench) : Client(bench), bench_(bench) {
    send(tests::upgrade_request("/thing"));
    head = received();
    const auto end = head.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    received_ = head.substr(end + 4);
  }
  // Returns all frames that have come since the last call.
  std::vector<Frame> frames() {
    bench_.turn();
    received_ += received();
    return take_frames(received_);
  }
  // Returns the text of the only frame that has come.
  std::string text() {
    const auto came = frames();
    REQUIRE(came.size() == 1);
    CHECK(came[0].opcode == Frame::kText);
    CHECK(came[0].final);
    CHECK_FALSE(came[0].masked);
    return came[0].payload;
  }
  // Returns the code of the only frame that has come, which is a close frame.
  unsigned closed_with() {
    const auto came = frames();
    REQUIRE(came.size() == 1);
    REQUIRE(came[0].opcode == Frame::kClose);
    return close_code(came[0]);
  }

  std::string head;

 private:
  SocketBench& bench_;
  std::string received_;
};

TEST_CASE("WebSocket: the upgrade is answered with 101 and the hash of the key", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  CHECK_THAT(client.head, StartsWith("HTTP/1.1 101 ") && Contains(std::string(tests::kUpgradeAccept)) &&
                              Contains("X-Request-Id: ") && Contains("Upgrade: websocket\r\n"));
  CHECK_THAT(client.head, !Contains("Sec-WebSocket-Extensions"));
  CHECK(bench.script.statuses == std::vector{101});
}

TEST_CASE("WebSocket: frames that come together with the request are not lost", "[app][unit]") {
  SocketBench bench;
  ConnectionBench::Client client(bench);
  client.send(tests::upgrade_request("/thing") + binary_frame("abc") + binary_frame(std::string(5000, 'x')));
  std::string all = client.received();
  all.erase(0, all.find("\r\n\r\n") + 4);
  const auto frames = take_frames(all);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "3:abc");
  CHECK(frames[1].payload == "5000:xxxxxxxxxx");
}

TEST_CASE("WebSocket: each message is the body of an exchange, and the answers are text messages", "[app][unit]") {
  const std::size_t size = GENERATE(1, 125, 126, 511, 512, 513, 1535, 1536, 1537, 65'535, 65'536, 200'000, 1'000'000);
  CAPTURE(size);
  SocketBench bench;
  SocketClient client(bench);
  for (int i = 0; i < 2; ++i) {
    const std::string frame = binary_frame(std::string(size, 'a'));
    for (std::size_t at = 0; at < frame.size(); at += 50'000) client.send(frame.substr(at, 50'000));
    CHECK(client.text() == std::to_string(size) + ":" + std::string(std::min<std::size_t>(size, 10), 'a'));
  }
  CHECK(bench.messages.statuses == std::vector{200, 200});
}

TEST_CASE("WebSocket: a message that comes byte by byte is one message", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  for (const char byte : binary_frame("hello")) client.send({&byte, 1});
  CHECK(client.text() == "5:hello");
}

TEST_CASE("WebSocket: a message of several frames, with control frames between them, is one message", "[app][unit]") {
  SocketBench bench;
  bench.messages.rule = {1U << 20U, 64};
  SocketClient client(bench);
  client.send(bytes_of({.opcode = Frame::kBinary, .payload = std::string(100, 'a'), .final = false}));
  client.send(bytes_of({.opcode = Frame::kPing, .payload = "ping"}));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = "", .final = false}));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = std::string(300'000, 'b'), .final = false})
                  .substr(0, 100'000));
  const auto early = client.frames();
  REQUIRE(early.size() == 1);
  CHECK(early[0] == Frame{.opcode = Frame::kPong, .payload = "ping"});
  REQUIRE(bench.messages.give_room);  // the message has outgrown its first room
  bench.give_room_to(bench.messages);
  const std::string rest =
      bytes_of({.opcode = Frame::kContinuation, .payload = std::string(300'000, 'b'), .final = false});
  client.send(rest.substr(100'000, 100'000)).send(rest.substr(200'000));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = "c"}));
  CHECK(client.text() == "300101:aaaaaaaaaa");
}

TEST_CASE("WebSocket: the answers have the order of the messages", "[app][unit]") {
  SocketBench bench;
  std::deque<Exchange::Resume> resumes;
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("one"));
  resumes.push_back(std::move(bench.messages.resume));
  client.send(binary_frame("two"));
  resumes.push_back(std::move(bench.messages.resume));
  resumes.back()();
  CHECK(client.frames().empty());
  resumes.front()();
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "one");
  CHECK(frames[1].payload == "two");
}

TEST_CASE("WebSocket: with as many unanswered messages as allowed the server stops to read", "[app][unit]") {
  SocketBench bench;
  bench.most_unanswered = 1;
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("one")).send(binary_frame("two"));
  CHECK(bench.waiting.size() == 1);
  bench.answer();
  CHECK(client.text() == "one");
  CHECK(bench.waiting.size() == 2);
  bench.answer();
  CHECK(client.text() == "two");
}

TEST_CASE("WebSocket: an exchange may need several turns, and may send a file or nothing", "[app][unit]") {
  SocketBench bench;
  int turns = 0;
  bench.messages.body_came = [](std::string_view, Response&) { return Next::kNextTurn; };
  bench.messages.proceed = [&](Response& response) {
    if (++turns == 1) return Next::kWriteMore;
    if (turns == 2) {
      response.start(boost::beast::http::status::ok);
      return Next::kRespond;  // nothing
    }
    write_text(response, "text/plain", "facts");
    response.file.assign(3, std::byte{'f'});
    return Next::kRespond;
  };
  SocketClient client(bench);
  client.send(binary_frame("a"));
  CHECK(client.frames().empty());
  client.send(binary_frame("b"));
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] == Frame{.opcode = Frame::kText, .payload = "facts"});
  CHECK(frames[1] == Frame{.opcode = Frame::kBinary, .payload = "fff"});
  client.send(binary_frame("c"));
  CHECK(client.frames().size() == 2);
}

TEST_CASE("WebSocket: a text message is a note, whose answer keeps its place", "[app][unit]") {
  SocketBench bench;
  bench.answer_later();
  SocketClient client(bench);
  client.send(text_frame("")).send(text_frame("hello"));
  client.send(binary_frame("one")).send(text_frame("answer"));
  CHECK(client.frames().empty());
  bench.answer();
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "one");
  CHECK(frames[1].payload == "noted");
  CHECK(bench.notes == std::vector<std::string>{"", "hello", "answer"});
  client.send(bytes_of({.opcode = Frame::kText, .payload = std::string(3000, 'x'), .final = false}));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = std::string(1096, 'x')}));
  REQUIRE(bench.notes.size() == 4);
  CHECK(bench.notes.back().size() == 4096);
}

TEST_CASE("WebSocket: text may be a message with an exchange too, and binary may be refused", "[app][unit]") {
  SocketBench bench;
  bench.takes_text = true;
  bench.takes_binary = false;
  SocketClient client(bench);
  client.send(text_frame(std::string(20'000, 'x')));
  CHECK(client.text() == "20000:xxxxxxxxxx");
  client.send(binary_frame("a"));
  CHECK(client.closed_with() == 1003);
}

TEST_CASE("WebSocket: an error is an answer, and the WebSocket goes on", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(binary_frame(""));
  CHECK_THAT(client.text(), Contains("empty"));
  bench.messages.rule = {100, 64};
  client.send(binary_frame(std::string(101, 'x')));
  CHECK_THAT(client.text(), Contains("larger"));
  client.send(bytes_of({.opcode = Frame::kBinary, .payload = std::string(60, 'x'), .final = false}));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = std::string(60, 'x')}));
  while (bench.messages.give_room) bench.give_room_to(bench.messages);
  CHECK_THAT(client.text(), Contains("larger"));
  bench.messages.begin = [](const RequestView&, Response& response) {
    write_text(response, "text/plain", "no");
    return Next::kRespond;
  };
  client.send(binary_frame(std::string(50'000, 'x')));
  CHECK(client.text() == "no");
  bench.messages.begin = [](const RequestView&, Response&) { return Next::kReadBody; };
  client.send(binary_frame("ok"));
  CHECK(client.text() == "2:ok");
}

TEST_CASE("WebSocket: a message waits for room, or is refused if none comes", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  bench.messages.has_room = false;
  client.send(binary_frame("abc"));
  CHECK(client.frames().empty());
  bench.give_room_to(bench.messages);
  CHECK(client.text() == "3:abc");
  client.send(binary_frame("abc"));
  bench.give_room_to(bench.messages, common::Error{common::ErrorCode::kQueueFull, "full"});
  CHECK(client.text() == "full");
}

// check_deadline() decides in one turn that a message is late, and acts in the next. Meanwhile the message may have
// come as far as the wait for room, which does not count against the client.
TEST_CASE("WebSocket: a message that was late before it waited for room is not refused", "[app][unit]") {
  SocketBench bench;
  bench.messages.has_room = false;
  bench.messages.begin = [&bench](const RequestView&, Response&) {
    bench.skip(10s);
    bench.connections.check_deadlines();
    return Next::kReadBody;
  };
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  CHECK(bench.messages.refused.empty());
  bench.give_room_to(bench.messages);
  CHECK(client.text() == "3:abc");
  bench.pass(100ms);
  CHECK(client.frames().empty());
}

TEST_CASE("WebSocket: a client that leaves in the turn in which room comes takes its message along", "[app][unit]") {
  SocketBench bench;
  bench.messages.has_room = false;
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  boost::asio::post(bench.io, [give_room = std::exchange(bench.messages.give_room, nullptr)] { give_room({}); });
  client.vanish();
  bench.connections.check_deadlines();
  bench.turn();
  CHECK(bench.messages.gone == 1);
  CHECK(bench.messages.refused == std::vector<std::string>{"the client is gone"});
  CHECK(bench.messages.dropped_rooms == 1);
  CHECK(bench.ended == 1);
}

// ---- RFC 6455 ----

TEST_CASE("WebSocket: frames that break RFC 6455 end it with a close code", "[app][unit]") {
  struct Case {
    const char* name;
    std::string bytes;
    unsigned code;
  };
  const std::string first_part = bytes_of({.opcode = Frame::kBinary, .payload = "a", .final = false});
  const auto one = GENERATE_COPY(values<Case>({
      {"no mask", bytes_of({.payload = "a", .masked = false}), 1002},
      {"no mask on a ping", bytes_of({.opcode = Frame::kPing, .masked = false}), 1002},
      {"reserved bit 1", bytes_of({.payload = "a", .reserved = 4}), 1002},
      {"reserved bit 2", bytes_of({.payload = "a", .reserved = 2}), 1002},
      {"reserved bit 3", bytes_of({.payload = "a", .reserved = 1}), 1002},
      {"reserved bit on a ping", bytes_of({.opcode = Frame::kPing, .reserved = 4}), 1002},
      {"opcode 3", bytes_of({.opcode = 3}), 1002},
      {"opcode 7", bytes_of({.opcode = 7}), 1002},
      {"opcode 11", bytes_of({.opcode = 11}), 1002},
      {"opcode 15", bytes_of({.opcode = 15}), 1002},
      {"a ping of two frames", bytes_of({.opcode = Frame::kPing, .final = false}), 1002},
      {"a ping that is too long", bytes_of({.opcode = Frame::kPing, .payload = std::string(126, 'a')}), 1002},
      {"a close that is too long", bytes_of({.opcode = Frame::kClose, .payload = std::string(126, 'a')}), 1002},
      {"a continuation of nothing", bytes_of({.opcode = Frame::kContinuation, .payload = "a"}), 1002},
      {"a message within a message", first_part + binary_frame("b"), 1002},
      {"a text within a message", first_part + text_frame("b"), 1002},
      {"a length that is too long by 2 bytes", bytes_of({.payload = "a", .least_length_bytes = 2}), 1002},
      {"a length that is too long by 8 bytes", bytes_of({.payload = "a", .least_length_bytes = 8}), 1002},
      {"a message that is too long", bytes_of({.payload = "a", .length = (16U << 20U) + 1}), 1009},
      {"2^63 bytes", bytes_of({.payload = "a", .length = std::uint64_t{1} << 63U}), 1009},
      {"2^64 - 1 bytes", bytes_of({.payload = "a", .length = ~std::uint64_t{0}}), 1009},
      {"text that is not UTF-8", text_frame("a\xFF"), 1007},
      {"text that ends in a character", text_frame("a\xC3"), 1007},
      {"a surrogate", text_frame("\xED\xA0\x80"), 1007},
      {"a close with half a code", bytes_of({.opcode = Frame::kClose, .payload = "\x03"}), 1002},
      {"a close whose reason is not UTF-8", close_frame(1000, "\xFF"), 1002},
      {"close code 999", close_frame(999), 1002},
      {"close code 1004", close_frame(1004), 1002},
      {"close code 1005", close_frame(1005), 1002},
      {"close code 1006", close_frame(1006), 1002},
      {"close code 1015", close_frame(1015), 1002},
      {"close code 2999", close_frame(2999), 1002},
  }));
  CAPTURE(one.name);
  SocketBench bench;
  SocketClient client(bench);
  client.send(one.bytes);
  CHECK(client.closed_with() == one.code);
  CHECK(client.is_ended());
  client.close();
  bench.pass(3s);
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a note that is too long ends it with 1009", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(text_frame(std::string(4097, 'a')));
  CHECK(client.closed_with() == 1009);
  client.send(close_frame(1009));
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a text that ends in a character before an empty last frame ends it with 1007", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(bytes_of({.opcode = Frame::kText, .payload = "a\xC3", .final = false}));
  client.send(bytes_of({.opcode = Frame::kContinuation}));
  CHECK(client.closed_with() == 1007);
  CHECK(bench.notes.empty());
}

TEST_CASE("WebSocket: a message too long in all its frames ends it with 1009", "[app][unit]") {
  common::ServerConfig config;
  config.max_body_bytes = 1000;
  SocketBench bench(16, config);
  SocketClient client(bench);
  client.send(bytes_of({.payload = std::string(600, 'a'), .final = false}));
  client.send(bytes_of({.opcode = Frame::kContinuation, .payload = std::string(600, 'a')}));
  if (bench.messages.give_room) bench.give_room_to(bench.messages);
  const auto frames = client.frames();
  REQUIRE_FALSE(frames.empty());
  CHECK(close_code(frames.back()) == 1009);
}

TEST_CASE("WebSocket: a close frame is returned, and the connection ends", "[app][unit]") {
  const unsigned code = GENERATE(0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999);
  CAPTURE(code);
  SocketBench bench;
  SocketClient client(bench);
  client.send(close_frame(code, code == 0 ? "" : "bye"));
  CHECK(client.closed_with() == (code == 0 ? 1000 : code));
  CHECK(client.is_ended());
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: frames that RFC 6455 allows change nothing", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(bytes_of({.opcode = Frame::kPong, .payload = "unasked"}));
  client.send(bytes_of({.opcode = Frame::kPing}));
  CHECK(client.frames() == std::vector{Frame{.opcode = Frame::kPong}});
  client.send(bytes_of({.opcode = Frame::kPing, .payload = std::string(125, 'p')}));
  CHECK(client.frames() == std::vector{Frame{.opcode = Frame::kPong, .payload = std::string(125, 'p')}});
  client.send(text_frame("\xE2\x82\xAC"));
  CHECK(bench.notes == std::vector<std::string>{"\xE2\x82\xAC"});
  client.send(binary_frame("a"));
  CHECK(client.text() == "1:a");
}

// ---- clients that are slow or gone ----

TEST_CASE("WebSocket: a silent client gets a ping after 20 s and is gone after 40 s", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  bench.pass(19s);
  CHECK(client.frames().empty());
  bench.pass(1s);
  CHECK(client.frames() == std::vector{Frame{.opcode = Frame::kPing}});
  client.send(bytes_of({.opcode = Frame::kPong}));
  bench.pass(19s);
  CHECK(client.frames().empty());
  bench.pass(1s);
  CHECK(client.frames().size() == 1);
  bench.pass(19s);
  CHECK(bench.ended == 0);
  bench.pass(1s);
  bench.turn();
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: when the client leaves, its exchanges end first", "[app][unit]") {
  const bool half = GENERATE(false, true);
  SocketBench bench;
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  half ? client.shut_down() : client.close();
  CHECK(bench.messages.gone == 1);
  CHECK(bench.ended == 0);
  bench.answer();
  bench.turn();
  CHECK(bench.ended == 1);
  CHECK(bench.messages.statuses == std::vector{200});
}

TEST_CASE("WebSocket: a client that leaves while the server does not read is noticed", "[app][unit]") {
  SocketBench bench;
  bench.most_unanswered = 1;
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  client.close();
  CHECK(bench.messages.gone == 0);
  bench.pass(100ms);
  CHECK(bench.messages.gone == 1);
  bench.answer();
  bench.turn();
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a client that leaves in the middle of a message ends its exchange", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(binary_frame(std::string(10'000, 'x')).substr(0, 5000));
  client.close();
  CHECK(bench.messages.refused == std::vector<std::string>{"the message ended early"});
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a message that stands still is refused, and the WebSocket ends with 1008", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  client.send(binary_frame(std::string(100'000, 'x')).substr(0, 5000));
  bench.pass(1s);
  CHECK(client.frames().empty());
  bench.pass(5s);
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK_THAT(frames[0].payload, Contains("in time"));
  CHECK(close_code(frames[1]) == 1008);
  bench.pass(3s);
  bench.turn();
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a client that does not read its answers is cut off", "[app][unit]") {
  SocketBench bench;
  bench.messages.body_came = [](std::string_view, Response& response) {
    write_text(response, "text/plain", std::string(4U << 20U, 'x'));
    return Next::kRespond;
  };
  SocketClient client(bench);
  for (int i = 0; i < 10; ++i) client.send(binary_frame("abc"));
  CHECK(bench.messages.begun == 4);  // most_unanswered
  bench.pass(bench.config.write_timeout - 1s);
  CHECK(bench.ended == 0);
  bench.pass(1s);
  bench.turn();
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: an upload is evicted for others, and its WebSocket goes on", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  const std::string frame = binary_frame(std::string(900'000, 'x'));
  client.send(frame.substr(0, 60'000));
  bench.shortage = {1000, 1000};
  bench.pass(1s);
  CHECK(bench.messages.dropped_rooms == 1);
  CHECK(client.frames().size() == 1);
  bench.shortage = {};
  for (std::size_t at = 60'000; at < frame.size(); at += 60'000) client.send(frame.substr(at, 60'000));
  client.send(binary_frame("ok"));
  CHECK(client.text() == "2:ok");
}

// ---- the end of the server ----

TEST_CASE("WebSocket: at a stop the messages under way are answered, then it ends with 1001", "[app][unit]") {
  SocketBench bench;
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  bench.drains = true;
  bench.pass(100ms);
  CHECK(client.frames().empty());
  client.send(binary_frame("late"));
  bench.answer();
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "abc");
  CHECK(close_code(frames[1]) == 1001);
  CHECK(bench.messages.begun == 1);
  client.send(close_frame(1001));
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: at a stop an idle one ends, even if the client does not answer", "[app][unit]") {
  SocketBench bench;
  SocketClient client(bench);
  bench.drains = true;
  bench.pass(100ms);
  CHECK(client.closed_with() == 1001);
  CHECK(bench.ended == 0);
  bench.pass(2s);
  bench.turn();
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a close frame waits for the client that still has answers to read", "[app][unit]") {
  const bool reads = GENERATE(true, false);
  const bool has_ping = GENERATE(false, true);
  CAPTURE(reads, has_ping);
  SocketBench bench;
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  const std::size_t count = client.fill_socket(bytes_of({.opcode = Frame::kPing, .masked = false}));
  REQUIRE(count > 10);
  if (has_ping) client.send(bytes_of({.opcode = Frame::kPing, .payload = "p"}));  // the pong waits for room too
  bench.drains = true;
  bench.pass(100ms);
  CHECK(bench.ended == 0);
  if (reads) {
    auto frames = client.frames();
    REQUIRE(frames.size() >= count + 1);
    CHECK(frames.front().payload == "3:abc");
    for (int i = 0; i < 2; ++i) {
      bench.pass(100ms);
      const auto more = client.frames();
      frames.insert(frames.end(), more.begin(), more.end());
    }
    CHECK(close_code(frames.back()) == 1001);
    CHECK(frames.size() == count + (has_ping ? 3 : 2));
    client.send(close_frame(1001));
    CHECK(client.frames().empty());  // no frame follows a close frame
    CHECK(client.is_ended());
  } else {
    bench.pass(2s);
    bench.turn();
  }
  CHECK(bench.ended == 1);
}

TEST_CASE("WebSocket: a full server evicts an idle one with 1013, and no busy one", "[app][unit]") {
  SocketBench bench(1);
  bench.answer_later();
  SocketClient client(bench);
  client.send(binary_frame("abc"));
  bench.skip(5s);
  bench.script.begin = [](const RequestView&, Response& response) {
    write_text(response, "text/plain", "hello");
    return Next::kRespond;
  };
  {
    ConnectionBench::Client other(bench);
    other.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_THAT(other.received(), StartsWith("HTTP/1.1 200 "));
    CHECK_FALSE(client.is_ended());
  }
  bench.answer();
  CHECK(client.text() == "abc");
  bench.skip(5s);
  ConnectionBench::Client other(bench);
  CHECK(client.closed_with() == 1013);
  CHECK(client.is_ended());
}

}  // namespace websocket_cases
}  // namespace
}  // namespace yolod::app::http
