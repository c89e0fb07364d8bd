// A Connection serves one client. It reads one request at a time, passes it to its exchange and writes the answer,
// until the client or the server ends the connection. This class knows only HTTP; the exchange knows what the
// request means. The parts of the protocol that need no socket are in request_head, request_target, body_upload and
// response.
//
// The connection is one coroutine with one frame for its whole life. Each small function does the work between two
// waits.
//
// The coroutine runs on the front-end's only thread and keeps the object alive.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/access/forwarding.hpp"
#include "app/access/late_check.hpp"
#include "app/access/limits.hpp"
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
#include "app/http/websocket.hpp"
#include "app/net/listener_role.hpp"
#include "app/net/stream.hpp"
#include "common/awake_clock.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

// The class is large, because its functions are the steps of one state machine, and most of them end a step of each
// other.
class Connection : public std::enable_shared_from_this<Connection>, public Place {
 public:
  using Socket = net::Stream::Socket;

  // The list outlives the connection.
  Connection(Socket socket, net::ListenerRole role, ConnectionList& list,
             std::shared_ptr<const common::TlsContext> tls = nullptr);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // Call it once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // These functions implement Place. check_deadline() ends the connection's wait if the client has exceeded a
  // timeout, and tells the exchange if the client is gone.
  bool check_deadline(common::Clock::time_point now) override;
  void evict() override;
  [[nodiscard]] std::optional<UploadCost> upload_cost(common::Clock::time_point now) const override;
  // Ends the upload with status 408 if it was behind the pace, otherwise with 503.
  void evict_upload(common::Clock::time_point now) override;

 private:
  // Names what run() does next. Each step leads to a step further to the right; few requests need the steps in
  // brackets:
  //
  //   [kShakeHands]  kNextRequest  kReadHeader   [kSendContinue]  [kAwaitBody]  [kAwaitRoom]  kReadBody  [kMoreRoom]
  //   ...
  //                 [kAwaitPlace]
  //
  //   ...  [kNextTurn]  kWait  [kNextTurn]  [kWriteRest]
  //
  // An upgrade leads from kReadHeader to [kWebSocket].
  // The end of an answer leads to kNextRequest, [kLinger] or kEnd. [kLetOthers] leads to kNextRequest.
  enum class Step {
    kShakeHands,  // with TLS only
    kNextRequest,
    kReadHeader,
    kAwaitPlace,  // the connection is in the reserve, and its request is not served from there
    kSendContinue,
    kAwaitBody,  // wait for the first bytes; a client that sends nothing gets no room
    kAwaitRoom,
    kReadBody,     // read the body into the room
    kReadFraming,  // read the framing of a chunked body into the buffer
    kMoreRoom,
    kNextTurn,   // let other connections run
    kWait,       // wait until the exchange can proceed
    kWriteRest,  // send the bytes that the client's window did not take at once
    kLinger,
    kLetOthers,  // let other connections run after many pipelined requests
    kWebSocket,  // the connection is a WebSocket until its end
    kEnd,
  };
  enum class BodyState { kRead, kUnread };
  // The event loop reads or sends at most this much for one connection in one turn. That takes about 0.1 ms, and
  // includes page faults in the arena.
  static constexpr std::size_t kBytesAtOnce = 256 * 1024;

  // ---- TLS ----
  [[nodiscard]] boost::asio::awaitable<Step> shake_hands();
  [[nodiscard]] boost::asio::awaitable<void> wait_for_turn();
  [[nodiscard]] Step handshake_ended();
  [[nodiscard]] Step refuse_plain_http();

  // ---- the head ----
  [[nodiscard]] Step next_request();
  // The next functions pass `now` on, so that a request reads the clock seldom.
  void begin_request(common::AwakeClock::time_point now);
  [[nodiscard]] Step header_came(boost::system::error_code failure);
  [[nodiscard]] Step read_head(common::AwakeClock::time_point now);
  // Returns whether a connection in the reserve may be served. If not, `otherwise` is the next step: it waits for a
  // place or refuses the request.
  [[nodiscard]] bool may_be_served(const RequestHead& head, common::AwakeClock::time_point now, Step& otherwise);
  // Makes all decisions that need only the head.
  [[nodiscard]] Step answer(const RequestHead& head, common::AwakeClock::time_point now);
  // Answers OPTIONS. It needs no credential, because a browser sends none with a preflight.
  [[nodiscard]] Step tell_options(const RequestHead& head, std::string_view methods, BodyState body);
  // Returns whether the client may use the route, and fills in `caller`. If the route has its key in the body, it also
  // fills in `late`. Otherwise it sets the next step. REQUIRES: the exchange exists, because it writes the refusal.
  [[nodiscard]] bool may_come_in(const Route& route, const RequestHead& head, common::AwakeClock::time_point now,
                                 access::Caller& caller, std::optional<access::LateCheck>& late, Step& otherwise);
  [[nodiscard]] Step follow(Exchange::Next next);
  [[nodiscard]] Step begin_websocket(const RequestHead& head, const Route& route, const access::Caller& caller);
  [[nodiscard]] boost::asio::awaitable<Step> be_websocket();
  [[nodiscard]] boost::asio::awaitable<void> wait_for_exchange();

  // ---- the body ----
  [[nodiscard]] Step begin_body(const RequestHead& head);
  [[nodiscard]] boost::asio::awaitable<Step> send_continue();
  [[nodiscard]] Step await_body();
  [[nodiscard]] Step body_began(boost::system::error_code failure);
  [[nodiscard]] Step make_room();
  [[nodiscard]] boost::asio::awaitable<Step> await_room();
  [[nodiscard]] boost::asio::awaitable<Step> await_more_room();
  [[nodiscard]] Step follow_upload(BodyUpload::State state);
  // Reads the bytes that have arrived, which is usually the whole body. Returns the step that waits for more if some
  // are missing.
  [[nodiscard]] Step read_body_now();
  [[nodiscard]] Step body_came(boost::system::error_code failure, std::size_t bytes);
  [[nodiscard]] Step body_complete();
  [[nodiscard]] Step drop_body(const common::Error& error);
  [[nodiscard]] common::Error read_failure() const;

  // ---- the answer ----
  // `path` is for a request without an exchange, see Application::refuse().
  [[nodiscard]] Step refuse(const common::Error& error, BodyState body, std::string_view path = {});
  // Sends the scratch response. The connection ends after this answer if the body was not read.
  [[nodiscard]] Step respond(BodyState body);
  [[nodiscard]] boost::asio::awaitable<Step> write_rest();
  [[nodiscard]] Step answer_written();
  // Closes the sending side and reads for a while. Without this, a client that is still sending would lose the
  // answer to a reset.
  [[nodiscard]] boost::asio::awaitable<void> linger();

  // Tells the exchange if the client is gone.
  void check_client();
  // Cancels the pending socket operation because the client took too long.
  void time_out();
  void occupy(Occupation occupation, common::Clock::time_point now) { places().change(*this, occupation, now); }
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = common::AwakeClock::now() + from_now; }
  void no_deadline() { deadline_ = common::Clock::time_point::max(); }
  [[nodiscard]] Places& places() { return list_.places(peer_.role); }
  [[nodiscard]] Scratch& scratch() { return list_.scratch(); }

  net::Stream stream_;
  const Peer peer_;
  const access::PeerAddress address_;
  ConnectionList& list_;
  const access::Limits::Presence presence_;
  boost::beast::flat_buffer buffer_;
  common::Clock::time_point deadline_{common::Clock::time_point::max()};
  bool timed_out_{false};
  bool idle_{false};
  unsigned pipelined_count_{0};  // requests since the last wait that were already in the buffer

  // The next members belong to the present request.
  common::Clock::time_point request_began_;
  HeadSearch search_;
  RequestId request_id_;
  unsigned version_{11};
  bool keep_alive_{false};
  bool is_head_{false};
  std::string allowed_origin_;  // the value of Access-Control-Allow-Origin, or empty
  BodyState body_state_{BodyState::kRead};
  bool closing_{false};                 // whether the connection ends after this answer
  std::unique_ptr<Exchange> exchange_;  // exists from the choice of the route until the answer
  access::Limits::Ticket ticket_;       // counts the request until its answer is sent
  BodyUpload upload_;
  bool waiting_{false};  // whether the exchange waits and wants to know if the client leaves
  bool probed_{false};   // whether a probe was sent to the client during this wait

  // The beginning of an answer that the exchange writes in several turns.
  std::unique_ptr<Response> begun_response_;

  std::unique_ptr<UnsentAnswer> unsent_;  // exists while the client's window is full
  std::unique_ptr<WebSocket> websocket_;  // exists after an upgrade
};

}  // namespace yolod::app::http
