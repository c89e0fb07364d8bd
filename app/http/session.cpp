#include "app/http/session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <ctime>
#include <utility>

#include "app/http/content_negotiation.hpp"
#include "app/http/page.hpp"
#include "app/http/parameters.hpp"
#include "app/http/scratch.hpp"
#include "app/http/server.hpp"
#include "app/net/admin_peer.hpp"
#include "app/net/client_presence.hpp"
#include "common/await.hpp"
#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// Read at once where a header is to come: most headers, and little of a body, which then goes straight to its place.
constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kBufferLimitBytes = RequestHeadReader::kLimitBytes + kReadBytes + 64 * 1024;
// What an idle connection may keep.
constexpr std::size_t kIdleBufferBytes = 2 * kReadBytes;
constexpr std::chrono::seconds kLinger{2};
// Members of a list that one turn writes as JSON.
constexpr std::size_t kItemsAtOnce = 500;
// How often a connection in the reserve looks for a place, and for how long.
constexpr std::chrono::milliseconds kPlacePoll{20};
constexpr std::chrono::milliseconds kPlacePatience{500};

// Whether /status and /metrics are answered on the admin listener and nowhere else.
bool is_admin_alone(const common::ServerConfig& config) {
  return !config.admin_listen.empty() && config.admin_listen != common::kAdminListenAuto;
}

// What the header alone says against asking that model at this route.
Outcome<void> check_route(Route route, const common::ModelConfig& model) {
  const bool makes_images = model.task == common::Task::kImage;
  if (route == Route::kImage && !makes_images) {
    return Error{ErrorCode::kBadRequest, "this model makes no images: POST /predict asks it; ?model= names another"};
  }
  if (route == Route::kPredict && makes_images) {
    return Error{ErrorCode::kBadRequest, "this model makes images: PUT /image asks it"};
  }
  return {};
}

}  // namespace

Session::Session(Socket socket, ListenerRole role, Server& server, Service& service, const common::ServerConfig& config)
    : socket_(std::move(socket)),
      role_(role),
      server_(server),
      service_(service),
      config_(config),
      buffer_(kBufferLimitBytes) {
  error_code ignored;
  socket_.non_blocking(true, ignored);  // what can be done at once is done at once
  server_.places(role_).add(*this, AwakeClock::now());
  // Now, and not when it asks for something: later its pid could be another process's.
  if (role_ == ListenerRole::kAdmin) may_administer_ = may_administer(socket_.native_handle());
}

Session::~Session() { server_.places(role_).remove(*this); }

void Session::close() {
  error_code ignored;
  socket_.close(ignored);
  if (occupation() == Occupation::kAwaitingRoom) service_.body_room().leave(static_cast<Place*>(this));
}

void Session::time_out() {
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Session::occupy(Occupation occupation, AwakeClock::time_point now) {
  server_.places(role_).change(*this, occupation, now);
}

bool Session::check_deadline(AwakeClock::time_point now) {
  bool late = now >= deadline_ || (idle_ && now - since() >= config_.idle_timeout);
  if (uploading_) {
    const std::chrono::duration<double> elapsed = now - std::exchange(upload_checked_, now);
    const auto came = static_cast<double>(body_received_ - std::exchange(received_at_last_check_, body_received_));
    if (elapsed.count() > 0) recent_rate_ = (recent_rate_ + came / elapsed.count()) / 2;
    late |= !keeps_pace(upload(), config_.body_timeout, now);
  }
  if (late) time_out();
  if (answering_ != nullptr || occupation() == Occupation::kAwaitingRoom) look_for_client();
  return late;
}

void Session::look_for_client() {
  switch (client_presence(socket_.native_handle())) {
    case ClientPresence::kThere: return;
    case ClientPresence::kSaysNoMore:
      if (version_ == 11 && !std::exchange(probed_, true)) probe_client(socket_.native_handle());
      return;
    case ClientPresence::kGone:
      if (answering_ != nullptr) {
        answering_->cancel(job_id_);
      } else {
        service_.body_room().leave(static_cast<Place*>(this));
      }
      return;
  }
}

// One frame for the connection's life: a coroutine that is called for a request is one more to allocate. So what
// happens between two waits is plain functions, and what few requests wait for is a coroutine of its own.
asio::awaitable<void> Session::run() {
  const auto self = shared_from_this();
  Step step = Step::kNextRequest;
  while (step != Step::kEnd) {
    switch (step) {
      case Step::kNextRequest: step = next_request(); break;
      case Step::kReadHeader:
      case Step::kAwaitBody: {
        auto [failure, bytes] = co_await socket_.async_read_some(buffer_.prepare(kReadBytes), common::kAwait);
        buffer_.commit(bytes);
        step = step == Step::kReadHeader ? header_came(failure) : body_began(failure);
        break;
      }
      case Step::kAwaitPlace: {
        asio::steady_timer poll(socket_.get_executor(), kPlacePoll);
        (void)co_await poll.async_wait(common::kAwait);
        head_looked_at_ = 0;
        step = read_head();
        break;
      }
      case Step::kSayContinue: step = co_await say_continue(); break;
      case Step::kAwaitRoom: {
        probed_ = false;
        occupy(Occupation::kAwaitingRoom, AwakeClock::now());
        auto room =
            co_await service_.body_room().reserve(first_room_bytes(), room_patience(), static_cast<Place*>(this));
        occupy(Occupation::kBusy, AwakeClock::now());
        const bool gone = !socket_.is_open() || client_presence(socket_.native_handle()) == ClientPresence::kGone;
        step = gone ? Step::kEnd : room_came(std::move(room));
        break;
      }
      case Step::kReadBody: {
        const auto left = std::min<std::uint64_t>(body_length_ - body_received_, kBytesAtOnce);
        const auto place = asio::buffer(room_.bytes().data() + body_received_, left);
        auto [failure, bytes] = co_await socket_.async_read_some(place, common::kAwait);
        step = body_came(failure, bytes);
        break;
      }
      case Step::kReadChunks: step = co_await read_chunks(); break;
      case Step::kScanForm:
        co_await asio::post(socket_.get_executor(), asio::use_awaitable);
        step = scan_form();
        break;
      case Step::kPredict: {
        Answer made = co_await answering_->predict(std::move(job_));
        step = answered(made);
        break;
      }
      case Step::kReload: {
        const auto result = co_await reload();
        write_reloaded(server_.scratch().response, result);
        step = respond(BodyState::kRead);
        break;
      }
      case Step::kRender:
        co_await asio::post(socket_.get_executor(), asio::use_awaitable);
        step = render();
        break;
      case Step::kWriteRest: step = co_await write_rest(); break;
      case Step::kLinger:
        co_await linger();
        step = Step::kEnd;
        break;
      case Step::kLetOthers:
        co_await asio::post(socket_.get_executor(), asio::use_awaitable);
        without_wait_ = 0;
        step = Step::kNextRequest;
        break;
      case Step::kEnd: break;
    }
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

// ---- the header ----

Session::Step Session::next_request() {
  if (buffer_.size() != 0) {
    // Who sends many requests at once lets others have their turn in between.
    constexpr unsigned kAtOnce = 16;
    if (++without_wait_ > kAtOnce) return Step::kLetOthers;
    begin_request();
    return read_head();
  }
  if (buffer_.capacity() > kIdleBufferBytes) buffer_.shrink_to_fit();
  without_wait_ = 0;
  idle_ = true;
  if (occupation() != Occupation::kSilent) occupy(Occupation::kIdle, AwakeClock::now());
  return Step::kReadHeader;
}

void Session::begin_request() {
  request_began_ = AwakeClock::now();
  if (std::exchange(idle_, false)) occupy(Occupation::kBusy, request_began_);
  request_id_.clear();
  head_looked_at_ = 0;
  version_ = 11;
  timed_out_ = keep_alive_ = is_head_ = false;
  model_ = nullptr;
}

Session::Step Session::header_came(error_code failure) {
  // Bytes may have come just before it was closed to make room for another.
  if (!socket_.is_open()) return Step::kEnd;
  if (failure) {
    // Only who has begun a request is owed an answer, and only while the connection stands.
    if (idle_ || !timed_out_) return Step::kEnd;
    return refuse(read_failure(), BodyState::kUnread);
  }
  if (idle_) begin_request();
  return read_head();
}

// What is wrong with it shows at the first look or at the end, as with a parser that waits for the end.
bool Session::may_have_whole_head() {
  const std::string_view text(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  const std::size_t looked_at = std::exchange(head_looked_at_, text.size());
  return looked_at < 4 || text.size() > RequestHeadReader::kLimitBytes ||
         text.find("\r\n\r\n", looked_at - 3) != std::string_view::npos ||
         text.find("\n\n", looked_at - 1) != std::string_view::npos;  // lines that end in LF alone are none
}

// Old clients end a body with a line break that is no part of it (RFC 9112, 2.2).
void Session::skip_empty_lines() {
  constexpr unsigned kMost = 4;
  while (empty_lines_ < kMost && buffer_.size() >= 2) {
    const std::string_view text(static_cast<const char*>(buffer_.data().data()), 2);
    if (text != "\r\n") return;
    buffer_.consume(2);
    head_looked_at_ = 0;
    ++empty_lines_;
  }
}

Session::Step Session::read_head() {
  skip_empty_lines();
  if (buffer_.size() == 0) {
    no_deadline();
    return next_request();
  }
  if (!may_have_whole_head()) return Step::kReadHeader;
  RequestHead head;
  // The reader takes the first half of an empty line for a method.
  const bool in_empty_line = buffer_.size() == 1 && *static_cast<const char*>(buffer_.data().data()) == '\r';
  const error_code failure =
      in_empty_line ? http::error::need_more : server_.scratch().reader.read(buffer_.data(), head);
  if (failure == http::error::need_more) {
    deadline_ = request_began_ + config_.header_timeout;
    if (occupation() != Occupation::kUnfinished) occupy(Occupation::kUnfinished, request_began_);
    return Step::kReadHeader;
  }
  no_deadline();
  empty_lines_ = 0;
  if (occupation() == Occupation::kUnfinished) occupy(Occupation::kBusy, AwakeClock::now());
  if (failure) return refuse(header_error(failure), BodyState::kUnread);
  Step otherwise{};
  if (in_reserve() && !may_be_served(head, otherwise)) return otherwise;
  if (is_sane_request_id(head.request_id)) request_id_.assign(head.request_id.data(), head.request_id.size());
  version_ = head.version;
  keep_alive_ = head.keep_alive;
  is_head_ = head.method == http::verb::head;
  buffer_.consume(head.bytes);
  return answer(head);
}

bool Session::may_be_served(const RequestHead& head, Step& otherwise) {
  Scratch& scratch = server_.scratch();
  if (head.ambiguity.empty() && scratch.target.parse(head.target)) {
    const RouteEntry* const route = find_route(scratch.target.path());
    if (route != nullptr && (route->route == Route::kHealth || route->route == Route::kReady)) return true;
  }
  const auto now = AwakeClock::now();
  Places& places = server_.places(role_);
  if (places.leave_reserve(*this, now)) return true;
  if (now - request_began_ < kPlacePatience && places.may_make_room_soon(now)) {
    otherwise = Step::kAwaitPlace;
    return false;
  }
  version_ = head.version;
  otherwise =
      refuse({ErrorCode::kQueueFull, "too many connections"}, head.has_body() ? BodyState::kUnread : BodyState::kRead);
  return false;
}

Error Session::header_error(error_code failure) {
  if (failure == http::error::header_limit) {
    return {ErrorCode::kHeaderTooLarge, "the request's header is larger than 16 KiB"};
  }
  const auto why = [&failure]() -> std::string {
    using http::error;
    if (failure == error::bad_method || failure == error::bad_target) {
      return "the first line is not METHOD TARGET HTTP/1.1, with CR LF at its end";
    }
    if (failure == error::bad_version) return "the version is neither HTTP/1.0 nor HTTP/1.1";
    if (failure == error::bad_content_length || failure == error::multiple_content_length) {
      return "the Content-Length is not one whole number, or stands beside a Transfer-Encoding";
    }
    if (failure == error::bad_transfer_encoding) {
      return "the Transfer-Encoding is not chunked alone, or stands beside a Content-Length";
    }
    if (failure == error::bad_field || failure == error::bad_value || failure == error::bad_line_ending ||
        failure == error::bad_obs_fold) {
      return "a header line is not Name: value, with CR LF at its end";
    }
    return "the request is not HTTP/1.1 as RFC 9112 has it";
  }();
  return {ErrorCode::kBadRequest, why};
}

// ---- what is asked ----

// Everything that is decided by the header alone.
Session::Step Session::answer(const RequestHead& head) {
  Scratch& scratch = server_.scratch();
  if (!head.ambiguity.empty()) {
    keep_alive_ = false;
    return refuse({ErrorCode::kBadRequest, std::string(head.ambiguity)}, BodyState::kUnread);
  }
  const BodyState unread = head.has_body() ? BodyState::kUnread : BodyState::kRead;
  if (!scratch.target.parse(head.target)) {
    keep_alive_ = false;
    return refuse({ErrorCode::kBadRequest, "the request target is not valid"}, unread);
  }
  const RouteEntry* const route = find_route(scratch.target.path());
  if (route == nullptr) return refuse({ErrorCode::kNotFound, "there is nothing at this path"}, unread);
  if (const auto may = check_audience(*route, head); !may) return refuse(may.error(), unread);
  if (!route->allows(head.method)) {
    write_error(scratch.response, {ErrorCode::kMethodNotAllowed, "this path does not take that method"});
    add_field(scratch.response, "Allow", route->allow);
    return respond(unread);
  }
  if (route->route != Route::kPredict && route->route != Route::kImage && route->route != Route::kReload) {
    answer_simple(route->route, scratch.response);
    return respond(unread);
  }

  if (route->route == Route::kReload) {
    const auto model = parse_reload_parameters(scratch.target);
    return model ? ask_for_reload(head, *model) : refuse(model.error(), unread);
  }
  const auto parameters = parse_predict_parameters(scratch.target);
  if (!parameters) return refuse(parameters.error(), unread);
  auto model = service_.find_model(parameters->model);
  if (model == nullptr) return refuse({ErrorCode::kUnknownModel, "there is no model of that name"}, unread);
  if (const auto fits = check_route(route->route, *model->config); !fits) return refuse(fits.error(), unread);
  model_ = std::move(model);
  options_ = parameters->options;
  const auto timeout = parse_request_timeout(head.request_timeout);
  if (!timeout) return refuse(timeout.error(), unread);
  urgency_ = {parameters->priority, *timeout ? request_began_ + **timeout : AwakeClock::time_point::max()};
  if (route->route == Route::kImage) options_.png = prefers_png(head.accept);
  return begin_body(head);
}

void Session::answer_simple(Route route, Response& response) {
  switch (route) {
    case Route::kReady: {
      bool ready = false;
      const std::string body = service_.readiness_json(ready);
      return write_json(response, ready ? http::status::ok : http::status::service_unavailable, body);
    }
    case Route::kStatus: return write_json(response, http::status::ok, service_.status_json());
    case Route::kMetrics: return write_text(response, "text/plain; version=0.0.4", service_.metrics_text());
    case Route::kPage:
      write_text(response, "text/html; charset=utf-8", page_html());
      return add_field(response, "Content-Security-Policy", "default-src 'self' 'unsafe-inline' blob: data:");
    case Route::kHealth:
    case Route::kReload:
    case Route::kPredict:
    case Route::kImage: break;
  }
  write_json(response, http::status::ok, R"({"live":true})");
}

Session::Step Session::ask_for_reload(const RequestHead& head, std::string_view model) {
  const BodyState unread = head.has_body() ? BodyState::kUnread : BodyState::kRead;
  if (head.has_body()) return refuse({ErrorCode::kBadRequest, "a reload takes no body"}, unread);
  reload_model_ = model;
  return Step::kReload;
}

// A page in a browser and a program behind a proxy are not the process that has the connection, so nothing that either
// passes on administers.
Outcome<void> Session::check_audience(const RouteEntry& route, const RequestHead& head) {
  if (!route.is_served_at(role_, is_admin_alone(config_))) {
    return role_ == ListenerRole::kAdmin
               ? Error{ErrorCode::kForbidden, "this path is for clients: ask at an address of server.listen"}
               : Error{ErrorCode::kForbidden, "this path is for the server's admins: ask at server.admin_listen"};
  }
  if (role_ == ListenerRole::kPublic) return {};
  if (!may_administer_) {
    return Error{
        ErrorCode::kForbidden,
        "only root and the server's own user may administer it, and no process that may descend from the server"};
  }
  if (head.forwarded) return Error{ErrorCode::kForbidden, "a proxy or a page in a browser may not administer"};
  return {};
}

asio::awaitable<Outcome<void>> Session::reload() {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Outcome<void>)>(
      [this](auto handler) {
        // std::function wants what it holds to be copyable.
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        service_.reload(reload_model_, [waiting](const Outcome<void>& result) { std::move (*waiting)(result); });
      },
      asio::use_awaitable);
}

// ---- the answer ----

Session::Step Session::answered(Answer& answer) {
  answering_ = nullptr;
  if (!answer.prediction) return refuse(answer.prediction.error(), BodyState::kRead);
  if (item_count(*answer.prediction) > kItemsAtOnce) {
    rendering_ = std::make_unique<Rendering>(Rendering{std::move(answer), {}, 0});
    begin_prediction(rendering_->response, model_->config->name, rendering_->answer);
    return Step::kRender;
  }
  write_prediction(server_.scratch().response, model_->config->name, answer,
                   common::elapsed_us(request_began_, AwakeClock::now()));
  return respond(BodyState::kRead);
}

Session::Step Session::render() {
  auto& [answer, response, written] = *rendering_;
  append_items(response, answer, written, kItemsAtOnce);
  written += kItemsAtOnce;
  if (written < item_count(*answer.prediction)) return Step::kRender;
  end_prediction(response, answer, common::elapsed_us(request_began_, AwakeClock::now()));
  server_.scratch().response = std::move(response);
  rendering_.reset();
  return respond(BodyState::kRead);
}

Session::Step Session::refuse(const Error& error, BodyState body) {
  Response& response = server_.scratch().response;
  if (model_ != nullptr) {
    write_error(response, error, model_->dispatcher.retry_after_seconds());
  } else {
    write_error(response, error);
  }
  return respond(body);
}

Session::Step Session::respond(BodyState body) {
  Scratch& scratch = server_.scratch();
  const auto status = static_cast<int>(scratch.response.status);
  if (model_ != nullptr) {
    model_->metrics.answered(status);
    model_.reset();  // a connection that is idle afterwards keeps no model that is gone
  } else if (scratch.response.status >= http::status::bad_request) {
    service_.answered_without_model(status);
  }
  if (request_id_.empty()) request_id_ = new_request_id();
  body_state_ = body;
  closing_ = !keep_alive_ || body == BodyState::kUnread || service_.draining() ||
             (in_reserve() && !server_.places(role_).leave_reserve(*this, AwakeClock::now()));
  scratch.head.clear();
  append_head(scratch.head, scratch.response,
              {version_, !closing_, {request_id_.data(), request_id_.size()}, scratch.date.at(std::time(nullptr))});

  const auto head = asio::buffer(scratch.head.view());
  const auto content = is_head_ ? asio::const_buffer() : scratch.response.content();
  const auto first = asio::buffer(content, kBytesAtOnce);
  error_code failure;
  if (common::is_doomed_at(common::FaultPoint::kFrontEndWroteHeader)) {
    socket_.write_some(head, failure);
    common::reach(common::FaultPoint::kFrontEndWroteHeader);
  }
  const std::size_t written = socket_.write_some(std::array<asio::const_buffer, 2>{head, first}, failure);
  if (failure && failure != asio::error::would_block) return Step::kEnd;
  if (written == head.size() + content.size()) return answer_written();
  unsent_ =
      std::make_unique<Unsent>(Unsent{std::exchange(scratch.head, {}), std::exchange(scratch.response, {}), written});
  return Step::kWriteRest;
}

asio::awaitable<Session::Step> Session::write_rest() {
  asio::const_buffer head = asio::buffer(unsent_->head.view());
  asio::const_buffer content = is_head_ ? asio::const_buffer() : unsent_->response.content();
  std::size_t written = unsent_->written;
  timed_out_ = false;
  set_deadline(config_.write_timeout);
  error_code failed;
  for (;;) {
    const std::size_t of_head = std::min(written, head.size());
    head += of_head;
    content += written - of_head;
    if (head.size() + content.size() == 0) break;
    occupy(Occupation::kUnreadAnswer, AwakeClock::now());
    const std::array<asio::const_buffer, 2> some{head, asio::buffer(content, kBytesAtOnce)};
    auto [failure, bytes] = co_await socket_.async_write_some(some, common::kAwait);
    written = bytes;
    failed = failure;
    if (failed) break;
  }
  no_deadline();
  unsent_.reset();
  occupy(Occupation::kBusy, AwakeClock::now());
  co_return failed ? Step::kEnd : answer_written();
}

Session::Step Session::answer_written() {
  common::reach(common::FaultPoint::kFrontEndAnswered);
  if (!closing_) return Step::kNextRequest;
  // With unread bytes in the kernel a close is a reset, which overtakes the answer.
  error_code ignored;
  if (in_reserve()) return Step::kEnd;  // the next one waits for its place
  const bool unread = body_state_ == BodyState::kUnread || buffer_.size() != 0 || socket_.available(ignored) != 0;
  return unread ? Step::kLinger : Step::kEnd;
}

asio::awaitable<void> Session::linger() {
  error_code failure;
  socket_.shutdown(Socket::shutdown_send, failure);
  timed_out_ = false;
  set_deadline(kLinger);
  occupy(Occupation::kLingering, AwakeClock::now());
  buffer_.consume(buffer_.size());
  const auto unread = asio::buffer(server_.scratch().unread);
  while (!failure && !timed_out_) {
    auto [ended, bytes] = co_await socket_.async_read_some(unread, common::kAwait);
    failure = ended;
  }
}

}  // namespace yolod::app
