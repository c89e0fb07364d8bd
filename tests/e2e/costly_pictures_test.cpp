// These tests send small pictures that need much work beside honest pictures, and measure the delay of others and the
// memory.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process_tree.hpp"
#include "tests/support/promised_time.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

std::string reason_to_skip() {
  auto reason = reason_to_skip_real_models();
  if (reason.empty() && !fault_cases()) reason = "no cases beside the test data";
  return reason;
}

// The config has the smallest real network, with two workers.
std::string two_workers_config() {
  auto text = small_network_config(*test_data());
  const std::string one = "workers: 1";
  return text.replace(text.find(one), one.size(), "workers: 2");
}

// Posts two requests a second and returns their median duration. Each must get a 200.
milliseconds median_of_honest(const Server& server, const std::string& photo, int count) {
  std::vector<milliseconds> took;
  HttpClient client(server.endpoint());
  auto next = Clock::now();
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_until(next += 500ms);
    const auto asked_at = Clock::now();
    const auto answer = client.post("/predict", photo);
    took.push_back(std::chrono::duration_cast<milliseconds>(Clock::now() - asked_at));
    CAPTURE(i, answer);
    CHECK(answer.status == 200);
  }
  std::sort(took.begin(), took.end());
  return took[took.size() / 2];
}

// Posts ten different bombs a second until destruction.
class PictureBombs {
 public:
  PictureBombs(const Endpoint& endpoint, std::vector<std::string> bombs) {
    for (int sender = 0; sender < kSenders; ++sender) {
      senders_.emplace_back([this, endpoint, sender, bombs] {
        HttpClient client(endpoint);
        auto next = Clock::now() + sender * 100ms;
        for (std::size_t i = 0; !over_; ++i, next += kSenders * 100ms) {
          std::this_thread::sleep_until(next);
          // Bytes after a picture change its hash and nothing else.
          const auto answer = client.post("/predict", bombs[i % bombs.size()] + std::to_string(sender * 100'000 + i));
          ++(answer.status == 400 || answer.status == 413 ? refused_ : other_);
        }
      });
    }
  }
  ~PictureBombs() { stop(); }
  PictureBombs(const PictureBombs&) = delete;
  PictureBombs& operator=(const PictureBombs&) = delete;

  void stop() {
    over_ = true;
    for (auto& sender : senders_) {
      if (sender.joinable()) sender.join();
    }
  }
  [[nodiscard]] int refused() const { return refused_; }
  [[nodiscard]] int other() const { return other_; }

 private:
  static constexpr int kSenders = 10;
  std::atomic<bool> over_{false};
  std::atomic<int> refused_{0};
  std::atomic<int> other_{0};
  std::vector<std::thread> senders_;
};

}  // namespace

TEST_CASE("CostlyPictures: ten bombs of 1.4 kB a second do not double the duration of an honest request",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(two_workers_config());
  REQUIRE(server.wait_until_ready());
  const auto workers = server.worker_pids();
  const auto photo = read_file(*test_data() / "photos" / "dog.jpg");
  constexpr int kRequests = 12;
  const auto alone = median_of_honest(server, photo, kRequests);
  PictureBombs bombs(server.endpoint(), {read_file(*fault_cases() / "dc_80.jpg"),
                                         read_file(*fault_cases() / "jpeg_prog_refine_100MP_100.jpg")});
  const auto beside = median_of_honest(server, photo, kRequests);
  bombs.stop();
  CAPTURE(alone.count(), beside.count());
  CHECK(beside <
        2 * alone + scaled(20ms));  // a photo takes about as long as a tick of the clock or the kernel's scheduler
  CHECK(bombs.refused() >= 5 * kRequests / 2);
  CHECK(bombs.other() == 0);
  CHECK(server.worker_pids() == workers);
}

TEST_CASE("CostlyPictures: many of the largest pictures at once are answered in turn, within the memory limit",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  constexpr long kDecodeMemoryKib = 320L * 1024;  // one picture decodes to 286 MiB: two do not fit
  Server server(two_workers_config() +
                "    limits: {max_decode_memory: 320MiB}\n    request_timeout: 10m\n    queue: {timeout: 10m}\n");
  REQUIRE(server.wait_until_ready());
  const auto workers = server.worker_pids();
  const auto photo = read_file(*test_data() / "photos" / "dog.jpg");
  for (int i = 0; i < 4; ++i) REQUIRE(HttpClient(server.endpoint()).post("/predict", photo).status == 200);
  std::map<pid_t, long> before;
  for (const pid_t worker : workers) before[worker] = peak_memory_kib(worker);

  const auto largest = read_file(*fault_cases() / "png_1bit_100MP.png");
  std::vector<std::unique_ptr<HttpClient>> clients;
  const int count = is_long_run() ? 64 : 16;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server.endpoint(), 600'000ms));
    REQUIRE(clients.back()->connect());
    REQUIRE(clients.back()->write(serialise({"POST", "/predict", {}, largest})));
  }
  for (const auto& client : clients) {
    const auto answer = client->read_answer();
    CAPTURE(answer);
    CHECK(answer.status == 200);
  }
  CHECK(server.worker_pids() == workers);
  for (const pid_t worker : workers) {
    CAPTURE(worker, before[worker], peak_memory_kib(worker));
    CHECK(peak_memory_kib(worker) - before[worker] < kDecodeMemoryKib + 64 * 1024);
  }
}

}  // namespace yolod::tests
