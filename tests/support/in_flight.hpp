// Requests that have been sent and have no answers yet, each on a separate connection. A test does something to the
// server between sending and reading.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::tests {

// The list of wrong answers when all answers were right.
inline const std::vector<std::string> kNoneWrong;

class InFlight {
 public:
  // On return every request has been written to its connection.
  InFlight(const Endpoint& endpoint, std::size_t count, std::size_t body_bytes = 50'000,
           const std::string& target = "/predict");

  // Reads one answer from each connection, in the order of sending. Then sends another request on each connection
  // that is still open, and checks that the next answer belongs to it. Closes all connections at the end.
  struct Exchange {
    std::string body;
    Answer answer;
    bool answered_once{false};  // no second answer followed
  };
  [[nodiscard]] std::vector<Exchange> finish();

  // Calls finish() and describes each answer that was not the identity model's single right answer.
  [[nodiscard]] std::vector<std::string> finish_and_list_wrong();

 private:
  struct Pending {
    HttpClient client;
    std::string body;
  };
  std::vector<Pending> pending_;
};

}  // namespace yolod::tests
