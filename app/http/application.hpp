// What connections ask of the application behind them. One thread.
#pragma once

#include <cstdint>

#include "app/http/response.hpp"
#include "app/http/router.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

class Application {
 public:
  [[nodiscard]] virtual const Router& router() const = 0;
  // A stop has begun: answers say Connection: close.
  [[nodiscard]] virtual bool draining() const = 0;

  // Writes the answer to a request that reaches no exchange, because its head, its path or its method is wrong.
  virtual void refuse(const common::Error& error, Response& response) = 0;
  // Such an answer is being sent.
  virtual void answered_without_exchange(int http_status) = 0;

  // How many bytes of other uploads would have to go so that a body that waits for room can be served, of those that
  // have waited for a while: the first of them, and the one that needs least. 0 where no body waits, or where room is
  // not what it lacks.
  struct Shortage {
    std::uint64_t first_bytes{0};
    std::uint64_t least_bytes{0};
  };
  [[nodiscard]] virtual Shortage room_shortage(common::Clock::time_point now) const = 0;

 protected:
  ~Application() = default;
};

}  // namespace yolod::app::http
