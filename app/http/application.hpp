// Connections call the application through this interface, on the front-end's only thread. FrontEnd implements the
// interface.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/access/gate.hpp"
#include "app/http/response.hpp"
#include "app/http/router.hpp"
#include "app/net/stream.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

class Application {
 public:
  [[nodiscard]] virtual const Router& router() const = 0;
  // The gate decides which requests may come in.
  [[nodiscard]] virtual access::Gate& gate() = 0;
  // Returns true once the server has begun to stop. Answers then have "Connection: close".
  [[nodiscard]] virtual bool draining() const = 0;

  // Writes the answer to a request that reaches no exchange, because its head, its path or its method is wrong. `path`
  // says which protocol's format the answer has; it is empty if the head is wrong.
  virtual void refuse(const common::Error& error, std::string_view path, Response& response) = 0;
  // Counts an answer that refuse() wrote. The connection calls it when it begins to send the answer.
  virtual void answered_without_exchange(int http_status) = 0;

  // The TLS handshake of a client has ended in this way.
  virtual void handshake_ended(net::Handshake how) = 0;

  // Says how much memory is missing for bodies that have waited for some time: for the body that has waited longest,
  // and for the body that needs the least. Other uploads must be evicted to free that memory. Both are 0 if no body
  // waits, or if a body waits for another reason than memory.
  struct Shortage {
    std::uint64_t first_bytes{0};
    std::uint64_t least_bytes{0};
  };
  [[nodiscard]] virtual Shortage room_shortage(common::Clock::time_point now) const = 0;
  // Says the same of the memory for bodies whose API key is still to be checked. Only uploads that yield for them may
  // be evicted then (UploadCost::yields_to_unchecked). `first_bytes` is for all bodies that wait.
  [[nodiscard]] virtual Shortage unchecked_shortage(common::Clock::time_point now) = 0;

 protected:
  ~Application() = default;
};

}  // namespace yolod::app::http
