// These tests have a client at one end of a socket pair and a connection with /stream at the other. The worker is a
// fake.
#include "app/api/stream/conversation.hpp"

#include "app/api/stream/stream_exchange.hpp"
#include "tests/unit/app/api/conversation_bench.hpp"

namespace yolod::app::api::stream {
namespace {
namespace stream_cases {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using tests::binary_frame;
using tests::Frame;
using tests::text_frame;

class StreamBench final : public ConversationBench {
 public:
  explicit StreamBench(common::ModelConfig settings = one_worker())
      : ConversationBench(
            "/stream", [this] { return std::make_unique<StreamExchange>(context, turns_); }, std::move(settings)) {}

 private:
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>(io, *this);
};

// A client of one model.
struct Client : ConversationBench::Client {
  explicit Client(StreamBench& bench, std::string_view query = {})
      : ConversationBench::Client(bench, "/stream?model=echo" + std::string(query)) {}
};

std::uint64_t number(const boost::json::object& answer, std::string_view name) {
  const auto* const value = answer.if_contains(name);
  return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

std::string picture(char byte, std::size_t size = 3) { return binary_frame(std::string(size, byte)); }

TEST_CASE("Stream: each picture has one answer with its number and timing", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  REQUIRE_THAT(client.head, Contains("101 Switching Protocols"));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    client.send(picture('a', 10 * i));
    REQUIRE(bench.serve() == 1);
    const auto answer = client.answer();
    CHECK(number(answer, "seq") == i);
    CHECK(number(answer, "bytes") == 10 * i);
    CHECK(answer.at("success").as_bool());
    CHECK(answer.at("model").as_string() == "echo");
    CHECK(answer.at("timing_ms").as_object().contains("total"));
    CHECK_FALSE(answer.contains("dropped"));
    CHECK_FALSE(answer.contains("id"));
  }
  CHECK(bench.answers("echo", 200) == 3);
}

TEST_CASE("Stream: an id belongs to the next picture only", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(text_frame(R"({"id":"x\"y"})")).send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("id").as_string() == "x\"y");
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK_FALSE(client.answer().contains("id"));
}

TEST_CASE("Stream: bad options get an error, and change nothing", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  const std::string text = GENERATE("nonsense", R"({"iou":3})", R"({"model":"other"})");
  client.send(text_frame(text));
  const auto error = client.answer();
  CHECK_FALSE(error.at("success").as_bool());
  CHECK_FALSE(error.contains("seq"));
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("success").as_bool());
}

TEST_CASE("Stream: an error of a picture has its number, and the stream goes on", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(text_frame(R"({"top_k":5})")).send(picture('a'));  // the model does not classify
  auto answer = client.answer();
  CHECK(number(answer, "seq") == 1);
  CHECK(answer.at("error").as_object().at("code").as_string() == "invalid_parameter");
  client.send(text_frame(R"({"top_k":null})")).send(picture('a'));
  const auto cells = bench.worker.take();
  REQUIRE(cells.size() == 1);
  bench.worker.refuse(cells[0], common::ErrorCode::kInvalidImage);
  bench.dispatcher.worker_completions(bench.worker);
  answer = client.answer();
  CHECK(number(answer, "seq") == 2);
  CHECK(answer.at("error").as_object().at("code").as_string() == "invalid_image");
  bench.is_there = false;
  client.send(picture('a'));
  CHECK(client.answer().at("error").as_object().at("code").as_string() == "unknown_model");
  bench.is_there = true;
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(number(client.answer(), "seq") == 4);
}

TEST_CASE("Stream: with drop: none one more picture waits, and then the server stops to read", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  for (char c = 'a'; c < 'f'; ++c) client.send(picture(c));
  CHECK(bench.arena.used_bytes() > bench.idle_bytes);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    REQUIRE(bench.serve() == 1);
    CHECK(number(client.answer(), "seq") == i);
  }
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
}

TEST_CASE("Stream: with drop: oldest a new picture replaces the waiting picture, and the next answer counts it",
          "[app][unit]") {
  StreamBench bench;
  Client client(bench, "&drop=oldest");
  for (char c = 'a'; c < 'f'; ++c) client.send(picture(c, static_cast<std::size_t>(c - 'a' + 1)));
  REQUIRE(bench.serve() == 1);
  auto answer = client.answer();
  CHECK(number(answer, "seq") == 1);
  CHECK(number(answer, "dropped") == 3);
  REQUIRE(bench.serve() == 1);
  answer = client.answer();
  CHECK(number(answer, "seq") == 5);
  CHECK(number(answer, "bytes") == 5);
  CHECK_FALSE(answer.contains("dropped"));
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
  CHECK(bench.answers("echo", 200) == 2);
}

TEST_CASE("Stream: max_in_flight lets several pictures go to the scheduler", "[app][unit]") {
  auto config = echo_config();
  config.batch.max_size = 4;
  StreamBench bench(config);
  Client client(bench, "&drop=oldest&max_in_flight=3");
  for (int i = 0; i < 6; ++i) client.send(picture('a'));
  std::size_t served = 0;
  std::vector<std::uint64_t> numbers;
  while (const std::size_t count = bench.serve()) served += count;
  for (const auto& frame : client.frames()) {
    numbers.push_back(number(boost::json::parse(frame.payload).as_object(), "seq"));
  }
  CHECK(served == 4);
  CHECK(numbers == std::vector<std::uint64_t>{1, 2, 3, 6});
}

TEST_CASE("Stream: streams take turns", "[app][unit]") {
  StreamBench bench;
  Client one(bench, "&drop=oldest");
  Client two(bench, "&drop=oldest");
  Client three(bench, "&drop=oldest");
  std::array<int, 3> counts{};
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 5; ++i) one.send(picture('1'));  // sends more than the others
    two.send(picture('2'));
    three.send(picture('3'));
    REQUIRE(bench.serve() == 1);
    counts[0] += static_cast<int>(one.frames().size());
    counts[1] += static_cast<int>(two.frames().size());
    counts[2] += static_cast<int>(three.frames().size());
  }
  CHECK(counts == std::array{10, 10, 10});
}

TEST_CASE("Stream: a client that leaves takes its waiting picture along, and gives its turn back", "[app][unit]") {
  StreamBench bench;
  Client gone(bench);
  Client other(bench);
  gone.send(picture('a')).send(picture('b'));
  other.send(picture('c'));
  gone.close();
  CHECK(bench.serve() == 1);  // the worker has it
  CHECK(bench.ended == 1);
  CHECK(bench.serve() == 1);
  CHECK(number(other.answer(), "seq") == 1);
  CHECK(bench.serve() == 0);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
}

TEST_CASE("Stream: the timeout counts from the picture's first byte", "[app][unit]") {
  StreamBench bench;
  Client first(bench);
  Client second(bench, "&timeout_ms=100");
  first.send(picture('a'));
  second.send(picture('b'));  // waits for its turn
  bench.pass(200ms);
  CHECK(bench.serve() == 1);
  bench.turn();
  while (bench.serve() != 0) {
  }
  const auto answer = second.answer();
  CHECK(answer.at("error").as_object().at("code").as_string() == "deadline_exceeded");
}

TEST_CASE("Stream: a picture that waits for its turn or for room is answered by the model that is served then",
          "[app][unit]") {
  ModelBench again;
  StreamBench bench;
  Client first(bench);
  Client second(bench);
  const bool waits_for_room = GENERATE(false, true);
  CAPTURE(waits_for_room);
  first.send(picture('a'));
  std::vector<ipc::ArenaBlock> blocks;
  while (waits_for_room) {
    auto block = bench.body_room.try_reserve(64 * 1024);
    if (!block) break;
    blocks.push_back(*std::move(block));
  }
  second.send(picture('b'));
  bench.dispatcher.close({common::ErrorCode::kUnknownModel, "the model was removed"});
  bench.model = again.model;
  blocks.clear();
  CHECK(bench.serve() == 1);
  CHECK(number(first.answer(), "seq") == 1);
  bench.turn();
  again.turn();
  CHECK(again.serve() == 1);
  again.turn();
  const auto answer = second.answer();
  CHECK(answer.at("success").as_bool());
}

TEST_CASE("Stream: the path refuses requests that begin no stream", "[app][unit]") {
  StreamBench bench;
  CHECK_THAT(Client(bench, "&drop=never").head, Contains("400") && Contains("invalid_parameter"));
  CHECK_THAT(Client(bench, "&top_k=5").head, Contains("400") && Contains("models that classify"));
  bench.is_there = false;
  CHECK_THAT(Client(bench).head, Contains("404") && Contains("unknown_model"));
  bench.is_there = true;
  bench.drains = true;
  CHECK_THAT(Client(bench).head, Contains("503") && Contains("shutting_down"));
}

TEST_CASE("Stream: a key or right that ends meanwhile ends the stream with 1008", "[app][unit]") {
  StreamBench bench;
  Client client(bench);
  client.send(picture('a'));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("success").as_bool());
  common::AccessConfig keys;
  keys.mode = common::AccessMode::kKeys;
  common::Config changed;
  changed.access = keys;
  bench.gate_.take_over(changed, true);  // now an anonymous client may not predict
  client.send(picture('a'));
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK_THAT(frames[0].payload, Contains("unauthorized"));
  CHECK(tests::close_code(frames[1]) == 1008);
}

}  // namespace stream_cases
}  // namespace
}  // namespace yolod::app::api::stream
