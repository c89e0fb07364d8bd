// Clients that post without a pause, each on its own thread and connection, and count their answers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::tests {

struct LoadOptions {
  std::size_t connection_count{16};
  std::string target{"/predict"};
  std::size_t body_bytes_min{1};  // an empty body is refused
  std::size_t body_bytes_max{200'000};
  // The body to send, for a model that needs a picture. If it is empty, the clients send random bodies.
  std::string body{};
  // Returns whether a 200 is the right answer to its body. If it is empty, the identity model's answer is expected.
  std::function<bool(const Answer&, const std::string& body)> is_right{};
  milliseconds answer_deadline{kGenerous};
  bool keep_alive{true};  // false: a new connection for each request
};

// A request that did not end in a right 200.
struct Incident {
  Answer answer;
  std::size_t body_bytes{0};
};
[[nodiscard]] std::string describe(const Incident& incident);

struct LoadCounts {
  std::uint64_t answered{0};
  std::uint64_t right{0};  // 200, and the answer belongs to the request
  std::uint64_t wrong{0};  // 200, but the answer belongs to another request
  std::uint64_t lost{0};   // sent, and no answer came
  std::uint64_t hung{0};   // sent, and no answer came by the deadline
  // Requests that were sent twice because a reused connection was closed before the first byte of an answer. An idle
  // server may do that after SIGTERM. A request that was closed before SIGTERM counts here and as an incident.
  std::uint64_t resent{0};
  std::map<int, std::uint64_t> by_status;
  std::vector<Incident> incidents;  // the first few hundred

  // Returns the incidents that a stop at `moment` does not explain: neither refused connections nor connections made
  // later.
  [[nodiscard]] std::vector<std::string> incidents_before(Clock::time_point moment) const;
};

// A thread ends after stop(), or when its connection is refused.
class Load {
 public:
  Load(Endpoint endpoint, LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Waits for the requests in flight, and returns the counts.
  LoadCounts stop();
  // Waits until each thread ends because its connection is refused.
  LoadCounts wait_until_refused();

  [[nodiscard]] std::uint64_t answered() const { return answered_.load(); }

  // Waits until `count` more answers have come.
  [[nodiscard]] bool wait_for_answers(std::uint64_t count);

 private:
  void run(std::size_t index);
  void count(const Answer& answer, const std::string& body);
  void count_resent(const Answer& answer, const std::string& body);
  void join();

  const Endpoint endpoint_;
  const LoadOptions options_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::mutex mutex_;
  LoadCounts counts_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace yolod::tests
