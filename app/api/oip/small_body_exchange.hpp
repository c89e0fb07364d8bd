// The base of exchanges with a small body, which only the front-end reads. The body lies on the heap.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "app/api/oip/oip_error.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

// Returns the body's object. A body that is absent, or has only blanks, is an empty object. An Error has code
// kBadRequest.
[[nodiscard]] common::Outcome<boost::json::object> object_in(std::string_view body);

// A connection owns it and uses it on the front-end's only thread.
class SmallBodyExchange : public http::Exchange {
 public:
  // A longer body is refused. The front-end parses a body of this size in well below 1 ms.
  static constexpr std::uint64_t kLimitBytes = 16 * 1024;

  // `metrics` outlives this object.
  explicit SmallBodyExchange(observe::Metrics& metrics) : metrics_(metrics) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) final;
  [[nodiscard]] BodyRule body_rule() const final { return {kLimitBytes, kLimitBytes}; }
  [[nodiscard]] bool try_room(std::uint64_t bytes) final;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) final;
  [[nodiscard]] std::span<std::byte> room() const final { return room_; }
  void drop_room() final;
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) final;
  [[nodiscard]] bool minds_client() const final { return false; }
  void client_is_gone() final {}
  void refuse(const common::Error& error, http::Response& response) final { write_error(response, error); }
  void answered(int http_status) final { metrics_.answered_without_model(http_status); }
  // The connection calls these two only after act() has returned kWait.
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;

 protected:
  // Makes the decisions that need only the head. The client receives an Error.
  [[nodiscard]] virtual common::Outcome<void> look_at(const http::RequestView& /*request*/) { return {}; }
  // Answers, or returns kWait. `body` is empty if the request has none.
  [[nodiscard]] virtual Next act(std::string_view body, http::Response& response) = 0;
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response);

 private:
  observe::Metrics& metrics_;
  std::vector<std::byte> bytes_;
  std::span<std::byte> room_;
};

}  // namespace yolod::app::api::oip
