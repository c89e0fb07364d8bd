// One client's connection: reads requests, has them answered, writes the answers, one at a time, until either side is
// done. A coroutine over a socket. It knows HTTP alone: a request's exchange knows what is asked and how it is
// answered; the pure parts of the protocol are in request_head, request_target, body_upload and response.
//
// It has many small functions because it has one coroutine frame for its life: each function is what happens between
// two waits.
//
// Front-end only, its one thread. Kept alive by its own coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>

#include "app/http/audience.hpp"
#include "app/http/body_upload.hpp"
#include "app/http/connection_list.hpp"
#include "app/http/exchange.hpp"
#include "app/http/head_search.hpp"
#include "app/http/places.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_id.hpp"
#include "app/http/response.hpp"
#include "app/http/router.hpp"
#include "app/http/unsent_answer.hpp"
#include "app/net/listener_role.hpp"
#include "common/awake_clock.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

class Connection : public std::enable_shared_from_this<Connection>, public Place {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  // The list outlives the connection.
  Connection(Socket socket, net::ListenerRole role, ConnectionList& list);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // Called once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // Place
  // Ends whatever waits for the client longer than it may, and what the client does not wait for.
  bool check_deadline(common::Clock::time_point now) override;
  void give_up_place() override;
  [[nodiscard]] std::optional<UploadCost> upload_cost(common::Clock::time_point now) const override;
  // Ends the upload: 408 if it was behind the pace, else 503.
  void give_way(common::Clock::time_point now) override;

 private:
  // What run() waits for next. Each step, in brackets where few requests need it, leads to one further right:
  //
  //   kNextRequest  kReadHeader   [kSayContinue]  [kAwaitBody]  [kAwaitRoom]  kReadBody  [kMoreRoom]  ...
  //                 [kAwaitPlace]
  //
  //   ...  [kNextTurn]  kWait  [kNextTurn]  [kWriteRest]
  //
  // and the end of an answer to kNextRequest, [kLinger] or kEnd; [kLetOthers] to kNextRequest.
  enum class Step {
    kNextRequest,
    kReadHeader,
    kAwaitPlace,  // in the reserve, with a request that may go no further from there
    kSayContinue,
    kAwaitBody,  // the first bytes of a body: a client that declares much and sends nothing holds no room
    kAwaitRoom,
    kReadBody,     // into the room
    kReadFraming,  // of a chunked body, into the buffer
    kMoreRoom,
    kNextTurn,   // other connections have their turn
    kWait,       // for what the exchange waits for
    kWriteRest,  // what the client's window did not take at once
    kLinger,
    kLetOthers,  // after many requests that came at once
    kEnd,
  };
  enum class BodyState { kRead, kUnread };
  // What one turn of the event loop may take or send of one connection: some 0.1 ms, with the pages of the arena that
  // are touched for the first time.
  static constexpr std::size_t kBytesAtOnce = 256 * 1024;

  // ---- the head ----
  [[nodiscard]] Step next_request();
  void begin_request();
  [[nodiscard]] Step header_came(boost::system::error_code failure);
  [[nodiscard]] Step read_head();
  // For a connection in the reserve: whether it may be served. Else it waits for a place or is refused, as `otherwise`
  // says.
  [[nodiscard]] bool may_be_served(const RequestHead& head, Step& otherwise);
  // Everything that the head decides.
  [[nodiscard]] Step answer(const RequestHead& head);
  // Does what the exchange says.
  [[nodiscard]] Step follow(Exchange::Next next);
  [[nodiscard]] boost::asio::awaitable<void> wait_for_exchange();

  // ---- the body ----
  [[nodiscard]] Step begin_body(const RequestHead& head);
  [[nodiscard]] boost::asio::awaitable<Step> say_continue();
  [[nodiscard]] Step await_body();
  [[nodiscard]] Step body_began(boost::system::error_code failure);
  [[nodiscard]] Step make_room();
  [[nodiscard]] boost::asio::awaitable<Step> await_room();
  [[nodiscard]] boost::asio::awaitable<Step> await_more_room();
  [[nodiscard]] Step upload_is(BodyUpload::State state);
  // Reads what has come already, most often all; else the step that waits for more.
  [[nodiscard]] Step read_body_now();
  [[nodiscard]] Step body_came(boost::system::error_code failure, std::size_t bytes);
  [[nodiscard]] Step body_complete();
  [[nodiscard]] Step drop_body(const common::Error& error);
  [[nodiscard]] common::Error read_failure() const;

  // ---- the answer ----
  [[nodiscard]] Step refuse(const common::Error& error, BodyState body);
  // Sends the scratch response. With a body that was not read, the connection ends after it.
  [[nodiscard]] Step respond(BodyState body);
  [[nodiscard]] boost::asio::awaitable<Step> write_rest();
  [[nodiscard]] Step answer_written();
  // Half-closes and reads on for a while: a client that is still sending would else lose the answer to a reset.
  [[nodiscard]] boost::asio::awaitable<void> linger();

  // Tells the exchange once the client is gone.
  void look_for_client();
  // Ends what waits for the client.
  void time_out();
  void occupy(Occupation occupation, common::Clock::time_point now) { places().change(*this, occupation, now); }
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = common::AwakeClock::now() + from_now; }
  void no_deadline() { deadline_ = common::Clock::time_point::max(); }
  [[nodiscard]] Places& places() { return list_.places(peer_.role); }
  [[nodiscard]] Scratch& scratch() { return list_.scratch(); }

  Socket socket_;
  const Peer peer_;
  ConnectionList& list_;
  boost::beast::flat_buffer buffer_;
  common::Clock::time_point deadline_{common::Clock::time_point::max()};
  bool timed_out_{false};
  bool idle_{false};
  unsigned without_wait_{0};  // requests that were in the buffer already

  // Of the request at hand.
  common::Clock::time_point request_began_;
  HeadSearch search_;
  RequestId request_id_;
  unsigned version_{11};
  bool keep_alive_{false};
  bool is_head_{false};
  BodyState body_state_{BodyState::kRead};
  bool closing_{false};                 // after its answer
  std::unique_ptr<Exchange> exchange_;  // from its route to its answer
  BodyUpload upload_;
  bool waiting_{false};  // for what the exchange waits for, while it minds its client
  bool probed_{false};   // whether the client is still there

  // The beginning of an answer that is written in several turns.
  std::unique_ptr<Response> begun_;

  std::unique_ptr<UnsentAnswer> unsent_;  // what could not be sent at once
};

}  // namespace yolod::app::http
