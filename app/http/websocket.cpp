#include "app/http/websocket.hpp"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstring>
#include <ctime>
#include <utility>

#include "app/access/gate.hpp"
#include "app/http/credential_fields.hpp"
#include "app/http/websocket_layer.hpp"
#include "common/await.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::http {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using common::AwakeClock;
using common::Clock;
using common::Error;
using common::ErrorCode;

constexpr std::chrono::seconds kPingAfter{20};
constexpr std::chrono::seconds kGoneAfter{40};
// The client has this long to answer a close frame.
constexpr std::chrono::seconds kCloseGrace{2};

// Messages have no heads, but Exchange::begin() takes a head.
struct NoHead {
  RequestHead head;
  RequestTarget target;
  Captures captures;
};

const NoHead& no_head() {
  static const NoHead none;
  return none;
}

bool is_credential_error(ErrorCode code) { return code == ErrorCode::kUnauthorized || code == ErrorCode::kForbidden; }

}  // namespace

struct WebSocket::Frames {
  Frames(net::Stream& socket, boost::beast::flat_buffer& received) : stream(socket, received) {}
  websocket::stream<WebSocketLayer, false> stream;
};

WebSocket::WebSocket(const Parts& parts, Beginning beginning, std::unique_ptr<Conversation> conversation)
    : parts_(parts),
      beginning_(std::move(beginning)),
      caller_(beginning_.caller),
      conversation_(std::move(conversation)),
      frames_(std::make_unique<Frames>(parts.stream, parts.received)),
      first_(),
      heard_at_(AwakeClock::now()),
      pinged_at_(heard_at_) {
  caller_.name = {};
  frames_->stream.auto_fragment(false);
  frames_->stream.read_message_max(parts.list.config().max_body_bytes);
  frames_->stream.control_callback(
      [this](websocket::frame_type, boost::beast::string_view) { heard_at_ = AwakeClock::now(); });
}

WebSocket::~WebSocket() = default;

asio::awaitable<void> WebSocket::run() {
  const bool accepted = co_await accept();
  if (!accepted) is_over_ = true;
  while (!is_over_) {
    if (!may_read()) {
      co_await wait_for_change();
      heard_at_ = AwakeClock::now();
      continue;
    }
    piece_.reset();
    show_occupation();
    is_reading_ = true;
    auto [failure, bytes] = co_await frames_->stream.async_read_some(asio::buffer(first_), common::kAwait);
    is_reading_ = false;
    if (failure) {
      read_failed(failure);
      break;
    }
    heard_at_ = AwakeClock::now();
    if (!closing_) co_await receive(bytes);
  }
  co_await settle();
}

// ---- reading ----

asio::awaitable<bool> WebSocket::accept() {
  namespace beast_http = boost::beast::http;
  beast_http::request<beast_http::empty_body> request(beast_http::verb::get, "/", 11);
  request.set(beast_http::field::host, "yolod");
  request.set(beast_http::field::connection, "upgrade");
  request.set(beast_http::field::upgrade, "websocket");
  request.set(beast_http::field::sec_websocket_version, "13");
  request.set(beast_http::field::sec_websocket_key, beginning_.key);
  frames_->stream.set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
    response.set(beast_http::field::server, "yolod");
    const RequestId& id = beginning_.request_id;
    response.set("X-Request-Id", boost::beast::string_view(id.data(), id.size()));
    if (beginning_.offers_subprotocol) {
      response.set(beast_http::field::sec_websocket_protocol,
                   boost::beast::string_view(kSubprotocol.data(), kSubprotocol.size()));
    }
  }));
  write_deadline_ = AwakeClock::now() + parts_.list.config().write_timeout;
  is_writing_ = true;
  auto [failure] = co_await frames_->stream.async_accept(request, common::kAwait);
  is_writing_ = false;
  co_return !failure;
}

asio::awaitable<void> WebSocket::receive(std::size_t bytes) {
  const auto kind = frames_->stream.got_text() ? Conversation::Kind::kText : Conversation::Kind::kBinary;
  auto exchange = conversation_->begin_message(kind);
  if (exchange == nullptr) {
    co_await receive_note(kind, bytes);
    co_return;
  }
  is_in_message_ = true;
  const bool is_done = frames_->stream.is_message_done();
  // Beast knows the rest of the present frame. Most messages have one frame.
  const std::uint64_t first_frame_bytes = bytes + (is_done ? 0 : frames_->stream.read_size_hint(1));
  begin_message(std::move(exchange));
  if (receiving_ != nullptr) co_await make_room(first_frame_bytes, 0);
  take(first_.data(), bytes);
  if (!is_done) co_await receive_rest();
  is_in_message_ = false;
  clock_.stop();
  if (receiving_ == nullptr) co_return;
  if (is_over_) {  // check_deadline() has found that the client is gone, while the message waited for room
    refuse_upload({ErrorCode::kClientGone, "the client is gone"});
  } else {
    message_complete();
  }
}

asio::awaitable<void> WebSocket::receive_note(Conversation::Kind kind, std::size_t bytes) {
  if (kind == Conversation::Kind::kBinary) {
    close({CloseCode::kUnsupported, "this WebSocket takes no binary messages"});
    co_return;
  }
  is_in_message_ = true;
  received_bytes_ = room_bytes_ = 0;
  clock_.start(AwakeClock::now(), 0);
  note_.assign(reinterpret_cast<const char*>(first_.data()), bytes);
  while (!frames_->stream.is_message_done()) {
    is_reading_ = true;
    auto [failure, more] = co_await frames_->stream.async_read_some(asio::buffer(first_), common::kAwait);
    is_reading_ = false;
    if (failure) {
      read_failed(failure);
      co_return;
    }
    heard_at_ = AwakeClock::now();
    received_bytes_ += more;
    if (note_.size() + more > Conversation::kMostNoteBytes) {
      close({CloseCode::kTooBig, "a text message may have 4096 bytes"});
      break;
    }
    note_.append(reinterpret_cast<const char*>(first_.data()), more);
  }
  is_in_message_ = false;
  clock_.stop();
  // Beast checks the end of a text only if the last frame is not empty.
  if (!common::is_utf8(note_)) close({CloseCode::kBadText, "the text message is not UTF-8"});
  if (!closing_) {
    conversation_->note_came(note_, messages_.emplace_back().response);
    collect_answers();
  }
  note_ = {};
}

asio::awaitable<void> WebSocket::receive_rest() {
  piece_ = std::make_unique<Piece>();
  while (!frames_->stream.is_message_done()) {
    if (receiving_ != nullptr && received_bytes_ == room_bytes_) co_await make_more_room();
    const std::uint64_t most = receiving_ != nullptr ? room_bytes_ - received_bytes_ : kPieceBytes;
    is_reading_ = true;
    auto [failure, bytes] = co_await frames_->stream.async_read_some(
        asio::buffer(*piece_, static_cast<std::size_t>(std::min<std::uint64_t>(most, kPieceBytes))), common::kAwait);
    is_reading_ = false;
    if (failure) {
      read_failed(failure);
      co_return;
    }
    heard_at_ = AwakeClock::now();
    take(piece_->data(), bytes);
  }
}

void WebSocket::begin_message(std::unique_ptr<Exchange> exchange) {
  const auto now = AwakeClock::now();
  Message& message = messages_.emplace_back();
  message.exchange = std::move(exchange);
  receiving_ = &message;
  received_bytes_ = room_bytes_ = 0;
  clock_.start(now, 0);
  show_occupation();
  if (const auto refused = admit(message)) {
    refuse_upload(*refused);
    if (is_credential_error(refused->code)) close({CloseCode::kPolicy, "the credential is no longer valid"});
    return;
  }
  const NoHead& none = no_head();
  const RequestId& id = beginning_.request_id;
  const Next next = message.exchange->begin(
      {none.head, none.target, none.captures, now, caller_, {id.data(), id.size()}, beginning_.is_tls},
      message.response);
  if (next == Next::kReadBody) {
    rule_ = message.exchange->body_rule();
    return;
  }
  receiving_ = nullptr;
  drive(message, next);
}

std::optional<Error> WebSocket::admit(Message& message) {
  if (parts_.role == net::ListenerRole::kAdmin) return std::nullopt;
  access::Credential credential;
  switch (beginning_.caller.kind) {
    case access::Caller::Kind::kAnonymous:
    case access::Caller::Kind::kOperator: break;
    case access::Caller::Kind::kFileKey:
    case access::Caller::Kind::kKey: credential.kind = access::Credential::Kind::kKey; break;
    case access::Caller::Kind::kSession: credential.kind = access::Credential::Kind::kSession; break;
  }
  access::Knock knock{credential, beginning_.caller.network, beginning_.need, AwakeClock::now(), std::time(nullptr)};
  if (credential.kind != access::Credential::Kind::kNone) knock.known_digest = beginning_.caller.credential;
  access::Caller caller;
  const RequestId& id = beginning_.request_id;
  const auto refused =
      parts_.list.application().gate().admit(knock, parts_.presence, {id.data(), id.size()}, caller, message.ticket);
  caller_ = caller;
  return refused;
}

asio::awaitable<void> WebSocket::make_room(std::uint64_t bytes, std::uint64_t kept_bytes) {
  if (bytes == 0) {
    refuse_upload({ErrorCode::kInvalidImage, "the message is empty"});
    co_return;
  }
  if (bytes > rule_.limit_bytes) {
    refuse_upload({ErrorCode::kBodyTooLarge, "the message is larger than this server accepts"});
    co_return;
  }
  Exchange& exchange = *receiving_->exchange;
  if (kept_bytes != 0 || !exchange.try_room(bytes)) {
    clock_.pause(AwakeClock::now());
    const auto came = co_await exchange.await_room(bytes, kept_bytes);
    clock_.resume(AwakeClock::now());
    if (!came) {
      refuse_upload(came.error());
      co_return;
    }
  }
  room_bytes_ = bytes;
}

asio::awaitable<void> WebSocket::make_more_room() {
  const bool is_small = room_bytes_ < rule_.first_room_bytes;
  if (room_bytes_ >= rule_.limit_bytes) {
    refuse_upload({ErrorCode::kBodyTooLarge, "the message is larger than this server accepts"});
    co_return;
  }
  co_await make_room(is_small ? std::min(rule_.first_room_bytes, rule_.limit_bytes) : rule_.limit_bytes,
                     received_bytes_);
}

void WebSocket::take(const std::byte* bytes, std::size_t count) {
  if (receiving_ != nullptr && count != 0) {
    std::memcpy(receiving_->exchange->room().data() + received_bytes_, bytes, count);
  }
  received_bytes_ += count;
}

void WebSocket::message_complete() {
  Message& message = *std::exchange(receiving_, nullptr);
  drive(message, message.exchange->body_came(received_bytes_, message.response));
}

void WebSocket::refuse_upload(const Error& error) {
  Message& message = *std::exchange(receiving_, nullptr);
  message.exchange->drop_room();
  room_bytes_ = 0;
  message.exchange->refuse(error, message.response);
  answered(message);
}

void WebSocket::read_failed(error_code failure) {
  is_over_ = true;
  // A client that has closed or left sends nothing more. Beast has answered the violation of a rule with a close frame.
  const error_code closed = websocket::error::closed;
  must_linger_ = failure != closed && failure.category() == closed.category();
  if (receiving_ != nullptr) refuse_upload({ErrorCode::kBadRequest, "the message ended early"});
}

// ---- the exchanges ----

void WebSocket::drive(Message& message, Next next) {
  switch (next) {
    case Next::kNextTurn:
    case Next::kWriteMore:
      later([this, &message] { drive(message, message.exchange->proceed(message.response)); });
      return;
    case Next::kWait:
      message.exchange->wait(
          Exchange::Resume::from([this, &message] { drive(message, message.exchange->proceed(message.response)); }));
      return;
    case Next::kReadBody:  // only begin() returns these two
    case Next::kUpgrade:
    case Next::kRespond: break;
  }
  answered(message);
}

void WebSocket::answered(Message& message) {
  message.exchange->answered(static_cast<int>(message.response.status));
  message.exchange.reset();
  message.ticket.clear();
  collect_answers();
}

void WebSocket::collect_answers() {
  // A message without an answer, such as a dropped picture, need not wait for the messages before it.
  messages_.remove_if([](const Message& one) { return one.exchange == nullptr && one.response.content().size() == 0; });
  while (!messages_.empty() && messages_.front().exchange == nullptr) {
    Response& response = messages_.front().response;
    if (!is_over_) unsent_.push_back(std::move(response));
    messages_.pop_front();
  }
  write_next();
  wake();
}

// ---- writing ----

void WebSocket::write_next() {
  if (is_over_ || is_writing_) return;
  show_occupation();
  if (unsent_.empty()) {
    send_close();
    return;
  }
  const Response& next = unsent_.front();
  const bool is_text = next.body.size() != 0;
  is_writing_ = true;
  write_deadline_ = AwakeClock::now() + parts_.list.config().write_timeout;
  frames_->stream.text(is_text);
  frames_->stream.async_write(is_text ? asio::buffer(next.body.view()) : asio::buffer(next.file),
                              [this](error_code failure, std::size_t /*bytes*/) { written(failure); });
}

void WebSocket::written(error_code failure) {
  is_writing_ = false;
  if (failure) {
    unsent_.clear();
    if (!is_over_) cut_off();
  } else {
    Response& sent = unsent_.front();
    const bool has_more = sent.body.size() != 0 && !sent.file.empty();
    if (has_more) {
      sent.body = TextBuffer();
    } else {
      unsent_.pop_front();
    }
  }
  write_next();
  wake();
}

void WebSocket::ping() {
  if (is_over_ || is_pinging_ || close_sent_) return;
  is_pinging_ = true;
  pinged_at_ = AwakeClock::now();
  frames_->stream.async_ping({}, [this](error_code /*failure*/) {
    is_pinging_ = false;
    write_next();
    wake();
  });
}

void WebSocket::close(Closing closing) {
  if (closing_ || is_over_) return;
  closing_ = closing;
  write_next();
  wake();
}

// Beast's async_close() beside a read never ends if the client then sends a wrong frame. So these functions write the
// frame themselves, between two frames of Beast's.
void WebSocket::send_close() {
  if (!closing_ || close_sent_ || is_pinging_ || !messages_.empty()) return;
  close_sent_ = true;
  close_deadline_ = AwakeClock::now() + kCloseGrace;
  const auto code = static_cast<std::uint16_t>(closing_->code);
  close_frame_ = {static_cast<char>(0x88), static_cast<char>(closing_->reason.size() + sizeof code),
                  static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  close_frame_ += closing_->reason;
  continue_close();
}

// If the socket has no room, because the client still has to read its last answers, check_deadline() calls this
// function again.
void WebSocket::continue_close() {
  WebSocketLayer& layer = frames_->stream.next_layer();
  if (close_frame_.empty() || is_over_ || layer.is_sending()) return;
  layer.begin_close();
  error_code failure;
  const std::size_t bytes = parts_.stream.write_some({asio::buffer(close_frame_)}, failure);
  if (failure && failure != asio::error::would_block) return cut_off();
  close_frame_.erase(0, bytes);
}

void WebSocket::cut_off() {
  error_code ignored;
  parts_.stream.end();
  parts_.stream.socket().close(ignored);
}

// ---- the end ----

asio::awaitable<void> WebSocket::settle() {
  is_over_ = true;
  unsent_.resize(is_writing_ ? 1 : 0);  // Beast still has the answer that is being sent
  abandon_messages();
  if (is_writing_ || is_pinging_) cut_off();
  while (has_pending()) co_await wait_for_change();
}

void WebSocket::abandon_messages() {
  if (std::exchange(are_abandoned_, true)) return;
  for (Message& message : messages_) {
    if (message.exchange != nullptr) message.exchange->client_is_gone();
  }
}

bool WebSocket::has_pending() const { return is_writing_ || is_pinging_ || posted_count_ != 0 || !messages_.empty(); }

template <typename Work>
void WebSocket::later(Work work) {
  ++posted_count_;
  asio::post(parts_.stream.get_executor(), [this, work = std::move(work)]() mutable {
    --posted_count_;
    work();
    wake();
  });
}

// A separate function keeps the lambda's type out of run()'s frame.
asio::awaitable<void> WebSocket::wait_for_change() {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [this](auto resume) { waiting_ = common::Completion<>::from(std::move(resume)); }, asio::use_awaitable);
}

void WebSocket::wake() {
  if (!waiting_) return;
  asio::post(parts_.stream.get_executor(), [resume = std::exchange(waiting_, {})]() mutable { resume(); });
}

// ---- the connection's place ----

void WebSocket::show_occupation() {
  Occupation now = Occupation::kIdleWebSocket;
  if (is_in_message_ || !messages_.empty()) {
    now = Occupation::kBusy;
  } else if (!unsent_.empty()) {
    now = Occupation::kUnreadAnswer;
  }
  if (now != parts_.place.occupation()) {
    parts_.list.places(parts_.role).change(parts_.place, now, AwakeClock::now());
  }
}

// This function must not change the place, so it does most work later.
bool WebSocket::check_deadline(Clock::time_point now) {
  if (is_over_) return false;
  const common::ServerConfig& config = parts_.list.config();
  if ((is_writing_ && now >= write_deadline_) || (close_sent_ && now >= close_deadline_)) {
    cut_off();
    return true;
  }
  if (!closing_ && parts_.list.application().draining()) {
    later([this] { close({CloseCode::kGoingAway, "the server is stopping"}); });
  }
  if (!close_frame_.empty()) later([this] { continue_close(); });
  if (clock_.is_late(progress(), config.body_timeout, now)) {
    later([this] {
      if (!clock_.is_running()) return;  // the message came meanwhile, or waits for room inside the exchange
      clock_.stop();
      if (receiving_ != nullptr) refuse_upload({ErrorCode::kRequestTimeout, "the message did not arrive in time"});
      close({CloseCode::kPolicy, "the message did not arrive in time"});
    });
    return true;
  }
  if (!is_reading_) {  // the server does not listen, so it asks the kernel
    if (parts_.stream.client_presence() == net::ClientPresence::kThere) return false;
    cut_off();
    abandon_messages();
    is_over_ = true;
    wake();
    return true;
  }
  if (now - heard_at_ >= kGoneAfter) {
    cut_off();
    return true;
  }
  if (now - heard_at_ >= kPingAfter && now - pinged_at_ >= kPingAfter) later([this] { ping(); });
  return false;
}

void WebSocket::evict() {
  if (!is_writing_ && !close_sent_ && !frames_->stream.next_layer().is_sending()) {
    // A close frame without a mask: its length, and its code in network byte order. Beast cannot be asked, because the
    // socket must be closed when this function returns.
    constexpr auto kCode = static_cast<std::uint16_t>(CloseCode::kTryAgainLater);
    constexpr std::array<std::uint8_t, 4> kFrame{0x88, 2, kCode >> 8U, kCode & 0xFFU};
    error_code ignored;
    parts_.stream.write_some({asio::buffer(kFrame)}, ignored);
  }
  cut_off();
  abandon_messages();
}

std::optional<UploadCost> WebSocket::upload_cost(Clock::time_point now) const {
  if (receiving_ == nullptr) return std::nullopt;
  return clock_.cost(progress(), parts_.list.config().body_timeout, now);
}

void WebSocket::evict_upload(Clock::time_point now) {
  clock_.evict(progress(), parts_.list.config().body_timeout, now);
  later([this] {
    if (receiving_ == nullptr || !clock_.is_running()) return;
    refuse_upload(clock_.was_evicted()
                      ? Error{ErrorCode::kQueueFull,
                              "the server is too busy: other uploads wait for the memory that this upload holds"}
                      : Error{ErrorCode::kRequestTimeout, "the message did not arrive in time"});
  });
}

}  // namespace yolod::app::http
