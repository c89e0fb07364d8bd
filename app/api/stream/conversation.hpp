// A StreamConversation is one WebSocket of /stream. A text message changes the options, and a binary message is one
// picture. The server admits, schedules, replays and quarantines each picture as the body of a POST.
//
//   the picture comes -> it waits for its turn -> the scheduler has it -> its answer is sent
//                              \-> [dropped by a newer picture]
//
// At most max_in_flight pictures are with the scheduler, and one more waits. With drop: none, the server stops
// reading then. With drop: oldest, a new picture replaces the waiting one, and the next answer tells how many were
// dropped.
//
// The WebSocket owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "app/api/call_exchange.hpp"
#include "app/api/stream/options.hpp"
#include "app/api/stream/turns.hpp"
#include "app/http/conversation.hpp"

namespace yolod::app::api::stream {

class PictureExchange;

class StreamConversation final : public http::Conversation, private TurnTaker {
 public:
  // `context` outlives this object.
  StreamConversation(const CallContext& context, std::shared_ptr<Turns> turns, StreamOptions options);
  ~StreamConversation() override;

  [[nodiscard]] std::unique_ptr<http::Exchange> begin_message(Kind kind) override;
  void note_came(std::string_view text, http::Response& response) override;
  [[nodiscard]] std::size_t most_unanswered() const override;

  // ---- for its pictures ----

  // The picture has come and can go to the scheduler.
  void ready(PictureExchange& picture);
  // The picture no longer waits for its turn, because the client is gone.
  void leave(PictureExchange& picture);
  // The picture has had its turn and is answered.
  void ended();
  [[nodiscard]] Turns& turns() { return *turns_; }

 private:
  void take_turn() override;
  // Enters the line if a picture waits and another picture may go to the scheduler.
  void enter_line();
  void drop(PictureExchange& picture);
  [[nodiscard]] std::size_t most_in_flight() const;
  [[nodiscard]] std::uint64_t take_dropped();

  const CallContext& context_;
  const std::shared_ptr<Turns> turns_;
  StreamOptions options_;
  std::uint64_t picture_count_{0};
  std::uint64_t dropped_count_{0};        // that no answer has told
  std::deque<PictureExchange*> waiting_;  // for their turn
  std::size_t in_flight_count_{0};
  bool in_line_{false};
};

// The exchange of one picture. The WebSocket owns it and destroys it before the conversation.
class PictureExchange final : public http::Exchange {
 public:
  PictureExchange(StreamConversation& owner, const CallContext& context, std::unique_ptr<Handler> handler)
      : owner_(owner), call_(context, std::move(handler)) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override {
    return call_.begin(request, response);
  }
  [[nodiscard]] Next proceed(http::Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] BodyRule body_rule() const override { return call_.body_rule(); }
  [[nodiscard]] bool try_room(std::uint64_t bytes) override { return call_.try_room(bytes); }
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) override {
    return call_.await_room(bytes, kept_bytes);
  }
  [[nodiscard]] std::span<std::byte> room() const override { return call_.room(); }
  void drop_room() override { call_.drop_room(); }
  [[nodiscard]] Next body_came(std::uint64_t bytes, http::Response& response) override;
  void client_is_gone() override;
  void refuse(const common::Error& error, http::Response& response) override { call_.refuse(error, response); }
  void answered(int http_status) override;

  // ---- for the conversation ----

  // Gives the picture to the scheduler.
  void begin_turn();
  // Ends the picture without an answer.
  void drop();

 private:
  // The order is kComing -> kWaiting -> kHasTurn. kDropped is the end of a picture that waited.
  enum class Stage { kComing, kWaiting, kHasTurn, kDropped };

  StreamConversation& owner_;
  CallExchange call_;
  Stage stage_{Stage::kComing};
  Resume resume_;  // while the picture waits for its turn
};

}  // namespace yolod::app::api::stream
