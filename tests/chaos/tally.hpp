// Counts the results of a storm. Many threads count, and one reads at the end.
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

// The expected end of a request.
enum class Expected {
  kRight,        // 200, with the right answer to its body
  kPoison,       // 500: it kills each worker that takes it
  kPoisonAgain,  // 422: it has killed two workers already
  kPoisonAnew    // 500 or 422: a reload or unrelated kills may have come between
};

// The actions on the server.
enum class Action { kKill, kLoaderKill, kInterrupt, kHang, kResize, kReload, kBadReload };

struct Counts {
  std::uint64_t requests{0};
  std::map<int, std::uint64_t> by_status;
  std::uint64_t right{0};
  std::uint64_t wrong{0};       // 200, but the answer to another request
  std::uint64_t unexpected{0};  // any status that is not allowed
  std::uint64_t lost{0};        // no answer; or closed unread and sent again, which no action explains
  std::uint64_t resent{0};      // the requests among them that were sent again
  std::uint64_t hung{0};        // no answer by the deadline
  std::uint64_t abandoned{0};
  std::uint64_t poison{0};
  std::map<Action, std::uint64_t> actions;
  std::set<pid_t> harmed;              // the processes that the actions hit
  std::vector<std::string> incidents;  // the first few

  [[nodiscard]] bool clean() const { return wrong + unexpected + lost + hung == 0; }
  [[nodiscard]] std::uint64_t times(Action action) const {
    const auto found = actions.find(action);
    return found == actions.end() ? 0 : found->second;
  }
};

// Any thread may call these functions.
class Tally {
 public:
  void abandon();
  void resend(const tests::Answer& answer, const std::string& body);
  void count(Expected expected, const tests::Answer& answer, const std::string& body);
  void did(Action action, pid_t harmed = 0);
  [[nodiscard]] Counts counts() const;

 private:
  void note(const tests::Answer& answer, const std::string& body, const char* what);

  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace yolod::chaos
