// Implements POST /v2/repository/index, and load and unload of /v2/repository/models/M. The bodies of these requests
// are small. They lie on the heap, because only the front-end reads them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/api/oip/oip_exchange.hpp"
#include "app/http/request_id.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

// Loads this model again beside its serving generation. `done` is called once, later. The errors are as in
// api/admin/reload_exchange.
using AskForReload = std::function<void(std::string_view model, std::string_view request_id,
                                        std::function<void(const common::Outcome<void>&)> done)>;

// The base of these exchanges. A connection owns it and uses it on the front-end's only thread.
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

class IndexExchange final : public SmallBodyExchange {
 public:
  // The arguments outlive this object.
  IndexExchange(observe::Metrics& metrics, const ReadStatus& read) : SmallBodyExchange(metrics), read_(read) {}
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;

  const ReadStatus& read_;
};

// Loads a model again, as POST /reload does, and answers when the new generation serves or has failed.
class LoadExchange final : public SmallBodyExchange {
 public:
  // The arguments outlive this object.
  LoadExchange(observe::Metrics& metrics, const AskForReload& ask) : SmallBodyExchange(metrics), ask_(ask) {}
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;

 private:
  [[nodiscard]] common::Outcome<void> look_at(const http::RequestView& request) override;
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;

  const AskForReload& ask_;
  std::string model_;
  http::RequestId request_id_;
  common::Outcome<void> result_;
};

// Answers that a model cannot be unloaded while the server runs: system.yaml says which models are served.
class UnloadExchange final : public SmallBodyExchange {
 public:
  using SmallBodyExchange::SmallBodyExchange;
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;
};

}  // namespace yolod::app::api::oip
