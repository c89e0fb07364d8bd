// What came of a storm: counted by many threads, read at its end.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::chaos {

// How a request must end.
enum class Expected {
  kRight,     // 200, with what belongs to its body
  kPoison,    // 500, 422 or 504: it kills whoever takes it
  kAbandoned  // nobody waits for it
};

struct Counts {
  std::uint64_t requests{0};
  std::map<int, std::uint64_t> by_status;
  std::uint64_t wrong{0};       // 200, but not its own request's
  std::uint64_t unexpected{0};  // any other status than may be
  std::uint64_t lost{0};        // no answer
  std::uint64_t hung{0};        // no answer by the deadline
  std::uint64_t abandoned{0};
  std::uint64_t poison{0};
  std::uint64_t kills{0};
  std::uint64_t loader_kills{0};
  std::uint64_t reloads{0};
  std::uint64_t bad_reloads{0};
  std::vector<std::string> incidents;  // the first few

  [[nodiscard]] bool clean() const { return wrong + unexpected + lost + hung == 0; }
};

// Any thread.
class Tally {
 public:
  void abandon();
  void count(Expected expected, const tests::Answer& answer, const std::string& body);
  void kill(bool loader);
  void reload(bool bad);
  [[nodiscard]] Counts counts() const;

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace yolod::chaos
