// A WebSocket serves a connection after its upgrade (RFC 6455). It reads messages, passes each to an exchange of its
// conversation and sends the answers in the order of the messages. Several messages may be under way at a time.
//
//   run():   the answer 101  ->  messages  ->  the closing handshake  ->  all exchanges have ended
//
// Beast's websocket::stream reads and writes the frames. There is no compression of messages.
//
// A message is at most server.max_body_bytes long (close code 1009) and must keep the pace of a body (1008). A client
// must read its answers within server.write_timeout. A client that sends nothing gets a ping after 20 s, and the server
// closes the connection after 40 s. The credential and the limits of its key are checked again for each message. Once
// the server begins to stop, messages under way are answered, and the WebSocket ends with 1001. The client then has 2 s
// to read its last answers and to return the close frame.
//
// An idle WebSocket holds about 4 KiB, because it has no buffer for messages.
//
// The connection owns it, runs it within its coroutine and calls it on the front-end's only thread.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/access/caller.hpp"
#include "app/access/limits.hpp"
#include "app/http/connection_list.hpp"
#include "app/http/conversation.hpp"
#include "app/http/exchange.hpp"
#include "app/http/places.hpp"
#include "app/http/request_id.hpp"
#include "app/http/response.hpp"
#include "app/http/upload_clock.hpp"
#include "app/net/listener_role.hpp"
#include "app/net/stream.hpp"
#include "common/clock.hpp"
#include "common/completion.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

// The class is large, because reading and writing decide together how a WebSocket ends.
class WebSocket {
 public:
  // The parts of the connection. They outlive the WebSocket.
  struct Parts {
    net::Stream& stream;
    boost::beast::flat_buffer& received;  // the bytes after the request's head
    ConnectionList& list;
    Place& place;
    net::ListenerRole role;
    const access::Limits::Presence& presence;
  };
  // The facts of the request that began the WebSocket.
  struct Beginning {
    std::string key;  // Sec-WebSocket-Key
    RequestId request_id;
    access::Caller caller;
    access::Need need;
    bool is_tls;
    bool offers_subprotocol;
  };

  WebSocket(const Parts& parts, Beginning beginning, std::unique_ptr<Conversation> conversation);
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  // Call it once. At its end no operation of this object is pending.
  [[nodiscard]] boost::asio::awaitable<void> run();
  // Returns whether the client may still send bytes, so that the connection must read them before it closes.
  [[nodiscard]] bool must_linger() const { return must_linger_; }

  // The functions of Place.
  bool check_deadline(common::Clock::time_point now);
  void evict();
  [[nodiscard]] std::optional<UploadCost> upload_cost(common::Clock::time_point now) const;
  void evict_upload(common::Clock::time_point now);

 private:
  enum class CloseCode : std::uint16_t {  // RFC 6455, 7.4.1
    kGoingAway = 1001,
    kUnsupported = 1003,
    kBadText = 1007,
    kPolicy = 1008,
    kTooBig = 1009,
    kTryAgainLater = 1013,
  };
  struct Closing {
    CloseCode code;
    std::string_view reason;  // a string constant
  };
  // A message that has no sent answer.
  struct Message {
    std::unique_ptr<Exchange> exchange;  // until the answer is complete
    access::Limits::Ticket ticket;
    Response response;
  };
  using Next = Exchange::Next;
  using Messages = std::list<Message>;
  struct Frames;  // Beast's stream
  // The client's bytes wait here on their way to the room of the message.
  static constexpr std::size_t kPieceBytes = 32 * 1024;
  using Piece = std::array<std::byte, kPieceBytes>;

  // ---- reading ----
  [[nodiscard]] boost::asio::awaitable<bool> accept();
  [[nodiscard]] boost::asio::awaitable<void> receive(std::size_t bytes);
  [[nodiscard]] boost::asio::awaitable<void> receive_note(Conversation::Kind kind, std::size_t bytes);
  // Reads the rest of the message.
  [[nodiscard]] boost::asio::awaitable<void> receive_rest();
  // Makes room for the message, whose first `kept_bytes` are in the present room, or refuses it.
  [[nodiscard]] boost::asio::awaitable<void> make_room(std::uint64_t bytes, std::uint64_t kept_bytes);
  // Makes a larger room for a message of several frames.
  [[nodiscard]] boost::asio::awaitable<void> make_more_room();
  // Makes all decisions that need no byte of the message.
  void begin_message(std::unique_ptr<Exchange> exchange);
  [[nodiscard]] std::optional<common::Error> admit(Message& message);
  void take(const std::byte* bytes, std::size_t count);
  void message_complete();
  // Answers the message that is being received with an error, and discards the rest of it.
  void refuse_upload(const common::Error& error);
  void read_failed(boost::system::error_code failure);
  [[nodiscard]] bool may_read() const { return closing_ || unanswered_count() < conversation_->most_unanswered(); }
  [[nodiscard]] std::size_t unanswered_count() const { return messages_.size() + unsent_.size(); }
  [[nodiscard]] UploadClock::Progress progress() const { return {0, received_bytes_, room_bytes_}; }

  // ---- the exchanges ----
  void drive(Message& message, Next next);
  void answered(Message& message);
  // Moves complete answers to unsent_, in the order of the messages.
  void collect_answers();

  // ---- writing ----
  void write_next();
  void written(boost::system::error_code failure);
  void ping();
  // Reads no further message, sends the answers of all messages, and then ends the WebSocket.
  void close(Closing closing);
  void send_close();
  // Writes as much of the close frame as the socket has room for.
  void continue_close();
  // Closes the socket, so that all operations end.
  void cut_off();

  // ---- the end ----
  [[nodiscard]] boost::asio::awaitable<void> settle();
  [[nodiscard]] bool has_pending() const;
  // Tells the exchanges that the client is gone.
  void abandon_messages();

  // Calls `work` in a later turn of the event loop.
  template <typename Work>
  void later(Work work);
  [[nodiscard]] boost::asio::awaitable<void> wait_for_change();
  // Resumes run() if it waits for a change.
  void wake();
  void show_occupation();

  const Parts parts_;
  const Beginning beginning_;
  access::Caller caller_;
  const std::unique_ptr<Conversation> conversation_;
  const std::unique_ptr<Frames> frames_;
  common::Completion<> waiting_;  // resumes run()
  std::size_t posted_count_{0};   // calls of later() that have not run

  // Reading. first_ gets the first bytes of a message, so that an idle WebSocket needs no larger buffer.
  std::array<std::byte, 512> first_;
  std::unique_ptr<Piece> piece_;  // exists while a longer message comes
  std::string note_;
  bool is_reading_{false};
  common::Clock::time_point heard_at_;   // when the client's last bytes came, or when reading began again
  common::Clock::time_point pinged_at_;  // when the last ping was sent

  // The message that is being received.
  Message* receiving_{nullptr};  // null: none, or the server discards it
  bool is_in_message_{false};
  UploadClock clock_;
  Exchange::BodyRule rule_{};
  std::uint64_t received_bytes_{0};
  std::uint64_t room_bytes_{0};

  Messages messages_;           // in their order
  std::list<Response> unsent_;  // the answers; the first is being sent
  bool is_writing_{false};
  bool is_pinging_{false};
  common::Clock::time_point write_deadline_{};

  std::optional<Closing> closing_;
  bool close_sent_{false};   // or the socket has no room for it yet
  std::string close_frame_;  // the bytes of the close frame that are still to be written
  common::Clock::time_point close_deadline_{};
  bool is_over_{false};  // nothing more is read or sent
  bool are_abandoned_{false};
  bool must_linger_{false};
};

}  // namespace yolod::app::http
