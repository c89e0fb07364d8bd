// One client's connection: reads requests, has them answered, writes the answers, one at a time, until either side
// is done. A coroutine over a socket; the protocol's pure parts are in request_head, target, multipart, parameters and
// responses.
//
// Front-end only, its one thread. Kept alive by its own coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "app/http/chunked_decoder.hpp"
#include "app/http/multipart.hpp"
#include "app/http/places.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_id.hpp"
#include "app/http/responses.hpp"
#include "app/http/routes.hpp"
#include "app/http/service.hpp"
#include "app/http/upload_pace.hpp"
#include "app/schedule/quarantine.hpp"
#include "common/awake_clock.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

class Server;

class Session : public std::enable_shared_from_this<Session>, public Place {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  // All outlive the session.
  Session(Socket socket, ListenerRole role, Server& server, Service& service, const common::ServerConfig& config);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  // Called once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // Ends whatever waits for the client longer than it may, and what the client does not wait for. Called every so often
  // by the server.
  bool check_deadline(common::Clock::time_point now) override;
  void give_up_place() override { close(); }
  void close();

  // What the upload at hand would still cost those who wait for room (upload_pace); nothing if there is none, or if it
  // cannot be asked to give way.
  struct UploadCost {
    double cost;
    std::uint64_t held_bytes;
  };
  [[nodiscard]] std::optional<UploadCost> upload_cost(common::Clock::time_point now) const;
  // Ends that upload for the sake of others: 408 if it was behind the pace, else 503. REQUIRES: upload_cost().
  void give_way(common::Clock::time_point now);

 private:
  // What run() waits for next. Each step, in brackets where few requests need it, leads to one further right:
  //
  //   kNextRequest  kReadHeader   [kSayContinue]  [kAwaitBody]  [kAwaitRoom]  kReadBody  ...
  //                 [kAwaitPlace] [kReload]                                   [kReadChunks]
  //
  //   ...  [kScanForm]  kPredict  [kRender]  [kWriteRest]
  //
  // and the end of an answer to kNextRequest, [kLinger] or kEnd; [kLetOthers] to kNextRequest.
  enum class Step {
    kNextRequest,
    kReadHeader,
    kAwaitPlace,  // in the reserve, with a request that may go no further from there
    kSayContinue,
    kAwaitBody,  // the first bytes of a body: who declares much and sends nothing holds no room
    kAwaitRoom,
    kReadBody,    // of a known length
    kReadChunks,  // all of a chunked body
    kScanForm,    // a long form: others have their turn before it is looked at further
    kPredict,
    kReload,
    kRender,     // the same for a long list
    kWriteRest,  // what the client's window did not take at once
    kLinger,
    kLetOthers,  // after many requests that came at once
    kEnd,
  };
  enum class BodyState { kRead, kUnread };
  // What one turn of the event loop may take or send of one connection: some 0.1 ms, with the pages of the arena that
  // are touched for the first time.
  static constexpr std::size_t kBytesAtOnce = 256 * 1024;

  // ---- the header ----
  [[nodiscard]] Step next_request();
  void begin_request();
  [[nodiscard]] Step header_came(boost::system::error_code failure);
  void skip_empty_lines();
  [[nodiscard]] Step read_head();
  // Whether what has come since the last look makes another one worth it.
  [[nodiscard]] bool may_have_whole_head();
  [[nodiscard]] static common::Error header_error(boost::system::error_code failure);
  // For a connection in the reserve: whether it may be served. Else it waits for a place or is refused, as `otherwise`
  // says.
  [[nodiscard]] bool may_be_served(const RequestHead& head, Step& otherwise);

  // ---- what is asked ----
  [[nodiscard]] Step answer(const RequestHead& head);
  void answer_simple(Route route, Response& response);
  [[nodiscard]] Step ask_for_reload(const RequestHead& head, std::string_view model);
  // What the listener and the client at its other end say against this route.
  [[nodiscard]] common::Outcome<void> check_audience(const RouteEntry& route, const RequestHead& head);
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> reload();
  // What can be said before the body is read; takes note of the multipart boundary, if that is what it will be.
  [[nodiscard]] common::Outcome<void> check_predict(const RequestHead& head);

  // ---- the body ----
  [[nodiscard]] Step begin_body(const RequestHead& head);
  [[nodiscard]] boost::asio::awaitable<Step> say_continue();
  [[nodiscard]] Step await_body();
  [[nodiscard]] Step body_began(boost::system::error_code failure);
  [[nodiscard]] Step make_room();
  [[nodiscard]] Step room_came(std::optional<ipc::ArenaBlock> room);
  [[nodiscard]] Step fill_room();
  [[nodiscard]] Step body_came(boost::system::error_code failure, std::size_t bytes);
  [[nodiscard]] boost::asio::awaitable<Step> read_chunks();
  // Moves what has come of a chunked body to where there is room for the longest; false if there was none in time.
  [[nodiscard]] boost::asio::awaitable<bool> grow_room();
  [[nodiscard]] Step chunks_ended();
  [[nodiscard]] Step body_complete();
  [[nodiscard]] Step scan_form();
  [[nodiscard]] Step image_found(std::span<const std::byte> image);
  [[nodiscard]] Step hand_over();
  [[nodiscard]] Step drop_body(const common::Error& error);
  void begin_upload();
  void end_upload();
  [[nodiscard]] Upload upload() const;
  [[nodiscard]] std::uint64_t body_limit() const;
  // Of a sized body all of it; of a chunked one as much as most need.
  [[nodiscard]] std::uint64_t first_room_bytes() const;
  [[nodiscard]] common::Error read_failure() const;
  [[nodiscard]] common::Error no_room() const;
  // How long it may wait for room.
  [[nodiscard]] std::chrono::milliseconds room_patience() const;

  // ---- the answer ----
  [[nodiscard]] Step answered(Answer& answer);
  [[nodiscard]] Step render();
  [[nodiscard]] Step refuse(const common::Error& error, BodyState body);
  // Completes the scratch response and writes it. With a body that was not read, the connection ends after it.
  [[nodiscard]] Step respond(BodyState body);
  [[nodiscard]] boost::asio::awaitable<Step> write_rest();
  [[nodiscard]] Step answer_written();
  // Half-closes and reads on for a while: a client that is still sending would else lose the answer to a reset.
  [[nodiscard]] boost::asio::awaitable<void> linger();

  // Takes back what it asked for, a prediction or room, once its client is gone.
  void look_for_client();
  // Ends what waits for the client.
  void time_out();
  void occupy(Occupation occupation, common::Clock::time_point now);
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = common::AwakeClock::now() + from_now; }
  void no_deadline() { deadline_ = common::Clock::time_point::max(); }

  Socket socket_;
  const ListenerRole role_;
  bool may_administer_{false};  // of an admin listener's client
  Server& server_;
  Service& service_;
  const common::ServerConfig& config_;
  boost::beast::flat_buffer buffer_;
  common::Clock::time_point deadline_{common::Clock::time_point::max()};
  bool timed_out_{false};
  bool idle_{false};
  unsigned without_wait_{0};  // requests that were in the buffer already
  unsigned empty_lines_{0};   // before the request at hand

  // Of the request at hand.
  common::Clock::time_point request_began_;
  std::size_t head_looked_at_{0};  // bytes that did not hold a whole header
  RequestId request_id_;
  unsigned version_{11};
  bool keep_alive_{false};
  bool is_head_{false};
  BodyState body_state_{BodyState::kRead};
  bool closing_{false};  // after its answer

  // If it asks a model: which, and how. If it asks for a reload: of what.
  std::shared_ptr<ServedModel> model_;
  common::PredictionOptions options_;
  Urgency urgency_;
  std::optional<std::string> boundary_;  // of multipart/form-data
  std::string reload_model_;

  // While its body is read: where to, how much is to come (at most, of a chunked one) and has come, since when.
  bool uploading_{false};
  bool gives_way_{false};  // and has kept the pace
  std::uint64_t body_length_{0};
  std::uint64_t body_received_{0};
  std::uint64_t received_at_last_check_{0};
  double recent_rate_{0};  // bytes a second
  common::Clock::time_point upload_began_;
  common::Clock::time_point upload_checked_;
  ipc::ArenaBlock room_;
  std::unique_ptr<ChunkedDecoder> chunks_;
  std::unique_ptr<MultipartScanner> form_;

  // While it is with the dispatcher: where, and as what.
  PredictionJob job_;
  Dispatcher* answering_{nullptr};
  std::uint64_t job_id_{0};
  bool probed_{false};

  // A long list, as far as it has been written.
  struct Rendering {
    Answer answer;
    Response response;
    std::size_t written_items;
  };
  std::unique_ptr<Rendering> rendering_;

  // What is not sent at once.
  struct Unsent {
    TextBuffer head;
    Response response;
    std::size_t written;
  };
  std::unique_ptr<Unsent> unsent_;
};

}  // namespace yolod::app
