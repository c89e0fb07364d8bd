// These tests send requests that kill workers, each with different bytes, and check what an honest client loses.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/after_case.hpp"
#include "tests/support/bodies.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"

namespace yolod::tests {
namespace {

// Posts a new bomb at a fixed interval until destruction. No bomb waits for the answer to another.
class Bombs {
 public:
  Bombs(const Endpoint& endpoint, milliseconds every) {
    for (int sender = 0; sender < kSenders; ++sender) {
      senders_.emplace_back([this, endpoint, every, sender] {
        HttpClient client(endpoint);
        auto next = Clock::now() + sender * every;
        for (int i = 0; !over_; ++i, next += kSenders * every) {
          std::this_thread::sleep_until(next);
          (void)client.post("/predict", "FAULT:segv " + std::to_string(sender) + " " + std::to_string(i));
          ++sent_;
        }
      });
    }
  }
  ~Bombs() {
    over_ = true;
    for (auto& sender : senders_) sender.join();
  }
  Bombs(const Bombs&) = delete;
  Bombs& operator=(const Bombs&) = delete;

  [[nodiscard]] int sent() const { return sent_; }

 private:
  static constexpr int kSenders = 10;
  std::atomic<bool> over_{false};
  std::atomic<int> sent_{0};
  std::vector<std::thread> senders_;
};

}  // namespace

TEST_CASE("Bombs: ten a second, each with another byte changed, cost a client at two a second no answer",
          "[process][case35]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  std::vector<milliseconds> took;
  {
    const Bombs bombs(server.endpoint(), 100ms);
    HttpClient honest(server.endpoint());
    constexpr int kRequests = 20;
    auto next = Clock::now();
    for (int i = 0; i < kRequests; ++i) {
      std::this_thread::sleep_until(next += 500ms);
      const auto body = random_body(20'000, static_cast<std::uint64_t>(i));
      const auto asked_at = Clock::now();
      const auto answer = honest.post("/predict", body);
      took.push_back(std::chrono::duration_cast<milliseconds>(Clock::now() - asked_at));
      CAPTURE(i, answer, took.back().count());
      CHECK(is_identity_answer(answer, body));
    }
    CHECK(bombs.sent() >= 5 * kRequests / 2);  // fewer bombs would test nothing
  }
  std::sort(took.begin(), took.end());
  WARN("an honest request took " << took[took.size() / 2].count() << " ms (median), " << took.back().count()
                                 << " ms at most");
  CHECK(took[took.size() / 2] < scaled(500ms));
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

TEST_CASE("Bombs: a client that comes after many bombs in a row, with no answer in between, waits for a second or two",
          "[process][case35][waits]") {
  Server server(identity_config({{.workers = 2, .faults = true}}));
  REQUIRE(server.wait_until_ready());
  const auto before = baseline(server);
  HttpClient client(server.endpoint());
  for (int i = 0; i < 20; ++i) {
    CHECK(client.post("/predict", "FAULT:abort " + std::to_string(i)).error_code() == "worker_crashed");
  }
  const auto asked_at = Clock::now();
  const auto body = random_body(20'000, 5);
  CHECK(is_identity_answer(client.post("/predict", body), body));
  CHECK(Clock::now() - asked_at < scaled(5'000ms));
  REQUIRE(server.wait_until_ready());
  check_after_case(server, before);
}

}  // namespace yolod::tests
