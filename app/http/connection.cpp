#include "app/http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include "app/http/cors.hpp"
#include "app/http/credential_fields.hpp"
#include "app/http/page_origin.hpp"
#include "app/net/admin_peer.hpp"
#include "app/net/client_presence.hpp"
#include "common/await.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::AwakeClock;
using common::Error;
using common::ErrorCode;

// The connection reads this many bytes at once for a head. They fit most heads and hold little of a body, so that
// most of the body is read directly into its room.
constexpr std::size_t kReadBytes = 4096;
// The connection reads this many bytes at once for the size line of a chunk.
constexpr std::size_t kFramingBytes = 16 * 1024;
constexpr std::size_t kBufferLimitBytes = RequestHeadReader::kLimitBytes + kReadBytes + 64 * 1024;
// An idle connection may keep a buffer of this size.
constexpr std::size_t kIdleBufferBytes = 2 * kReadBytes;
constexpr std::chrono::seconds kLinger{2};
// A connection in the reserve checks for a place at this interval, and for at most this time.
constexpr std::chrono::milliseconds kPlacePoll{20};
constexpr std::chrono::milliseconds kPlacePatience{500};

// The methods of all routes, for "OPTIONS *".
constexpr std::string_view kAllMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";

// Every path takes OPTIONS as well as the methods of its route.
void add_allow(Response& response, std::string_view methods) {
  response.fields += "Allow: ";
  response.fields += methods;
  response.fields += ", OPTIONS\r\n";
}

}  // namespace

Connection::Connection(Socket socket, net::ListenerRole role, ConnectionList& list,
                       std::shared_ptr<const common::TlsContext> tls)
    : stream_(std::move(socket), std::move(tls)),
      // Check the peer now. When the client sends a request, its pid could already belong to another process.
      peer_{role, role == net::ListenerRole::kAdmin && net::may_administer(stream_.native_handle())},
      address_(access::PeerAddress::of(stream_.native_handle())),
      list_(list),
      presence_(list.application().gate().limits(), list.application().gate().owner_of(address_)),
      buffer_(kBufferLimitBytes) {
  places().add(*this, AwakeClock::now());
}

Connection::~Connection() { places().remove(*this); }

void Connection::evict() {
  if (websocket_) {
    websocket_->evict();
    return;
  }
  error_code ignored;
  stream_.end();
  stream_.socket().close(ignored);
  if (occupation() == Occupation::kAwaitingRoom) exchange_->client_is_gone();
}

void Connection::time_out() {
  timed_out_ = true;
  error_code ignored;
  stream_.socket().cancel(ignored);
}

bool Connection::check_deadline(AwakeClock::time_point now) {
  if (websocket_) return websocket_->check_deadline(now);
  const common::ServerConfig& config = list_.config();
  const bool is_slow = upload_.is_late(config.body_timeout, now);
  const bool late = is_slow || now >= deadline_ || (idle_ && now - since() >= config.idle_timeout);
  if (late) time_out();
  if (waiting_ || occupation() == Occupation::kAwaitingRoom) check_client();
  return late;
}

std::optional<UploadCost> Connection::upload_cost(AwakeClock::time_point now) const {
  if (websocket_) return websocket_->upload_cost(now);
  auto cost = upload_.cost(list_.config().body_timeout, now);
  if (cost && exchange_) cost->yields_to_unchecked = exchange_->yields_to_unchecked();
  return cost;
}

void Connection::evict_upload(AwakeClock::time_point now) {
  if (websocket_) {
    websocket_->evict_upload(now);
    return;
  }
  upload_.evict(list_.config().body_timeout, now);
  time_out();
}

void Connection::check_client() {
  switch (stream_.client_presence()) {
    case net::ClientPresence::kThere: return;
    case net::ClientPresence::kHalfClosed:
      if (version_ == 11 && !std::exchange(probed_, true)) stream_.probe_client();
      return;
    case net::ClientPresence::kGone: exchange_->client_is_gone(); return;
  }
}

// A coroutine for each request would need an allocation. Therefore one coroutine frame lasts for the connection's
// life, plain functions do the work between two waits, and only waits that few requests need are coroutines.
asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  Step step = stream_.is_tls() ? Step::kShakeHands : Step::kNextRequest;
  while (step != Step::kEnd) {
    switch (step) {
      case Step::kShakeHands: step = co_await shake_hands(); break;
      case Step::kNextRequest: step = next_request(); break;
      case Step::kReadHeader:
      case Step::kAwaitBody: {
        auto [failure, bytes] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), common::kAwait);
        buffer_.commit(bytes);
        step = step == Step::kReadHeader ? header_came(failure) : body_began(failure);
        break;
      }
      case Step::kAwaitPlace: {
        asio::steady_timer poll(stream_.get_executor(), kPlacePoll);
        (void)co_await poll.async_wait(common::kAwait);
        search_.restart();
        step = read_head(AwakeClock::now());
        break;
      }
      case Step::kSendContinue: step = co_await send_continue(); break;
      case Step::kAwaitRoom: step = co_await await_room(); break;
      case Step::kMoreRoom: step = co_await await_more_room(); break;
      case Step::kReadBody: {
        const auto place = upload_.place(kBytesAtOnce);
        auto [failure, bytes] =
            co_await stream_.async_read_some(asio::buffer(place.data(), place.size()), common::kAwait);
        step = body_came(failure, bytes);
        break;
      }
      case Step::kReadFraming: {
        auto [failure, bytes] = co_await stream_.async_read_some(buffer_.prepare(kFramingBytes), common::kAwait);
        buffer_.commit(bytes);
        step = failure ? drop_body(read_failure()) : follow_upload(upload_.take(buffer_));
        break;
      }
      case Step::kNextTurn:
        co_await asio::post(stream_.get_executor(), asio::use_awaitable);
        if (begun_response_) scratch().response = std::move(*std::exchange(begun_response_, nullptr));
        step = follow(exchange_->proceed(scratch().response));
        break;
      case Step::kWait:
        probed_ = false;
        waiting_ = exchange_->minds_client();
        co_await wait_for_exchange();
        waiting_ = false;
        step = follow(exchange_->proceed(scratch().response));
        break;
      case Step::kWriteRest: step = co_await write_rest(); break;
      case Step::kLinger:
        co_await linger();
        step = Step::kEnd;
        break;
      case Step::kLetOthers:
        co_await asio::post(stream_.get_executor(), asio::use_awaitable);
        pipelined_count_ = 0;
        step = Step::kNextRequest;
        break;
      case Step::kWebSocket: step = co_await be_websocket(); break;
      case Step::kEnd: break;
    }
  }
  error_code ignored;
  stream_.end();
  stream_.socket().shutdown(Socket::shutdown_both, ignored);
}

// ---- TLS ----

// The deadline of the handshake counts from accept(), so a client that sends byte after byte gains no time.
asio::awaitable<Connection::Step> Connection::shake_hands() {
  occupy(Occupation::kShakingHands, AwakeClock::now());
  set_deadline(list_.config().header_timeout);
  error_code failure = asio::error::would_block;
  while (failure == asio::error::would_block && !timed_out_) {
    auto [ended] = co_await stream_.async_wait_for_handshake(common::kAwait);
    failure = ended;
    if (failure) break;
    co_await wait_for_turn();
    if (!timed_out_) stream_.shake_hands(failure);
  }
  no_deadline();
  list_.application().handshake_ended(stream_.handshake());
  co_return handshake_ended();
}

asio::awaitable<void> Connection::wait_for_turn() {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [this](auto resume) { list_.handshake_turns().wait(HandshakeTurns::Resume::from(std::move(resume))); },
      asio::use_awaitable);
}

Connection::Step Connection::handshake_ended() {
  switch (stream_.handshake()) {
    case net::Handshake::kDone:
      if (const auto subject = stream_.client_subject(); !subject.empty()) {
        common::log_info("{} has connected with the certificate of \"{}\"", stream_.peer_address(), subject);
      }
      return Step::kNextRequest;
    case net::Handshake::kPlainHttp: return refuse_plain_http();
    case net::Handshake::kNoCertificate:
    case net::Handshake::kFailed: break;
  }
  common::log_debug("the TLS handshake with {} failed: {}", stream_.peer_address(), stream_.handshake_problem());
  return Step::kEnd;
}

// The client does not read TLS, so the answer goes to the socket itself.
Connection::Step Connection::refuse_plain_http() {
  Response& response = scratch().response;
  list_.application().refuse({ErrorCode::kBadRequest, "this port speaks HTTPS: use https:// instead of http://"}, {},
                             response);
  list_.application().answered_without_exchange(static_cast<int>(response.status));
  request_id_ = new_request_id();
  TextBuffer& head = scratch().head;
  head.clear();
  append_head(head, response,
              {version_, false, {request_id_.data(), request_id_.size()}, scratch().date.at(std::time(nullptr))});
  error_code ignored;
  stream_.socket().write_some(net::Stream::Buffers{asio::buffer(head.view()), response.content()}, ignored);
  return Step::kLinger;
}

// ---- the head ----

Connection::Step Connection::next_request() {
  if (buffer_.size() != 0) {
    // Other connections may run after this many pipelined requests of one client.
    constexpr unsigned kAtOnce = 16;
    if (++pipelined_count_ > kAtOnce) return Step::kLetOthers;
    const auto now = AwakeClock::now();
    begin_request(now);
    return read_head(now);
  }
  if (buffer_.capacity() > kIdleBufferBytes) buffer_.shrink_to_fit();
  pipelined_count_ = 0;
  idle_ = true;
  if (occupation() != Occupation::kSilent) occupy(Occupation::kIdle, AwakeClock::now());
  return Step::kReadHeader;
}

void Connection::begin_request(AwakeClock::time_point now) {
  request_began_ = now;
  if (std::exchange(idle_, false)) occupy(Occupation::kBusy, now);
  request_id_.clear();
  allowed_origin_.clear();
  search_.restart();
  version_ = 11;
  timed_out_ = keep_alive_ = is_head_ = false;
}

Connection::Step Connection::header_came(error_code failure) {
  // The connection may have been evicted just after these bytes arrived.
  if (!stream_.socket().is_open()) return Step::kEnd;
  if (failure) {
    // Only a client that has begun a request gets an answer, and only while its connection is open.
    if (idle_ || !timed_out_) return Step::kEnd;
    return refuse(read_failure(), BodyState::kUnread);
  }
  const auto now = AwakeClock::now();
  if (idle_) begin_request(now);
  return read_head(now);
}

Connection::Step Connection::read_head(AwakeClock::time_point now) {
  RequestHead head;
  switch (search_.look(buffer_, scratch().reader, head)) {
    case HeadSearch::State::kNothing: no_deadline(); return next_request();
    case HeadSearch::State::kUnfinished:
      deadline_ = request_began_ + list_.config().header_timeout;
      if (occupation() != Occupation::kUnfinished) occupy(Occupation::kUnfinished, request_began_);
      return Step::kReadHeader;
    case HeadSearch::State::kFound:
    case HeadSearch::State::kBad: break;
  }
  no_deadline();
  if (occupation() == Occupation::kUnfinished) occupy(Occupation::kBusy, now);
  if (search_.failure()) return refuse(explain_bad_head(search_.failure()), BodyState::kUnread);
  if (peer_.role == net::ListenerRole::kPublic) allowed_origin_ = allowed_origin(list_.config().cors, head.origin);
  Step otherwise{};
  if (in_reserve() && !may_be_served(head, now, otherwise)) return otherwise;
  if (is_sane_request_id(head.request_id)) request_id_.assign(head.request_id.data(), head.request_id.size());
  version_ = head.version;
  keep_alive_ = head.keep_alive;
  is_head_ = head.method == boost::beast::http::verb::head;
  buffer_.consume(head.bytes);
  return answer(head, now);
}

bool Connection::may_be_served(const RequestHead& head, AwakeClock::time_point now, Step& otherwise) {
  RequestTarget& target = scratch().target;
  const bool is_parsed = head.ambiguity.empty() && target.parse(head.target);
  if (is_parsed) {
    const Route* const route = list_.application().router().find(target.path(), scratch().captures);
    if (route != nullptr && route->audience == Audience::kEverybody) return true;
  }
  if (places().leave_reserve(*this, now)) return true;
  if (now - request_began_ < kPlacePatience && places().may_make_room_soon(now)) {
    otherwise = Step::kAwaitPlace;
    return false;
  }
  version_ = head.version;
  otherwise = refuse({ErrorCode::kQueueFull, "the server has too many connections"},
                     head.has_body() ? BodyState::kUnread : BodyState::kRead,
                     is_parsed ? std::string_view(target.path()) : std::string_view());
  return false;
}

Connection::Step Connection::answer(const RequestHead& head, AwakeClock::time_point now) {
  RequestTarget& target = scratch().target;
  Captures& captures = scratch().captures;
  Response& response = scratch().response;
  if (!head.ambiguity.empty()) {
    keep_alive_ = false;
    return refuse({ErrorCode::kBadRequest, std::string(head.ambiguity)}, BodyState::kUnread);
  }
  const BodyState unread = head.has_body() ? BodyState::kUnread : BodyState::kRead;
  const bool is_options = head.method == boost::beast::http::verb::options;
  if (is_options && head.target == "*") return tell_options(head, kAllMethods, unread);
  if (!target.parse(head.target)) {
    keep_alive_ = false;
    return refuse({ErrorCode::kBadRequest, "the request target is not valid"}, unread);
  }
  const Route* const route = list_.application().router().find(target.path(), captures);
  if (route == nullptr) return refuse({ErrorCode::kNotFound, "there is no such path"}, unread, target.path());
  if (const auto why = check_audience(*route, peer_, is_admin_alone(list_.config()), head)) {
    return refuse(*why, unread, target.path());
  }
  if (!is_for_other_sites(*route)) allowed_origin_.clear();
  if (is_options) return tell_options(head, route->methods, unread);
  if (!route->allows(head.method)) {
    list_.application().refuse(
        {ErrorCode::kMethodNotAllowed, "this path does not allow the method; the Allow header lists the methods"},
        target.path(), response);
    add_allow(response, route->methods);
    return respond(unread);
  }
  exchange_ = route->make_exchange(head.method);
  if (request_id_.empty()) request_id_ = new_request_id();
  if (route->effect == Effect::kChanges && page_origin_of(head) == PageOrigin::kForeign) {
    exchange_->refuse({ErrorCode::kForbidden, "a page of another site may not change this server"}, response);
    return respond(unread);
  }
  access::Caller caller;
  std::optional<access::LateCheck> late;
  Step otherwise{};
  if (!may_come_in(*route, head, now, caller, late, otherwise)) return otherwise;
  const std::string_view request_id(request_id_.data(), request_id_.size());
  const auto next = exchange_->begin({head, target, captures, request_began_, caller, request_id, stream_.is_tls(),
                                      late ? &*late : nullptr, &list_.config()},
                                     response);
  if (next == Exchange::Next::kReadBody) return begin_body(head);
  if (next == Exchange::Next::kUpgrade) return begin_websocket(head, *route, caller);
  body_state_ = unread;
  return follow(next);
}

Connection::Step Connection::tell_options(const RequestHead& head, std::string_view methods, BodyState body) {
  Response& response = scratch().response;
  response.start(boost::beast::http::status::no_content);
  add_allow(response, methods);
  if (!head.asked_method.empty() && !allowed_origin_.empty()) add_preflight(response, list_.config().cors, methods);
  return respond(body);
}

bool Connection::may_come_in(const Route& route, const RequestHead& head, AwakeClock::time_point now,
                             access::Caller& caller, std::optional<access::LateCheck>& late, Step& otherwise) {
  if (peer_.role == net::ListenerRole::kAdmin) {  // check_audience() has checked the peer
    caller.kind = access::Caller::Kind::kOperator;
    caller.scopes = accounts::protocol::kAllScopes;
    return true;
  }
  access::Credential credential =
      stream_.is_tls() ? head.credential : credential_without_tls(head.credential, head.plain_session);
  if (route.key_in_query) credential = credential_with_query(credential, scratch().target.query());
  access::Gate& gate = list_.application().gate();
  const access::Knock knock{credential, gate.client_of(address_, head.forwarding), route.need, now, std::time(nullptr)};
  const std::string_view request_id(request_id_.data(), request_id_.size());
  const bool is_late =
      route.key_in_body && credential.kind == access::Credential::Kind::kNone && !credential.is_ambiguous;
  const auto refused = gate.admit(knock, presence_, request_id, caller, ticket_,
                                  is_late ? access::KeyPlace::kBody : access::KeyPlace::kHead);
  if (route.key_in_body) late.emplace(gate, ticket_, knock, caller, request_id, is_late);
  if (presence_.is_excess()) keep_alive_ = false;  // also after a probe, which has no limit
  if (!refused) return true;
  const BodyState unread = head.has_body() ? BodyState::kUnread : BodyState::kRead;
  Response& response = scratch().response;
  exchange_->refuse(*refused, response);
  if (refused->code == ErrorCode::kUnauthorized) add_challenge(response);
  otherwise = respond(unread);
  return false;
}

Connection::Step Connection::follow(Exchange::Next next) {
  switch (next) {
    case Exchange::Next::kNextTurn: return Step::kNextTurn;
    case Exchange::Next::kWriteMore:
      begun_response_ = std::make_unique<Response>(std::exchange(scratch().response, {}));
      return Step::kNextTurn;
    case Exchange::Next::kWait: return Step::kWait;
    case Exchange::Next::kReadBody:  // only begin() returns these two
    case Exchange::Next::kUpgrade:
    case Exchange::Next::kRespond: break;
  }
  return respond(body_state_);
}

// A separate function keeps the lambda's type out of run()'s frame.
asio::awaitable<void> Connection::wait_for_exchange() {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [this](auto resume) { exchange_->wait(Exchange::Resume::from(std::move(resume))); }, asio::use_awaitable);
}

// ---- a WebSocket ----

Connection::Step Connection::begin_websocket(const RequestHead& head, const Route& route,
                                             const access::Caller& caller) {
  auto conversation = exchange_->take_conversation();
  exchange_->answered(static_cast<int>(boost::beast::http::status::switching_protocols));
  exchange_.reset();
  ticket_.clear();  // each message takes another ticket
  websocket_ = std::make_unique<WebSocket>(WebSocket::Parts{stream_, buffer_, list_, *this, peer_.role, presence_},
                                           WebSocket::Beginning{std::string(head.websocket_key), request_id_, caller,
                                                                route.need, stream_.is_tls(), head.offers_subprotocol},
                                           std::move(conversation));
  if (buffer_.size() == 0) buffer_.shrink_to_fit();
  return Step::kWebSocket;
}

asio::awaitable<Connection::Step> Connection::be_websocket() {
  co_await websocket_->run();
  const bool must_linger = websocket_->must_linger();
  occupy(Occupation::kBusy, AwakeClock::now());
  websocket_.reset();
  co_return must_linger ? Step::kLinger : Step::kEnd;
}

// ---- the body ----

Connection::Step Connection::begin_body(const RequestHead& head) {
  body_state_ = BodyState::kUnread;
  if (upload_.begin(head, exchange_->body_rule()) == BodyUpload::State::kRefused) return drop_body(upload_.error());
  if (buffer_.size() != 0) return make_room();
  return head.expects_continue ? Step::kSendContinue : await_body();
}

asio::awaitable<Connection::Step> Connection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  set_deadline(list_.config().write_timeout);
  error_code failed;
  for (auto left = asio::buffer(kContinue); left.size() != 0 && !failed;) {
    net::Stream::Buffers next;
    next[0] = left;
    auto [failure, bytes] = co_await stream_.async_write_some(next, common::kAwait);
    left += bytes;
    failed = failure;
  }
  no_deadline();
  co_return failed ? drop_body(read_failure()) : await_body();
}

Connection::Step Connection::await_body() {
  const auto now = AwakeClock::now();
  upload_.start_clock(now);
  occupy(Occupation::kUnfinished, now);
  return Step::kAwaitBody;
}

Connection::Step Connection::body_began(error_code failure) {
  upload_.stop_clock();
  occupy(Occupation::kBusy, AwakeClock::now());
  return failure ? drop_body(read_failure()) : make_room();
}

Connection::Step Connection::make_room() {
  if (!exchange_->try_room(upload_.room_bytes())) return Step::kAwaitRoom;
  return follow_upload(upload_.use_room(exchange_->room(), buffer_));
}

asio::awaitable<Connection::Step> Connection::await_room() {
  probed_ = false;
  occupy(Occupation::kAwaitingRoom, AwakeClock::now());
  const auto came = co_await exchange_->await_room(upload_.room_bytes(), 0);
  occupy(Occupation::kBusy, AwakeClock::now());
  const bool gone = !stream_.socket().is_open() || stream_.client_presence() == net::ClientPresence::kGone;
  if (gone) co_return Step::kEnd;
  if (!came) co_return drop_body(came.error());
  co_return follow_upload(upload_.use_room(exchange_->room(), buffer_));
}

asio::awaitable<Connection::Step> Connection::await_more_room() {
  upload_.pause(AwakeClock::now());
  const auto came = co_await exchange_->await_room(upload_.room_bytes(), upload_.received_bytes());
  if (!came) co_return drop_body(came.error());
  upload_.resume(AwakeClock::now());
  co_return follow_upload(upload_.use_room(exchange_->room(), buffer_));
}

Connection::Step Connection::follow_upload(BodyUpload::State state) {
  switch (state) {
    case BodyUpload::State::kContent:
    case BodyUpload::State::kFraming: break;
    case BodyUpload::State::kMoreRoom: return Step::kMoreRoom;
    case BodyUpload::State::kComplete: return body_complete();
    case BodyUpload::State::kRoom:  // only begin() returns this
    case BodyUpload::State::kRefused: return drop_body(upload_.error());
  }
  const bool is_first = !upload_.is_timed();
  if (is_first) upload_.start_clock(AwakeClock::now());
  if (state == BodyUpload::State::kFraming) return Step::kReadFraming;
  return is_first && !upload_.is_chunked() ? read_body_now() : Step::kReadBody;
}

Connection::Step Connection::read_body_now() {
  const auto place = upload_.place(kBytesAtOnce);
  error_code failure;
  const std::size_t bytes = stream_.read_some(asio::buffer(place.data(), place.size()), failure);
  return failure == asio::error::would_block ? Step::kReadBody : body_came(failure, bytes);
}

Connection::Step Connection::body_came(error_code failure, std::size_t bytes) {
  if (failure) return drop_body(read_failure());
  const auto state = upload_.content_came(bytes);
  common::reach(common::FaultPoint::kFrontEndReadSome);
  return follow_upload(state);
}

Connection::Step Connection::body_complete() {
  upload_.end();
  body_state_ = BodyState::kRead;
  return follow(exchange_->body_came(upload_.received_bytes(), scratch().response));
}

Connection::Step Connection::drop_body(const Error& error) {
  const Error why = error;  // end() clears the upload's error
  upload_.end();
  exchange_->drop_room();
  return refuse(why, BodyState::kUnread);
}

Error Connection::read_failure() const {
  if (timed_out_ && upload_.was_evicted()) {
    return {ErrorCode::kQueueFull, "the server is too busy: other uploads wait for the memory that this upload holds"};
  }
  if (timed_out_) return {ErrorCode::kRequestTimeout, "the request did not arrive in time"};
  return {ErrorCode::kBadRequest, "the request ended early"};
}

// ---- the answer ----

Connection::Step Connection::refuse(const Error& error, BodyState body, std::string_view path) {
  Response& response = scratch().response;
  if (exchange_) {
    exchange_->refuse(error, response);
  } else {
    list_.application().refuse(error, path, response);
  }
  return respond(body);
}

Connection::Step Connection::respond(BodyState body) {
  Response& response = scratch().response;
  const auto status = static_cast<int>(response.status);
  if (exchange_) {
    exchange_->answered(status);
    exchange_.reset();  // so that an idle connection keeps no retired model alive
  } else {
    list_.application().answered_without_exchange(status);
  }
  if (request_id_.empty()) request_id_ = new_request_id();
  body_state_ = body;
  closing_ = !keep_alive_ || body == BodyState::kUnread || list_.application().draining() ||
             (in_reserve() && !places().leave_reserve(*this, AwakeClock::now()));
  TextBuffer& head_text = scratch().head;
  head_text.clear();
  if (peer_.role == net::ListenerRole::kPublic) append_cors(response.fields, list_.config().cors, allowed_origin_);
  append_head(head_text, response,
              {version_, !closing_, {request_id_.data(), request_id_.size()}, scratch().date.at(std::time(nullptr))});

  error_code failure;
  if (common::is_doomed_at(common::FaultPoint::kFrontEndWroteHeader)) {
    stream_.write_some({asio::buffer(head_text.view())}, failure);
    common::reach(common::FaultPoint::kFrontEndWroteHeader);
  }
  const std::size_t all = head_text.size() + (is_head_ ? 0 : response.content_bytes());
  const std::size_t written = stream_.write_some(first_bytes(head_text, response, is_head_, kBytesAtOnce), failure);
  if (failure && failure != asio::error::would_block) return Step::kEnd;
  if (written == all) {
    response.parts.clear();
    return answer_written();
  }
  unsent_ =
      std::make_unique<UnsentAnswer>(std::exchange(head_text, {}), std::exchange(response, {}), is_head_, written);
  return Step::kWriteRest;
}

asio::awaitable<Connection::Step> Connection::write_rest() {
  timed_out_ = false;
  set_deadline(list_.config().write_timeout);
  error_code failed;
  while (!failed && !unsent_->done()) {
    occupy(Occupation::kUnreadAnswer, AwakeClock::now());
    auto [failure, bytes] = co_await stream_.async_write_some(unsent_->next(kBytesAtOnce), common::kAwait);
    unsent_->sent(bytes);
    failed = failure;
  }
  no_deadline();
  unsent_.reset();
  occupy(Occupation::kBusy, AwakeClock::now());
  co_return failed ? Step::kEnd : answer_written();
}

Connection::Step Connection::answer_written() {
  ticket_.clear();
  common::reach(common::FaultPoint::kFrontEndAnswered);
  if (!closing_) return Step::kNextRequest;
  // If the kernel holds unread bytes, close() sends a reset, and the client may lose the answer.
  if (in_reserve()) return Step::kEnd;  // another connection needs the place
  const bool unread = body_state_ == BodyState::kUnread || buffer_.size() != 0 || stream_.has_unread();
  return unread ? Step::kLinger : Step::kEnd;
}

asio::awaitable<void> Connection::linger() {
  error_code failure;
  stream_.end();
  stream_.socket().shutdown(Socket::shutdown_send, failure);
  timed_out_ = false;
  set_deadline(kLinger);
  occupy(Occupation::kLingering, AwakeClock::now());
  buffer_.consume(buffer_.size());
  const auto unread = asio::buffer(scratch().unread);
  while (!failure && !timed_out_) {
    auto [ended, bytes] = co_await stream_.socket().async_read_some(unread, common::kAwait);
    failure = ended;
  }
}

}  // namespace yolod::app::http
