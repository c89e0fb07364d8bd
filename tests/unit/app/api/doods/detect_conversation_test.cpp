#include "app/api/doods/detect_conversation.hpp"

#include "tests/unit/app/api/conversation_bench.hpp"

namespace yolod::app::api::doods {
namespace {
namespace detect_conversation_cases {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using tests::Frame;
using tests::text_frame;

class DoodsBench final : public ConversationBench {
 public:
  explicit DoodsBench(common::ModelConfig settings = one_worker())
      : ConversationBench(
            "/detect", [this] { return std::make_unique<DetectUpgrade>(context, kDefaults); }, std::move(settings)) {}

 private:
  inline static const common::DoodsConfig kDefaults{};
};

struct Client : ConversationBench::Client {
  explicit Client(DoodsBench& bench, std::string_view fields = {})
      : ConversationBench::Client(bench, "/detect", fields) {}
};

std::string request(const std::string& id, const std::string& more = R"("detector_name":"echo")",
                    std::size_t base64_bytes = 8) {
  return text_frame(R"({"id":")" + id + R"(","data":")" + std::string(base64_bytes, 'A') + R"(","detect":{"*":50},)" +
                    more + "}");
}

TEST_CASE("DOODS: a text message is a request, and its answer has the id", "[app][unit]") {
  DoodsBench bench;
  Client client(bench);
  REQUIRE_THAT(client.head, Contains("101 Switching Protocols"));
  for (const std::size_t size : {8, 100'000}) {
    client.send(request("x", R"("detector_name":"default")", size));
    REQUIRE(bench.serve() == 1);
    const auto answer = client.answer();
    CHECK(answer.at("id").as_string() == "x");
    CHECK(answer.at("detections").as_array().empty());
    CHECK_FALSE(answer.contains("error"));
  }
  CHECK(bench.answers("echo", 200) == 2);
  CHECK(bench.arena.used_bytes() == bench.idle_bytes);
}

TEST_CASE("DOODS: a wrong message has an error, and the WebSocket goes on", "[app][unit]") {
  DoodsBench bench;
  Client client(bench);
  const auto error_of = [&client](std::string_view frame, const char* id) {
    client.send(frame);
    const auto answer = client.answer();
    CHECK(answer.at("detections").as_array().empty());
    CHECK(answer.contains("id") == (id != nullptr));
    if (id != nullptr) CHECK(answer.at("id").as_string() == id);
    return std::string(answer.at("error").as_string());
  };
  CHECK_THAT(error_of(text_frame("nonsense"), nullptr), Contains("JSON"));
  CHECK_THAT(error_of(text_frame(""), nullptr), Contains("empty"));
  CHECK_THAT(error_of(request("a", R"("detector_name":"other")"), "a"), Contains("unknown detector name"));
  CHECK_THAT(error_of(request("b", R"("regions":1)"), "b"), Contains("'regions' must be a list"));
  client.send(request("c"));
  CHECK(bench.serve() == 1);
  CHECK(client.answer().at("id").as_string() == "c");
  client.send(tests::binary_frame("abc"));
  const auto frames = client.frames();
  REQUIRE(frames.size() == 1);
  CHECK(tests::close_code(frames[0]) == 1003);
}

TEST_CASE("DOODS: many requests are with the scheduler at once, and then the server stops to read", "[app][unit]") {
  auto config = echo_config();
  config.batch.max_size = 4;
  DoodsBench bench(config);
  Client client(bench);
  constexpr std::size_t kRequests = DetectConversation::kMostRequests + 3;
  for (std::size_t i = 0; i < kRequests; ++i) client.send(request(std::to_string(i)));
  CHECK(bench.model->dispatcher.unanswered_count() == DetectConversation::kMostRequests);
  std::size_t served = 0;
  while (const std::size_t count = bench.serve()) served += count;
  CHECK(served == kRequests);
  const auto frames = client.frames();
  REQUIRE(frames.size() == kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) CHECK_THAT(frames[i].payload, Contains("\"" + std::to_string(i) + "\""));
}

TEST_CASE("DOODS: X-Request-Timeout of the WebSocket counts for each request", "[app][unit]") {
  DoodsBench bench;
  Client client(bench, "X-Request-Timeout: 100\r\n");
  for (const char* id : {"a", "b", "c"}) client.send(request(id));
  bench.pass(200ms);
  while (bench.serve() != 0) {
  }
  const auto frames = client.frames();
  REQUIRE(frames.size() == 3);
  CHECK_THAT(frames[2].payload, Contains(R"("id":"c")") && Contains(R"("error":)"));
}

TEST_CASE("DOODS: a request that begins no WebSocket is refused in DOODS' form", "[app][unit]") {
  DoodsBench bench;
  CHECK_THAT(Client(bench, "Origin: http://evil.example\r\n").head,
             Contains("403 Forbidden") && Contains(R"({"detections":[],"error":")"));
  CHECK_THAT(Client(bench, "X-Request-Timeout: soon\r\n").head, Contains("400") && Contains(R"("error":")"));
  bench.drains = true;
  CHECK_THAT(Client(bench).head, Contains("503") && Contains(R"("error":")"));
}

TEST_CASE("DOODS: a key that ends meanwhile ends the WebSocket with 1008", "[app][unit]") {
  DoodsBench bench;
  Client client(bench);
  common::Config changed;
  changed.access.mode = common::AccessMode::kKeys;
  bench.gate_.take_over(changed, true);
  client.send(request("a"));
  const auto frames = client.frames();
  REQUIRE(frames.size() == 2);
  CHECK_THAT(frames[0].payload, Contains(R"("error":)"));
  CHECK(tests::close_code(frames[1]) == 1008);
}

}  // namespace detect_conversation_cases
}  // namespace
}  // namespace yolod::app::api::doods
