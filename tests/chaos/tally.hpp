// What came of a storm: counted by many threads, read at its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

namespace yolod::chaos {

// How a request must end.
enum class Expected {
  kRight,        // 200, with what belongs to its body
  kPoison,       // 500: it kills whoever takes it
  kPoisonAgain,  // 422: two have died of it already
  kPoisonAnew    // 500 or 422: a reload may have come between, or kills that have nothing to do with it
};

// What is done to the server.
enum class Deed { kKill, kLoaderKill, kInterrupt, kHang, kResize, kReload, kBadReload };

struct Counts {
  std::uint64_t requests{0};
  std::map<int, std::uint64_t> by_status;
  std::uint64_t right{0};
  std::uint64_t wrong{0};       // 200, but not its own request's
  std::uint64_t unexpected{0};  // any other status than may be
  std::uint64_t lost{0};        // no answer; or closed unread and sent again, since nothing here explains that
  std::uint64_t resent{0};      // the latter among them
  std::uint64_t hung{0};        // no answer by the deadline
  std::uint64_t abandoned{0};
  std::uint64_t poison{0};
  std::map<Deed, std::uint64_t> deeds;
  std::set<pid_t> harmed;              // whom the deeds were done to
  std::vector<std::string> incidents;  // the first few

  [[nodiscard]] bool clean() const { return wrong + unexpected + lost + hung == 0; }
  [[nodiscard]] std::uint64_t times(Deed deed) const {
    const auto found = deeds.find(deed);
    return found == deeds.end() ? 0 : found->second;
  }
};

// Any thread.
class Tally {
 public:
  void abandon();
  void resend(const tests::Answer& answer, const std::string& body);
  void count(Expected expected, const tests::Answer& answer, const std::string& body);
  void did(Deed deed, pid_t harmed = 0);
  [[nodiscard]] Counts counts() const;

 private:
  void note(const tests::Answer& answer, const std::string& body, const char* what);

  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace yolod::chaos
