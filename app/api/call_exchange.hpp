// A CallExchange is the exchange of a request to a model. It connects a protocol's handler with the scheduler.
//
// The body is in the arena, where every worker can read it. A body that may have an API key (Handler::may_have_key) is
// read to a PrivateRoom instead, and only the contents of its calls are copied to the arena. The room in the arena is
// reserved from the start, so that the private memory of all bodies together is bounded like the arena.
//
// A connection owns it and uses it on the front-end's only thread.
#pragma once

#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "app/access/late_check.hpp"
#include "app/api/handler.hpp"
#include "app/api/private_room.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/schedule/request.hpp"
#include "app/serving/body_room.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"
#include "common/recycled.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::api {

// Calls use these parts of the front-end. All of them outlive every exchange.
struct CallContext {
  const serving::Models& models;
  serving::BodyRoom& body_room;
  observe::Metrics& metrics;
  const common::ServerConfig& config;
  std::function<bool()> draining;  // returns true once the server has begun to stop
};

// The class is large, because the connection, the handler, the memory and the dispatcher each call it, and it must end
// in any order of these calls.
class CallExchange final : public http::Exchange, public common::Recycled<CallExchange> {
 public:
  CallExchange(const CallContext& context, std::unique_ptr<Handler> handler)
      : context_(context), handler_(std::move(handler)) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] BodyRule body_rule() const override;
  [[nodiscard]] bool try_room(std::uint64_t bytes) override;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override;
  [[nodiscard]] std::span<std::byte> room() const override { return is_private_ ? private_.bytes() : room_.bytes(); }
  [[nodiscard]] bool yields_to_unchecked() const override { return unchecked_ && unchecked_->may_be_evicted(); }
  void drop_room() override;
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) override;
  void client_is_gone() override;
  void refuse(const common::Error& error, http::Response& response) override;
  void answered(int http_status) override;

 private:
  // The order is kBody -> kReady [-> kCopying] -> kAsked -> kRendering. Each stage may end with an answer.
  enum class Stage {
    kBody,       // the body has not arrived completely
    kReady,      // the handler examines the body
    kCopying,    // the contents of the calls are copied from the private room to the arena
    kAsked,      // the dispatcher has the calls
    kRendering,  // the handler writes the answer
  };

  [[nodiscard]] Next make_ready(http::Response& response);
  // Checks the API key of the body, unless it has been checked. Returns what the client receives if the request may
  // not come in.
  [[nodiscard]] std::optional<common::Error> check_key(std::string_view key);
  // Asks the dispatcher whether it would take the request.
  [[nodiscard]] common::Outcome<void> admit();
  // Takes a room in the arena and, for a private body, the same size of private memory.
  [[nodiscard]] bool take_room(ipc::ArenaBlock room, std::uint64_t bytes, std::uint64_t kept_bytes);
  // Copies more of the calls' contents to the arena.
  [[nodiscard]] Next copy_contents(http::Response& response);
  // Copies more of the body to a larger room, as the handler wants it.
  [[nodiscard]] Next fill_piece(http::Response& response);
  [[nodiscard]] Next hand_over();
  // Replaces the model of the plan if it is no longer served and another model has its name. REQUIRES: the dispatcher
  // has no call yet.
  void find_model_again();
  [[nodiscard]] Next render(http::Response& response);
  [[nodiscard]] Next fail(const common::Error& error, http::Response& response);
  [[nodiscard]] schedule::Job job_of(const Call& call);
  // The calls of a request that has several calls.
  struct Several;
  // Gives the next call to the dispatcher.
  void ask_next(const std::shared_ptr<Several>& several);
  // Does the same unless one of the calls has failed or the client is gone.
  void ask_next_or_stop(const std::shared_ptr<Several>& several);
  // Stores the answer of the call with this number.
  void answer_came(std::size_t number, schedule::Answer&& answer);
  // Cancels the calls because their answers are not needed. Calls that no worker holds end now.
  void cancel_calls();
  [[nodiscard]] std::chrono::milliseconds room_patience() const;
  [[nodiscard]] std::span<const std::byte> body() const { return room().first(body_bytes_); }
  [[nodiscard]] common::Error no_room() const;

  const CallContext& context_;
  std::unique_ptr<Handler> handler_;
  common::Clock::time_point began_;
  Stage stage_{Stage::kBody};
  Plan plan_;
  std::optional<access::LateCheck> late_check_;  // nothing: the connection has checked the caller
  std::optional<common::Error> begin_error_;     // of begin(); only a client with a right key receives it
  bool is_admitted_{false};                      // by the dispatcher
  ipc::ArenaBlock room_;
  bool client_left_{false};  // before the whole body was there
  bool is_private_{false};   // whether the body is in private_
  PrivateRoom private_;
  std::optional<serving::UncheckedRoom::Hold> unchecked_;  // exists while the key in the body is still to be checked
  std::uint64_t body_bytes_{0};                            // set when the whole body is there
  std::size_t copied_calls_{0};
  std::size_t copied_bytes_{0};  // of the next call's content
  std::size_t copied_to_{0};     // the end of the copies in room_
  ipc::ArenaBlock piece_;        // replaces the room when the handler has filled it
  bool has_piece_{false};
  Calls calls_;
  Answers answers_;
  const std::byte* body_{nullptr};                        // the start of the body, which a job has
  std::uint64_t body_offset_{0};                          // of the body, from the start of the arena
  boost::container::small_vector<std::uint64_t, 1> ids_;  // of the calls that the dispatcher has got
  bool cancelled_{false};
  std::optional<common::Error> failure_;  // the error of the first call that failed
};

}  // namespace yolod::app::api
