// These tests measure streams under load: latency, dropped pictures, fairness, and memory.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/system/resident_memory.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/websocket_client.hpp"

namespace yolod::tests {
namespace {
namespace stream_load_cases {

std::uint64_t number_of(const boost::json::object& answer, std::string_view name) {
  const auto* const value = answer.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

// Sends 25 pictures a second until stop(), and counts the answers.
class Camera {
 public:
  Camera(const Endpoint& endpoint, const std::string& target) : client_(endpoint, target) {}
  ~Camera() { stop(); }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  [[nodiscard]] bool is_open() const { return client_.status() == 101; }
  void start() {
    sender_ = std::thread([this] { send_pictures(); });
    receiver_ = std::thread([this] { receive_answers(); });
  }
  void stop_sending() { is_stopping_ = true; }
  // Sends nothing more, and waits until the newest picture is answered.
  void stop() {
    stop_sending();
    if (sender_.joinable()) sender_.join();
    if (receiver_.joinable()) receiver_.join();
  }

  // May be called at any time.
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  // Call these after stop().
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  [[nodiscard]] std::vector<Clock::duration> latencies() const { return latencies_; }

 private:
  static constexpr auto kPeriod = 40ms;
  static constexpr std::size_t kMost = 10'000;

  void send_pictures() {
    const std::string picture = binary_frame(std::string(20'000, 'p'));
    for (auto next = Clock::now(); !is_stopping_ && sent_ < kMost; next += kPeriod) {
      std::this_thread::sleep_until(next);
      sent_at_[sent_ + 1] = Clock::now().time_since_epoch().count();
      if (!client_.send(picture)) break;
      ++sent_;
    }
    last_ = sent_.load();
  }
  void receive_answers() {
    for (;;) {
      if (last_ != 0 && newest_ >= last_) return;
      const auto answer = client_.next_answer(1s);
      if (answer.empty()) {
        if (is_stopping_) return;
        continue;
      }
      newest_ = number_of(answer, "seq");
      dropped_ += number_of(answer, "dropped");
      if (answer.at("success").as_bool()) {
        latencies_.push_back(Clock::now().time_since_epoch() - Clock::duration(sent_at_[newest_]));
        ++answered_;
      } else {
        ++errors_;
      }
    }
  }

  WebSocketClient client_;
  std::thread sender_;
  std::thread receiver_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> last_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::vector<std::atomic<Clock::rep>> sent_at_{std::vector<std::atomic<Clock::rep>>(kMost + 2)};
  std::uint64_t newest_{0};
  std::uint64_t dropped_{0};
  std::uint64_t errors_{0};
  std::vector<Clock::duration> latencies_;
};

// Returns the memory of the front-end without files and shared memory, to which the arena belongs.
std::uint64_t memory_of(const Server& server) { return common::own_bytes(server.pid()); }

TEST_CASE("Stream: 25 pictures a second at a model that does 10 have a short latency, and answers count the drops",
          "[process]") {
  Server server(identity_config({{.workers = 1, .delay = 100ms, .keys = {"batch: {max_size: 1}"}}}));
  REQUIRE(server.wait_until_ready());
  Camera camera(server.endpoint(), "/stream?drop=oldest");
  REQUIRE(camera.is_open());
  const auto half = is_long_run() ? 30s : 2s;
  camera.start();
  std::this_thread::sleep_for(half);
  const auto at_half = memory_of(server);
  std::this_thread::sleep_for(half);
  const auto at_end = memory_of(server);
  camera.stop();
  auto latencies = camera.latencies();
  REQUIRE(latencies.size() > 20);
  std::sort(latencies.begin(), latencies.end());
  const auto p99 = std::chrono::duration_cast<milliseconds>(latencies[latencies.size() * 99 / 100]);
  CAPTURE(p99.count(), camera.sent(), camera.answered(), camera.dropped());
  CHECK(p99 < promised(220ms));
  CHECK(camera.errors() == 0);
  CHECK(camera.answered() + camera.dropped() == camera.sent());
  CHECK(camera.dropped() > camera.sent() / 3);
  CHECK(server.metric("yolod_frames_dropped_total", {{"model", "echo"}}) == static_cast<double>(camera.dropped()));
  constexpr std::uint64_t kNoise = 512 * 1024;
  CHECK(at_end < at_half + kNoise);
}

TEST_CASE("Stream: many streams get equal shares, and a request beside them keeps its deadline", "[process]") {
  const std::size_t count = is_long_run() ? 200 : 20;
  // Each stream gets about two pictures a second.
  Server server(identity_config({{.workers = 2,
                                  .delay = is_long_run() ? 5ms : 50ms,
                                  .keys = {"batch: {max_size: 1}", "queue: {max_size: 64}"}}}));
  REQUIRE(server.wait_until_ready());
  std::vector<std::unique_ptr<Camera>> cameras;
  for (std::size_t i = 0; i < count; ++i) {
    cameras.push_back(std::make_unique<Camera>(server.endpoint(), "/stream?drop=oldest&max_in_flight=1"));
    REQUIRE(cameras.back()->is_open());
  }
  for (auto& camera : cameras) camera->start();
  const auto end = Clock::now() + (is_long_run() ? 60s : 10s);
  int late = 0;
  HttpClient client(server.endpoint());
  while (Clock::now() < end) {
    const auto answer =
        client.post("/predict", "abc", {{"X-Request-Timeout", std::to_string(promised(250ms).count())}});
    late += answer.status != 200;
    std::this_thread::sleep_for(50ms);
  }
  std::uint64_t least = ~std::uint64_t{0};
  std::uint64_t most = 0;
  for (const auto& camera : cameras) {
    least = std::min(least, camera->answered());
    most = std::max(most, camera->answered());
  }
  for (auto& camera : cameras) camera->stop_sending();
  for (auto& camera : cameras) {
    camera->stop();
    CHECK(camera->errors() == 0);
  }
  CAPTURE(least, most);
  CHECK(late == 0);
  CHECK(static_cast<double>(least) >= 0.9 * static_cast<double>(most) - 1);
}

TEST_CASE("Stream: an idle WebSocket holds at most 16 KiB", "[process]") {
  Server server(identity_config({{.workers = 1}}));
  REQUIRE(server.wait_until_ready());
  constexpr std::size_t kCount = 400;
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  const auto open = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<WebSocketClient>(server.endpoint(), "/stream"));
      REQUIRE(clients.back()->status() == 101);
      clients.back()->send(binary_frame(std::string(50'000, 'p')));
      REQUIRE(number_of(clients.back()->next_answer(), "seq") == 1);
    }
  };
  open(50);  // so that the server has its buffers
  const auto before = memory_of(server);
  open(kCount);
  const auto after = memory_of(server);
  const auto each = (after - std::min(after, before)) / kCount;
  CAPTURE(each);
  CHECK(each <= 16 * 1024);
  CHECK(server.metric("yolod_streams") == static_cast<double>(clients.size()));
  clients.clear();
  CHECK(wait_until([&] { return server.metric("yolod_streams") == 0; }));
}

}  // namespace stream_load_cases
}  // namespace
}  // namespace yolod::tests
