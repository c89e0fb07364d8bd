// The part of a session that reads bodies.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "app/http/await.hpp"
#include "app/http/multipart.hpp"
#include "app/http/parameters.hpp"
#include "app/http/session.hpp"
#include "common/awake_clock.hpp"
#include "common/fault_point.hpp"

namespace yolod::app {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using common::AwakeClock;
using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<void> Session::check_predict(const RequestHead& head) {
  if (auto within = limit_to(*model_->config, options_); !within) return within;
  boundary_.reset();
  if (is_multipart(head.content_type)) {
    boundary_ = multipart_boundary(head.content_type);
    if (!boundary_) return Error{ErrorCode::kBadRequest, "multipart: no valid boundary"};
  } else if (head.content_type.starts_with("application/json")) {
    return Error{ErrorCode::kUnsupportedMediaType, "send the image as the body, or as multipart/form-data"};
  }
  return model_->dispatcher.admit(urgency_);
}

Session::Step Session::begin_body(const RequestHead& head) {
  if (const auto fits = check_predict(head); !fits) return refuse(fits.error(), BodyState::kUnread);
  body_length_ = head.content_length;
  body_received_ = 0;
  chunks_.reset();
  if (head.chunked) {
    chunks_ = std::make_unique<ChunkParser>();
    chunks_->header_limit(RequestHeadReader::kLimitBytes);
    // Its length is not known before its end: room for the longest is taken at first, and what was not needed given
    // back. One byte more: the parser needs a place to write to also when only the end is to come.
    body_length_ = body_limit();
    chunks_->body_limit(body_length_++);
    error_code failure;  // none: the header has been read once
    buffer_.consume(chunks_->put(buffer_.data(), failure));
  } else if (body_length_ == 0) {
    return refuse({ErrorCode::kInvalidImage, "the request has no body"}, BodyState::kUnread);
  } else if (body_length_ > body_limit()) {
    return refuse({ErrorCode::kBodyTooLarge, "the body is larger than this server takes"}, BodyState::kUnread);
  }
  if (buffer_.size() != 0) return make_room();
  if (head.expects_continue) return Step::kSayContinue;
  return await_body();
}

asio::awaitable<Session::Step> Session::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  set_deadline(config_.write_timeout);
  auto [failure, bytes] = co_await asio::async_write(socket_, asio::buffer(kContinue), kAwait);
  no_deadline();
  co_return failure ? drop_body(read_failure()) : await_body();
}

Session::Step Session::await_body() {
  begin_upload();
  return Step::kAwaitBody;
}

Session::Step Session::body_began(error_code failure) {
  end_upload();
  return failure ? drop_body(read_failure()) : make_room();
}

Session::Step Session::make_room() {
  auto room = service_.arena_gate().try_reserve(body_length_);
  return room ? room_came(std::move(room)) : Step::kAwaitRoom;
}

Session::Step Session::room_came(std::optional<ipc::ArenaBlock> room) {
  if (!room) return drop_body(no_room());
  room_ = std::move(*room);
  return chunks_ ? Step::kReadChunks : fill_room();
}

// With what has come; most often that is all.
Session::Step Session::fill_room() {
  const std::span<std::byte> place = room_.bytes();
  const std::size_t taken = std::min<std::uint64_t>(buffer_.size(), body_length_);
  if (taken != 0) std::memcpy(place.data(), buffer_.data().data(), taken);
  buffer_.consume(taken);
  body_received_ = taken;
  if (body_received_ == body_length_) return body_complete();
  error_code failure;
  const std::size_t bytes = socket_.read_some(asio::buffer(place.data() + taken, body_length_ - taken), failure);
  const Step next = failure == asio::error::would_block ? Step::kReadBody : body_came(failure, bytes);
  if (next == Step::kReadBody) begin_upload();
  return next;
}

Session::Step Session::body_came(error_code failure, std::size_t bytes) {
  if (failure) return drop_body(read_failure());
  body_received_ += bytes;
  common::reach(common::FaultPoint::kFrontEndReadSome);
  return body_received_ < body_length_ ? Step::kReadBody : body_complete();
}

asio::awaitable<Session::Step> Session::read_chunks() {
  const std::span<std::byte> place = room_.bytes();
  begin_upload();
  while (!chunks_->is_done()) {
    auto& into = chunks_->get().body();
    into.data = place.data() + body_received_;
    into.size = place.size() - body_received_;
    into.more = true;
    auto [failure, bytes] = co_await http::async_read_some(socket_, buffer_, *chunks_, kAwait);
    body_received_ = place.size() - into.size;
    if (failure == http::error::body_limit) {
      co_return drop_body({ErrorCode::kBodyTooLarge, "the body is larger than this server takes"});
    }
    if (failure && failure != http::error::need_buffer) co_return drop_body(read_failure());
  }
  if (body_received_ == 0) co_return drop_body({ErrorCode::kInvalidImage, "the request has no body"});
  room_.shrink(body_received_);
  co_return body_complete();
}

Session::Step Session::body_complete() {
  end_upload();
  chunks_.reset();
  room_.end_upload();
  const std::span<const std::byte> whole = room_.bytes();
  std::span<const std::byte> image = whole;
  if (boundary_) {
    const auto part = find_part(whole, *boundary_, "image");
    if (!part) {
      room_ = {};
      return refuse(part.error(), BodyState::kRead);
    }
    image = *part;
  }
  job_.image_offset = room_.offset() + static_cast<std::uint64_t>(image.data() - whole.data());
  job_.image_bytes = image.size();
  job_.options = options_;
  job_.urgency = urgency_;
  job_.block = std::move(room_);
  job_id_ = job_.id = model_->dispatcher.new_id();
  answering_ = &model_->dispatcher;
  probed_ = false;
  return Step::kPredict;
}

Session::Step Session::drop_body(const Error& error) {
  end_upload();
  chunks_.reset();
  room_ = {};
  return refuse(error, BodyState::kUnread);
}

void Session::begin_upload() {
  uploading_ = true;
  upload_began_ = AwakeClock::now();
  deadline_ = upload_began_ + config_.body_timeout;
}

void Session::end_upload() {
  uploading_ = false;
  no_deadline();
}

std::uint64_t Session::body_limit() const {
  return std::min(config_.max_body_bytes, service_.arena_gate().arena().largest_body_bytes());
}

Error Session::read_failure() const {
  if (timed_out_) return {ErrorCode::kRequestTimeout, "the request did not arrive in time"};
  return {ErrorCode::kBadRequest, "the request ended early"};
}

Error Session::no_room() const {
  if (service_.draining()) return {ErrorCode::kShuttingDown, "the server is stopping"};
  return {ErrorCode::kQueueFull, "too busy"};
}

}  // namespace yolod::app
