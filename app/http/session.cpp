#include "app/http/session.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cstring>
#include <utility>

#include "app/http/accept.hpp"
#include "app/http/await.hpp"
#include "app/http/client_presence.hpp"
#include "app/http/multipart.hpp"
#include "app/http/page.hpp"
#include "app/http/request_id.hpp"
#include "app/http/server.hpp"
#include "app/http/target.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint32_t kHeaderLimitBytes = 16 * 1024;
// Read at first: most headers, and little of a body, which then goes straight to its place.
constexpr std::size_t kFirstReadBytes = 4096;
constexpr std::size_t kBufferLimitBytes = kHeaderLimitBytes + kFirstReadBytes + 64 * 1024;
constexpr std::chrono::seconds kLinger{2};
// The least that a body may arrive at, after a first grace.
constexpr std::uint64_t kSlowestBytesPerSecond = 16 * 1024;
constexpr std::chrono::seconds kSlowGrace{2};

// What two parsers could read differently, or what RFC 9112 says to refuse (3.2, 6.1): nothing if all is plain.
template <typename Parser>
std::optional<std::string_view> ambiguity(const Parser& parser) {
  const auto& header = parser.get();
  if (header.version() == 11 && header.count(http::field::host) != 1) return "there must be one Host";
  const auto codings = header.count(http::field::transfer_encoding);
  if (codings == 0) return std::nullopt;
  if (header.version() != 11) return "HTTP/1.0 has no Transfer-Encoding";
  if (header.count(http::field::content_length) != 0) return "both Transfer-Encoding and Content-Length";
  if (codings != 1 || !beast::iequals(header[http::field::transfer_encoding], "chunked")) {
    return "chunked is the only Transfer-Encoding that is understood";
  }
  return std::nullopt;
}

// By a proxy, or by a page in a browser: who asks is then not who has the connection.
template <typename Header>
bool is_forwarded(const Header& header) {
  return header.count(http::field::origin) != 0 || header.count(http::field::forwarded) != 0 ||
         header.count(http::field::via) != 0 || header.count("X-Forwarded-For") != 0;
}

}  // namespace

Session::Session(Socket socket, Server& server, Service& service, const common::ServerConfig& config)
    : socket_(std::move(socket)), server_(server), service_(service), config_(config), buffer_(kBufferLimitBytes) {
  server_.add(*this);
}

Session::~Session() { server_.remove(*this); }

void Session::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Session::check_deadline(Clock::time_point now) {
  bool late = now >= deadline_;
  if (reading_body_ && now - body_began_ > kSlowGrace) {
    const std::chrono::duration<double> elapsed = now - body_began_;
    late |= static_cast<double>(body_received_) < elapsed.count() * static_cast<double>(kSlowestBytesPerSecond);
  }
  if (late) {
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  }
  if (answering_ != nullptr) look_for_client();
}

void Session::look_for_client() {
  switch (client_presence(socket_.native_handle())) {
    case ClientPresence::kThere: return;
    case ClientPresence::kSaysNoMore:
      if (version_ == 11 && !std::exchange(probed_, true)) probe_client(socket_.native_handle());
      return;
    case ClientPresence::kGone: answering_->cancel(job_id_); return;
  }
}

Error Session::read_failure() const {
  if (timed_out_) return {ErrorCode::kRequestTimeout, "the request did not arrive in time"};
  return {ErrorCode::kBadRequest, "the request ended early"};
}

asio::awaitable<void> Session::run() {
  const auto self = shared_from_this();
  while (co_await serve_one() == Next::kKeepAlive) {
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

asio::awaitable<bool> Session::wait_for_first_byte() {
  if (buffer_.size() != 0) co_return true;
  idle_ = true;
  set_deadline(config_.idle_timeout);
  auto [failure, bytes] = co_await socket_.async_read_some(buffer_.prepare(kFirstReadBytes), kAwait);
  idle_ = false;
  if (failure) co_return false;
  buffer_.commit(bytes);
  co_return true;
}

asio::awaitable<Session::Next> Session::serve_one() {
  if (!co_await wait_for_first_byte()) co_return Next::kClose;
  request_began_ = Clock::now();
  request_id_ = new_request_id();
  keep_alive_ = is_head_ = expects_continue_ = timed_out_ = false;
  HeaderParser parser;
  parser.header_limit(kHeaderLimitBytes);
  parser.body_limit(boost::none);  // checked against max_body_bytes once it is known what the body is for
  set_deadline(config_.header_timeout);
  auto [failure, bytes] = co_await http::async_read_header(socket_, buffer_, parser, kAwait);
  if (failure) {
    auto refused = refuse_header(failure);
    if (!refused) co_return Next::kClose;
    co_return co_await respond(*refused);
  }
  no_deadline();
  read_header(parser);
  auto reply = co_await handle(parser);
  co_return co_await respond(reply);
}

void Session::read_header(const HeaderParser& parser) {
  const auto& header = parser.get();
  if (const auto sent = header["X-Request-Id"]; is_sane_request_id({sent.data(), sent.size()})) {
    request_id_.assign(sent.data(), sent.size());
  }
  version_ = header.version() == 10 ? 10 : 11;
  keep_alive_ = parser.keep_alive();
  is_head_ = header.method() == http::verb::head;
  expects_continue_ = version_ == 11 && beast::iequals(header[http::field::expect], "100-continue");
}

std::optional<Session::Reply> Session::refuse_header(error_code failure) const {
  if (failure == http::error::end_of_stream) return std::nullopt;
  if (timed_out_) return refusal(read_failure(), BodyState::kUnread);
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return refusal({ErrorCode::kHeaderTooLarge, "the request's header is larger than 16 KiB"}, BodyState::kUnread);
  }
  const bool not_http = failure.category() == http::make_error_code(http::error::end_of_stream).category() &&
                        failure != http::error::partial_message;
  if (!not_http) return std::nullopt;  // the connection itself broke
  return refusal({ErrorCode::kBadRequest, "the request is not HTTP/1.1 as RFC 9112 has it"}, BodyState::kUnread);
}

Session::Reply Session::refusal(const Error& error, BodyState body) { return {make_error(error), body}; }

// GCC 12 destroys a braced temporary in the operand of a co_await twice (seen as a double free of an Error's text), so
// coroutines here build their answers in plain functions and co_return them; only serve_one() writes.
asio::awaitable<Session::Reply> Session::handle(HeaderParser& parser) {
  const auto target = parse_target({parser.get().target().data(), parser.get().target().size()});
  ServedModel* model = nullptr;
  PredictParameters parameters;
  auto reply = answer_without_body(parser, target, parameters, model);
  if (reply) co_return std::move(*reply);
  if (model == nullptr) {  // a reload
    const auto result = co_await reload(parameters.model);
    co_return Reply{make_reloaded(result), BodyState::kRead};
  }

  auto predicted = co_await predict(parser, *model, parameters);
  model->metrics.answered(static_cast<int>(predicted.response.result_int()));
  co_return std::move(predicted);
}

// Everything that is decided by the header alone. Nothing: `model` is to be asked; without one, a reload is.
std::optional<Session::Reply> Session::answer_without_body(const HeaderParser& parser,
                                                           const std::optional<Target>& target,
                                                           PredictParameters& parameters, ServedModel*& model) {
  if (const auto problem = ambiguity(parser)) {
    keep_alive_ = false;
    return refusal({ErrorCode::kBadRequest, std::string(*problem)}, BodyState::kUnread);
  }
  const bool has_body = parser.chunked() || parser.content_length().value_or(0) != 0;
  const BodyState unread = has_body ? BodyState::kUnread : BodyState::kRead;
  if (!target) return refusal({ErrorCode::kBadRequest, "the request target is not valid"}, unread);
  const RouteEntry* const route = find_route(target->path);
  if (route == nullptr) return refusal({ErrorCode::kNotFound, "there is nothing at this path"}, unread);
  if (!route->allows(parser.get().method())) {
    auto reply = refusal({ErrorCode::kMethodNotAllowed, "this path does not take that method"}, unread);
    reply.response.set(http::field::allow, beast::string_view(route->allow.data(), route->allow.size()));
    return reply;
  }
  if (route->route != Route::kPredict && route->route != Route::kImage && route->route != Route::kReload) {
    return Reply{answer_simple(route->route), unread};
  }

  auto parsed = parse_predict_parameters(*target);
  if (!parsed) return refusal(parsed.error(), unread);
  parameters = std::move(*parsed);
  if (route->route == Route::kReload) {
    if (!is_local_client() || is_forwarded(parser.get())) {
      return refusal({ErrorCode::kForbidden, "reloads are asked for on this machine"}, unread);
    }
    if (has_body) return refusal({ErrorCode::kBadRequest, "a reload takes no body"}, unread);
    return std::nullopt;
  }
  model = service_.find_model(parameters.model);
  if (model == nullptr) return refusal({ErrorCode::kUnknownModel, "there is no model of that name"}, unread);
  if (const auto fits = check_route(route->route, *model->config); !fits) return refusal(fits.error(), unread);
  if (route->route == Route::kImage) {
    const auto accept = parser.get()[http::field::accept];
    parameters.options.png = prefers_png({accept.data(), accept.size()});
  }
  return std::nullopt;
}

bool Session::is_local_client() const {
  error_code failure;
  const auto peer = socket_.remote_endpoint(failure);
  if (failure) return false;
  if (peer.protocol().family() == AF_UNIX) return true;
  asio::ip::tcp::endpoint address;
  address.resize(peer.size());
  std::memcpy(address.data(), peer.data(), peer.size());
  return address.address().is_loopback() ||
         (address.address().is_v6() && address.address().to_v6().is_v4_mapped() &&
          asio::ip::make_address_v4(asio::ip::v4_mapped, address.address().to_v6()).is_loopback());
}

asio::awaitable<Outcome<void>> Session::reload(std::string model) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Outcome<void>)>(
      [this](auto handler, const std::string& name) {
        // std::function wants what it holds to be copyable.
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        service_.reload(name, [waiting](const Outcome<void>& result) { std::move (*waiting)(result); });
      },
      asio::use_awaitable, std::move(model));
}

Outcome<void> Session::check_route(Route route, const common::ModelConfig& model) {
  const bool makes_images = model.task == common::Task::kImage;
  if (route == Route::kImage && !makes_images) {
    return Error{ErrorCode::kBadRequest, "this model makes no images: POST /predict asks it; ?model= names another"};
  }
  if (route == Route::kPredict && makes_images) {
    return Error{ErrorCode::kBadRequest, "this model makes images: PUT /image asks it"};
  }
  return {};
}

Response Session::answer_simple(Route route) {
  switch (route) {
    case Route::kReady: {
      bool ready = false;
      std::string body = service_.readiness_json(ready);
      return make_json(ready ? http::status::ok : http::status::service_unavailable, std::move(body));
    }
    case Route::kStatus: return make_json(http::status::ok, service_.status_json());
    case Route::kMetrics: {
      auto response = make_json(http::status::ok, service_.metrics_text());
      response.set(http::field::content_type, "text/plain; version=0.0.4");
      return response;
    }
    case Route::kPage: {
      auto response = make_json(http::status::ok, std::string(page_html()));
      response.set(http::field::content_type, "text/html; charset=utf-8");
      response.set("Content-Security-Policy", "default-src 'self' 'unsafe-inline' blob: data:");
      return response;
    }
    case Route::kHealth:
    case Route::kReload:
    case Route::kPredict:
    case Route::kImage: break;
  }
  return make_json(http::status::ok, R"({"live":true})");
}

Outcome<std::optional<std::string>> Session::check_predict(const HeaderParser& parser, const ServedModel& model,
                                                           const PredictParameters& parameters,
                                                           const Urgency& urgency) {
  if (auto within = limit_to(*model.config, parameters.options); !within) return within.error();
  const std::string content_type(parser.get()[http::field::content_type]);
  std::optional<std::string> boundary;
  if (is_multipart(content_type)) {
    boundary = multipart_boundary(content_type);
    if (!boundary) return Error{ErrorCode::kBadRequest, "multipart: no valid boundary"};
  } else if (content_type.starts_with("application/json")) {
    return Error{ErrorCode::kUnsupportedMediaType, "send the image as the body, or as multipart/form-data"};
  }
  if (auto admitted = model.dispatcher.admit(urgency); !admitted) return admitted.error();
  return boundary;
}

Outcome<Urgency> Session::urgency_of(const HeaderParser& parser, Priority priority) const {
  const auto text = parser.get()["X-Request-Timeout"];
  const auto timeout = parse_request_timeout({text.data(), text.size()});
  if (!timeout) return timeout.error();
  return Urgency{priority, *timeout ? request_began_ + **timeout : Clock::time_point::max()};
}

Session::Reply Session::refuse(const ServedModel& model, const Error& error, BodyState body) {
  return {make_error(error, model.dispatcher.retry_after_seconds()), body};
}

asio::awaitable<Session::Reply> Session::predict(HeaderParser& parser, ServedModel& model,
                                                 const PredictParameters& parameters) {
  const auto urgency = urgency_of(parser, parameters.priority);
  if (!urgency) co_return refuse(model, urgency.error(), BodyState::kUnread);
  const auto boundary = check_predict(parser, model, parameters, *urgency);
  if (!boundary) co_return refuse(model, boundary.error(), BodyState::kUnread);

  auto block = co_await read_body(parser, model);
  reading_body_ = false;
  no_deadline();
  if (!block) co_return refuse(model, block.error(), BodyState::kUnread);

  const std::span<const std::byte> whole = block->bytes();
  std::span<const std::byte> image = whole;
  if (*boundary) {
    const auto part = find_part(whole, **boundary, "image");
    if (!part) co_return refusal(part.error(), BodyState::kRead);
    image = *part;
  }
  PredictionJob job;
  job.image_offset = block->offset() + static_cast<std::uint64_t>(image.data() - whole.data());
  job.image_bytes = image.size();
  job.options = parameters.options;
  job.urgency = *urgency;
  job.block = std::move(*block);

  job_id_ = job.id = model.dispatcher.new_id();
  answering_ = &model.dispatcher;
  probed_ = false;
  const Answer answer = co_await model.dispatcher.predict(std::move(job));
  answering_ = nullptr;
  if (!answer.prediction) co_return refuse(model, answer.prediction.error(), BodyState::kRead);
  co_return Reply{make_prediction(model.config->name, answer, common::elapsed_us(request_began_, Clock::now())),
                  BodyState::kRead};
}

// ---- bodies ----

void Session::begin_body(std::uint64_t received) {
  reading_body_ = true;
  body_began_ = Clock::now();
  body_received_ = received;
  set_deadline(config_.body_timeout);
}

Error Session::no_room() const {
  if (service_.draining()) return {ErrorCode::kShuttingDown, "the server is stopping"};
  return {ErrorCode::kQueueFull, "too busy"};
}

std::uint64_t Session::body_limit() const {
  return std::min(config_.max_body_bytes, service_.arena_gate().arena().largest_body_bytes());
}

asio::awaitable<Outcome<ipc::ArenaBlock>> Session::read_body(HeaderParser& parser, const ServedModel& model) {
  const auto patience = model.config->queue.timeout;
  if (parser.chunked()) co_return co_await read_chunked_body(parser, patience);
  const std::uint64_t length = parser.content_length().value_or(0);
  if (length == 0) co_return Error{ErrorCode::kInvalidImage, "the request has no body"};
  if (length > body_limit()) {
    co_return Error{ErrorCode::kBodyTooLarge, "the body is larger than this server takes"};
  }
  if (!co_await continue_if_expected()) co_return read_failure();
  if (!co_await wait_for_body()) co_return read_failure();
  co_return co_await read_sized_body(length, patience);
}

// Room is for who sends: a client that declares a large body and sends nothing holds none, and nobody waits behind it.
asio::awaitable<bool> Session::wait_for_body() {
  if (buffer_.size() != 0) co_return true;
  begin_body(0);
  auto [failure] = co_await socket_.async_wait(Socket::wait_read, kAwait);
  reading_body_ = false;
  no_deadline();
  co_return !failure;
}

asio::awaitable<bool> Session::continue_if_expected() {
  if (!expects_continue_ || buffer_.size() != 0) co_return true;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  set_deadline(config_.write_timeout);
  auto [failure, bytes] = co_await asio::async_write(socket_, asio::buffer(kContinue), kAwait);
  no_deadline();
  co_return !failure;
}

asio::awaitable<Outcome<ipc::ArenaBlock>> Session::read_sized_body(std::uint64_t length,
                                                                   std::chrono::milliseconds patience) {
  auto block = co_await service_.arena_gate().reserve(length, patience);
  if (!block) co_return no_room();
  const std::span<std::byte> place = block->bytes();
  const std::uint64_t taken = std::min<std::uint64_t>(buffer_.size(), length);
  std::memcpy(place.data(), buffer_.data().data(), taken);
  buffer_.consume(taken);

  begin_body(taken);
  while (body_received_ < length) {
    auto [failure, bytes] =
        co_await socket_.async_read_some(asio::buffer(place.data() + body_received_, length - body_received_), kAwait);
    if (failure) co_return read_failure();
    body_received_ += bytes;
    common::reach(common::FaultPoint::kFrontEndReadSome);
  }
  block->end_upload();
  co_return std::move(*block);
}

// The length is not known before the end: room for the longest is taken at first, and what was not needed given back.
asio::awaitable<Outcome<ipc::ArenaBlock>> Session::read_chunked_body(HeaderParser& parser,
                                                                     std::chrono::milliseconds patience) {
  if (!co_await continue_if_expected()) co_return read_failure();
  if (!co_await wait_for_body()) co_return read_failure();
  // One byte more: the parser needs a place to write to also when only the end of the body is to come.
  auto block = co_await service_.arena_gate().reserve(body_limit() + 1, patience);
  if (!block) co_return no_room();

  const std::span<std::byte> place = block->bytes();
  http::request_parser<http::buffer_body> body(std::move(parser));
  body.body_limit(body_limit());
  begin_body(0);
  while (!body.is_done()) {
    auto& into = body.get().body();
    into.data = place.data() + body_received_;
    into.size = place.size() - body_received_;
    into.more = true;
    auto [failure, bytes] = co_await http::async_read_some(socket_, buffer_, body, kAwait);
    body_received_ = place.size() - into.size;
    if (failure == http::error::body_limit) {
      co_return Error{ErrorCode::kBodyTooLarge, "the body is larger than this server takes"};
    }
    if (failure && failure != http::error::need_buffer) co_return read_failure();
  }
  if (body_received_ == 0) co_return Error{ErrorCode::kInvalidImage, "the request has no body"};
  block->shrink(body_received_);
  block->end_upload();
  co_return std::move(*block);
}

// ---- answers ----

asio::awaitable<Session::Next> Session::respond(Reply& reply) {
  Response& response = reply.response;
  const bool keep_alive = keep_alive_ && reply.body == BodyState::kRead && !service_.draining();
  response.version(version_);
  response.keep_alive(keep_alive);
  response.set("X-Request-Id", request_id_);
  response.prepare_payload();
  if (is_head_) response.body().clear();

  timed_out_ = false;
  set_deadline(config_.write_timeout);
  http::response_serializer<http::string_body> serializer(response);
  if (common::is_doomed_at(common::FaultPoint::kFrontEndWroteHeader)) {
    serializer.split(true);
    co_await http::async_write_header(socket_, serializer, kAwait);
    common::reach(common::FaultPoint::kFrontEndWroteHeader);
  }
  auto [failure, bytes] = co_await http::async_write(socket_, serializer, kAwait);
  common::reach(common::FaultPoint::kFrontEndAnswered);
  no_deadline();
  if (failure) co_return Next::kClose;
  if (keep_alive) co_return Next::kKeepAlive;
  // With unread bytes in the kernel a close is a reset, which overtakes the answer.
  error_code ignored;
  if (reply.body == BodyState::kUnread || buffer_.size() != 0 || socket_.available(ignored) != 0) co_await linger();
  co_return Next::kClose;
}

asio::awaitable<void> Session::linger() {
  error_code failure;
  socket_.shutdown(Socket::shutdown_send, failure);
  timed_out_ = false;
  set_deadline(kLinger);
  buffer_.consume(buffer_.size());
  while (!failure && !timed_out_) {
    auto [ended, bytes] = co_await socket_.async_read_some(buffer_.prepare(kFirstReadBytes), kAwait);
    failure = ended;
  }
}

}  // namespace yolod::app
