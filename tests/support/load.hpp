// Clients that post all the time, each on its own thread and connection, and count what they get.
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
  std::size_t body_bytes_min{1};  // an empty one is refused
  std::size_t body_bytes_max{200'000};
  // The body to send, for a model that wants a picture; random bodies where it is empty.
  std::string body{};
  // Whether a 200 is the right answer to its body; the identity model's where it is empty.
  std::function<bool(const Answer&, const std::string& body)> is_right{};
  milliseconds answer_deadline{kGenerous};
  bool keep_alive{true};  // else a new connection for each request
};

// A request that did not end in a right 200.
struct Incident {
  Answer answer;
  std::size_t body_bytes{0};
};
[[nodiscard]] std::string describe(const Incident& incident);

struct LoadCounts {
  std::uint64_t answered{0};
  std::uint64_t right{0};  // 200, and its own request's
  std::uint64_t wrong{0};  // 200, but not its own request's
  std::uint64_t lost{0};   // sent, and no answer came
  std::uint64_t hung{0};   // sent, and no answer came by the deadline
  // Sent twice: a reused connection was closed before the first byte of an answer. An idle server that is told to stop
  // may do that; what it did before it was told is counted here, and an incident.
  std::uint64_t resent{0};
  std::map<int, std::uint64_t> by_status;
  std::vector<Incident> incidents;  // the first few hundred

  // Incidents other than a connection refused or made after `moment`: what a stop begun then may not cause.
  [[nodiscard]] std::vector<std::string> incidents_before(Clock::time_point moment) const;
};

// A thread ends when it is told to stop, or when its connection is refused.
class Load {
 public:
  Load(Endpoint endpoint, LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Lets the requests in flight end, and counts.
  LoadCounts stop();
  // Waits for each thread to end by itself, its connection refused.
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
