// One client's connection: reads requests, has them answered, writes the answers, one at a time, until either side
// is done. A coroutine over a socket; the protocol's pure parts are in target, multipart, parameters and responses.
//
// Front-end only, its one thread. Kept alive by its own coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>

#include "app/http/parameters.hpp"
#include "app/http/responses.hpp"
#include "app/http/routes.hpp"
#include "app/http/service.hpp"
#include "app/http/target.hpp"
#include "common/clock.hpp"
#include "common/config.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

class Server;

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  // All outlive the session.
  Session(Socket socket, Server& server, Service& service, const common::ServerConfig& config);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Called once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // Ends whatever waits for the client longer than it may, and what the client does not wait for. Called every so often
  // by the server.
  void check_deadline(common::Clock::time_point now);
  // No byte of a next request has come, and no answer is owed.
  [[nodiscard]] bool idle() const { return idle_; }
  void close();

 private:
  using HeaderParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  enum class Next { kKeepAlive, kClose };

  enum class BodyState { kRead, kUnread };
  // What goes back. With a body that was not read, the connection ends after it.
  struct Reply {
    Response response;
    BodyState body{BodyState::kUnread};
  };

  [[nodiscard]] boost::asio::awaitable<Next> serve_one();
  [[nodiscard]] boost::asio::awaitable<bool> wait_for_first_byte();
  void read_header(const HeaderParser& parser);
  // Nothing: there is nobody to answer.
  [[nodiscard]] std::optional<Reply> refuse_header(boost::system::error_code failure) const;
  [[nodiscard]] static Reply refusal(const common::Error& error, BodyState body);

  [[nodiscard]] boost::asio::awaitable<Reply> handle(HeaderParser& parser);
  [[nodiscard]] std::optional<Reply> answer_without_body(const HeaderParser& parser,
                                                         const std::optional<Target>& target,
                                                         PredictParameters& parameters, ServedModel*& model);
  [[nodiscard]] Response answer_simple(Route route);
  // What the header alone says against asking that model at this route.
  [[nodiscard]] static common::Outcome<void> check_route(Route route, const common::ModelConfig& model);
  // Only who is on this machine may ask for one.
  [[nodiscard]] bool is_local_client() const;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> reload(std::string model);
  [[nodiscard]] boost::asio::awaitable<Reply> predict(HeaderParser& parser, ServedModel& model,
                                                      const PredictParameters& parameters);
  [[nodiscard]] static Reply refuse(const ServedModel& model, const common::Error& error, BodyState body);
  [[nodiscard]] common::Outcome<Urgency> urgency_of(const HeaderParser& parser, Priority priority) const;
  // What can be said before the body is read: the multipart boundary, if that is what it will be.
  [[nodiscard]] static common::Outcome<std::optional<std::string>> check_predict(
      const HeaderParser& parser, const ServedModel& model, const PredictParameters& parameters, const Urgency& urgency);

  // The whole body, in the arena.
  [[nodiscard]] boost::asio::awaitable<common::Outcome<ipc::ArenaBlock>> read_body(HeaderParser& parser,
                                                                                   const ServedModel& model);
  [[nodiscard]] boost::asio::awaitable<common::Outcome<ipc::ArenaBlock>> read_sized_body(
      std::uint64_t length, std::chrono::milliseconds patience);
  [[nodiscard]] boost::asio::awaitable<common::Outcome<ipc::ArenaBlock>> read_chunked_body(
      HeaderParser& parser, std::chrono::milliseconds patience);
  [[nodiscard]] boost::asio::awaitable<bool> continue_if_expected();
  // Until its first byte is there, or the time that a body has is over.
  [[nodiscard]] boost::asio::awaitable<bool> wait_for_body();

  // Completes and writes it.
  [[nodiscard]] boost::asio::awaitable<Next> respond(Reply& reply);
  // Half-closes and reads on for a while: a client that is still sending would else lose the answer to a reset.
  [[nodiscard]] boost::asio::awaitable<void> linger();

  // Takes back what nobody waits for any more.
  void look_for_client();
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = common::Clock::now() + from_now; }
  void no_deadline() { deadline_ = common::Clock::time_point::max(); }
  [[nodiscard]] common::Error read_failure() const;
  [[nodiscard]] std::uint64_t body_limit() const;
  void begin_body(std::uint64_t received);
  [[nodiscard]] common::Error no_room() const;

  Socket socket_;
  Server& server_;
  Service& service_;
  const common::ServerConfig& config_;
  boost::beast::flat_buffer buffer_;
  common::Clock::time_point deadline_{common::Clock::time_point::max()};
  bool timed_out_{false};
  bool idle_{false};
  // While a body is read: what has come, since when.
  bool reading_body_{false};
  std::uint64_t body_received_{0};
  common::Clock::time_point body_began_;
  // Of the request at hand.
  common::Clock::time_point request_began_;
  std::string request_id_;
  unsigned version_{11};
  bool keep_alive_{false};
  bool is_head_{false};
  bool expects_continue_{false};
  // While it is with the dispatcher: where, and as what.
  Dispatcher* answering_{nullptr};
  std::uint64_t job_id_{0};
  bool probed_{false};
};

}  // namespace yolod::app
