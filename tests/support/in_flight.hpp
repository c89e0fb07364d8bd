// Requests that have been sent and whose answers are still to come, each on a connection of its own: something is
// done to the server in between.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::tests {

// What a list of wrong answers is when all were right.
inline const std::vector<std::string> kNoneWrong;

class InFlight {
 public:
  // On return every request has been written to its connection.
  InFlight(const Endpoint& endpoint, std::size_t count, std::size_t body_bytes = 50'000,
           const std::string& target = "/predict");

  // Reads one answer a connection, in the order of sending. When all have come, asks each connection that is still open
  // one thing more: the next answer must be to that. Then closes them all.
  struct Exchange {
    std::string body;
    Answer answer;
    bool answered_once{false};  // nothing followed the answer
  };
  [[nodiscard]] std::vector<Exchange> finish();

  // finish(), and what was not the identity model's one right answer, described; empty: all were.
  [[nodiscard]] std::vector<std::string> finish_and_list_wrong();

 private:
  struct Pending {
    HttpClient client;
    std::string body;
  };
  std::vector<Pending> pending_;
};

}  // namespace yolod::tests
