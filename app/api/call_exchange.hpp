// The exchange of a request that asks a model: drives a protocol's handler against the scheduler. The body lies in the
// arena, and every worker may read it there: nothing secret may come by this way.
//
// Front-end only, its one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "app/api/handler.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/schedule/request.hpp"
#include "app/serving/body_room.hpp"
#include "app/serving/models.hpp"
#include "common/config/server_config.hpp"
#include "common/recycled.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::api {

// What calls need of the front-end. All of it outlives every exchange.
struct CallContext {
  const serving::Models& models;
  serving::BodyRoom& body_room;
  observe::Metrics& metrics;
  const common::ServerConfig& config;
  std::function<bool()> draining;  // a stop has begun
};

class CallExchange final : public http::Exchange, public common::Recycled<CallExchange> {
 public:
  CallExchange(const CallContext& context, std::unique_ptr<Handler> handler)
      : context_(context), handler_(std::move(handler)) {}

  [[nodiscard]] Next begin(const http::Question& question, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] BodyRule body_rule() const override;
  [[nodiscard]] bool try_room(std::uint64_t bytes) override;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override;
  [[nodiscard]] std::span<std::byte> room() const override { return room_.bytes(); }
  void drop_room() override { room_ = {}; }
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) override;
  void client_is_gone() override;
  void refuse(const common::Error& error, http::Response& response) override;
  void answered(int http_status) override;

 private:
  // kBody -> kReady -> kAsked -> kRendering; each may end in an answer.
  enum class Stage {
    kBody,       // the body is still to come
    kReady,      // the handler looks at the body
    kAsked,      // the calls are with the dispatcher
    kRendering,  // the handler writes the answer
  };

  [[nodiscard]] Next make_ready(http::Response& response);
  [[nodiscard]] Next hand_over();
  [[nodiscard]] Next render(http::Response& response);
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response);
  [[nodiscard]] schedule::Job job_of(const Call& call);
  // Of the call with that number.
  void answer_came(std::size_t number, schedule::Answer answer);
  // Nobody waits for the calls any more: those that no worker has end now.
  void take_back();
  [[nodiscard]] std::chrono::milliseconds room_patience() const;
  [[nodiscard]] common::Error no_room() const;

  const CallContext& context_;
  std::unique_ptr<Handler> handler_;
  Stage stage_{Stage::kBody};
  Plan plan_;
  ipc::ArenaBlock room_;
  Calls calls_;
  Answers answers_;
  std::uint64_t first_id_{0};  // of the calls at the dispatcher, which follow each other
  bool taken_back_{false};
  std::optional<common::Error> failure_;  // of the first call that failed
};

}  // namespace yolod::app::api
